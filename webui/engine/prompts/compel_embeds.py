"""One text of compel's dialect → embeddings, computed by compel: weighted, blended, in as many chunks as the text
needs.

Compel's own parser is not used (see `webui/prompts/compel.py`): its objects are built from our parse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from compel import Compel, ReturnedEmbeddingsType
from compel.embeddings_provider import EmbeddingsProvider
from compel.prompt_parser import Blend as CompelBlend
from compel.prompt_parser import Conjunction, FlattenedPrompt
from compel.prompt_parser import Fragment as CompelFragment
from torch import Tensor

from webui.engine.prompts.text_encoders import TextEncoder
from webui.prompts.compel import Blend, Prompt, parse
from webui.prompts.lexer import Fragments, harmless


def embed(encoders: list[TextEncoder], text: str, check: Callable[[], None]) -> tuple[Tensor, Tensor | None]:
    """(1, n · length, channels) of all encoders side by side, and the pooled (1, channels) of the text without its
    weights.

    `check` may raise between passes. Raises PromptError for a text that cannot be parsed.
    """
    prompt = parse(text)
    sides = []
    pooled = None
    for encoder in encoders:
        check()
        side = _embed(encoder, prompt)
        sides.append((encoder, side))
        if encoder.is_pooled:
            pooled = _pool(encoder, prompt)
    longest = max(side.shape[1] for _, side in sides)
    filled = [side if side.shape[1] == longest else _lengthened(encoder, side, longest) for encoder, side in sides]
    return torch.cat(filled, dim=-1), pooled


class _ExactProvider(EmbeddingsProvider):  # type: ignore[misc]  # compel carries no types
    """Compel's provider, except for how it finds a fragment's tokens and which hidden state it takes.

    Compel searches for the tokens by their ids and fails with a RuntimeError if a fragment starts with the padding
    token ("!" in SD 2.x and SDXL). Here they follow from the chunks: they lie between a chunk's first token and its
    first end token. The encoder says which hidden state is used.
    """

    def __init__(self, encoder: TextEncoder, **options: Any) -> None:
        self._encoder = encoder
        super().__init__(encoder.tokenizer, encoder.model, **options)

    def _encode_token_ids_to_embeddings(self, token_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        return self._encoder.chosen(self.text_encoder(token_ids, attention_mask, output_hidden_states=True))

    def _get_token_ranges_for_fragments(
        self, chunked_and_padded_token_ids: list[int], fragments: list[str]
    ) -> list[tuple[int | None, int | None]]:
        size = self.max_token_count
        places: list[int] = []  # of the tokens that are text
        for start in range(0, len(chunked_and_padded_token_ids), size):
            chunk = chunked_and_padded_token_ids[start : start + size]
            end = chunk.index(self.tokenizer.eos_token_id, 1)
            places += range(start + 1, start + end)
        counts = [len(ids) for ids in self.get_token_ids(fragments, include_start_and_end_markers=False)]
        ranges: list[tuple[int | None, int | None]] = []
        position = 0
        for count in counts:
            own = places[position : position + count]
            ranges.append((own[0], own[-1]) if own else (len(chunked_and_padded_token_ids), -2))  # an empty range
            position += count
        return ranges


def _embed(encoder: TextEncoder, prompt: Prompt) -> Tensor:
    """(1, n · length, width)"""
    kind = (
        ReturnedEmbeddingsType.LAST_HIDDEN_STATES_NORMALIZED
        if encoder.is_last
        else ReturnedEmbeddingsType.PENULTIMATE_HIDDEN_STATES_NON_NORMALIZED
    )
    compel = Compel(encoder.tokenizer, encoder.model, truncate_long_prompts=False, returned_embeddings_type=kind)
    compel.conditioning_provider = _ExactProvider(
        encoder,
        truncate=False,
        returned_embeddings_type=kind,
        split_long_text_mode=compel.conditioning_provider.split_long_text_mode,
        model_max_length=encoder.length,
    )
    embeds: Tensor = compel.build_conditioning_tensor_for_conjunction(_to_compel(prompt))[0]
    return embeds.to(encoder.model.dtype)


def _pool(encoder: TextEncoder, prompt: Prompt) -> Tensor:
    """(1, width): the pooled embedding of the first chunk of the text without its weights."""
    ids = encoder.tokenizer(
        harmless(prompt.plain_text),
        padding="max_length",
        max_length=encoder.length,
        truncation=True,
        return_tensors="pt",
    ).input_ids
    pooled: Tensor = encoder.model(ids.to(encoder.model.device)).text_embeds
    return pooled


def _lengthened(encoder: TextEncoder, side: Tensor, longest: int) -> Tensor:
    """Extends the embeddings with the empty text, where one tokenizer made fewer chunks than the other."""
    empty = _embed(encoder, parse(""))
    return torch.cat([side, *[empty] * ((longest - side.shape[1]) // empty.shape[1])], dim=1)


def _to_compel(prompt: Prompt) -> Conjunction:
    parts = [
        CompelBlend([_flattened(p) for p in part.prompts], list(part.weights), normalize_weights=part.normalize)
        if isinstance(part, Blend)
        else _flattened(part)
        for part in prompt.parts
    ]
    return Conjunction(parts, list(prompt.weights))


def _flattened(fragments: Fragments) -> FlattenedPrompt:
    made = []
    for text, weight in fragments:
        fragment = CompelFragment("", weight)
        fragment.text = harmless(text)  # set late: its constructor would resolve backslashes once more
        made.append(fragment)
    return FlattenedPrompt(made)
