"""Prompts → embeddings, by compel: weighted, in as many chunks as the text needs, both sides of equal length.

Knows Stable Diffusion 1.x and 2.x (one text encoder) and SDXL (two, and a pooled embedding). Compel's own parser is not
used (see parser.py): its objects are built from our parse.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from compel import Compel, ReturnedEmbeddingsType
from compel.embeddings_provider import EmbeddingsProvider
from compel.prompt_parser import Blend as CompelBlend
from compel.prompt_parser import Conjunction, FlattenedPrompt
from compel.prompt_parser import Fragment as CompelFragment
from torch import Tensor

from webui.engine.prompts.parser import Blend, Fragments, Prompt, parse

CACHED_PROMPTS = 16  # for each text encoder; an SDXL prompt takes 0.3 MB


@dataclass(frozen=True)
class PromptEmbeds:
    """What the U-Net hears. Embeddings are (1, tokens, channels) of equal length, pooled ones (1, channels).

    Negative ones are None where there is no guidance, pooled ones but for SDXL.
    """

    prompt_embeds: Tensor
    negative_prompt_embeds: Tensor | None = None
    pooled_prompt_embeds: Tensor | None = None
    negative_pooled_prompt_embeds: Tensor | None = None


class PromptEncoder:
    """Encodes prompts with the text encoders of a pipeline, and keeps the last few encodings of each encoder."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Any, OrderedDict[str, tuple[Tensor, Tensor | None]]] = WeakKeyDictionary()

    def encode(
        self, pipeline: Any, prompt: str, negative_prompt: str, *, is_guided: bool, check: Callable[[], None]
    ) -> PromptEmbeds:
        """Both prompts for `pipeline`, on the device and in the number type of its text encoder.

        Raises PromptError for what cannot be parsed, and whatever `check` raises between passes.
        """
        encoders = _encoders(pipeline)
        embeds, pooled = self._encode_one(encoders, prompt, check)
        if not is_guided:
            return PromptEmbeds(embeds, None, pooled, None)
        if pooled is not None and not negative_prompt.strip() and pipeline.config.force_zeros_for_empty_prompt:
            # as SDXL was trained: no negative prompt is no signal at all, rather than an empty text
            return PromptEmbeds(embeds, torch.zeros_like(embeds), pooled, torch.zeros_like(pooled))
        negative, negative_pooled = self._encode_one(encoders, negative_prompt, check)
        if embeds.shape != negative.shape:
            empty, _ = self._encode_one(encoders, "", check)
            embeds, negative = _pad_to_equal_length([embeds, negative], empty)
        return PromptEmbeds(embeds, negative, pooled, negative_pooled)

    def _encode_one(
        self, encoders: list[_TextEncoder], text: str, check: Callable[[], None]
    ) -> tuple[Tensor, Tensor | None]:
        kept = self._kept.setdefault(encoders[0].text_encoder, OrderedDict())
        if text in kept:
            kept.move_to_end(text)
            return kept[text]
        prompt = parse(text)
        embeds = []
        for encoder in encoders:
            check()
            embeds.append(encoder.embed(prompt))
        pooled = encoders[-1].pool(prompt) if encoders[-1].is_pooled else None
        kept[text] = torch.cat(_equally_long(encoders, embeds), dim=-1), pooled
        while len(kept) > CACHED_PROMPTS:
            kept.popitem(last=False)
        return kept[text]


class _ExactProvider(EmbeddingsProvider):  # type: ignore[misc]  # compel carries no types
    """Compel's provider, but for where a fragment's tokens lie.

    Compel searches for them by their ids and gives up with a RuntimeError where a fragment starts with the padding
    token ("!" in SD 2.x and SDXL). They follow from the chunks: between a chunk's first token and its first end token.
    """

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


class _TextEncoder:
    """One tokenizer and its text encoder, as compel sees them."""

    def __init__(self, tokenizer: Any, text_encoder: Any, embeddings: ReturnedEmbeddingsType, is_pooled: bool) -> None:
        self.text_encoder = text_encoder
        self.is_pooled = is_pooled
        self._tokenizer = tokenizer
        self._length = min(tokenizer.model_max_length, text_encoder.config.max_position_embeddings)
        self._compel = Compel(tokenizer, text_encoder, truncate_long_prompts=False, returned_embeddings_type=embeddings)
        self._compel.conditioning_provider = _ExactProvider(
            tokenizer,
            text_encoder,
            truncate=False,
            returned_embeddings_type=embeddings,
            split_long_text_mode=self._compel.conditioning_provider.split_long_text_mode,
            model_max_length=self._length,
        )

    def embed(self, prompt: Prompt) -> Tensor:
        """(1, n · length, channels)"""
        embeds: Tensor = self._compel.build_conditioning_tensor_for_conjunction(_to_compel(prompt))[0]
        return embeds.to(self.text_encoder.dtype)

    def empty(self) -> Tensor:
        """(1, length, channels) of the empty text."""
        return self.embed(parse(""))

    def pool(self, prompt: Prompt) -> Tensor:
        """(1, channels): what the end token says of the first chunk of the text without its weights."""
        ids = self._tokenizer(
            _harmless(prompt.plain_text),
            padding="max_length",
            max_length=self._length,
            truncation=True,
            return_tensors="pt",
        ).input_ids
        pooled: Tensor = self.text_encoder(ids.to(self.text_encoder.device)).text_embeds
        return pooled


def _encoders(pipeline: Any) -> list[_TextEncoder]:
    """SD 1.x and 2.x: the last hidden state, normalised. SDXL: both encoders' last but one, and a pooled embedding."""
    if getattr(pipeline, "text_encoder_2", None) is None:
        last = ReturnedEmbeddingsType.LAST_HIDDEN_STATES_NORMALIZED
        return [_TextEncoder(pipeline.tokenizer, pipeline.text_encoder, last, is_pooled=False)]
    last_but_one = ReturnedEmbeddingsType.PENULTIMATE_HIDDEN_STATES_NON_NORMALIZED
    encoders = [_TextEncoder(pipeline.tokenizer_2, pipeline.text_encoder_2, last_but_one, is_pooled=True)]
    if pipeline.text_encoder is not None:  # SDXL's refiner has only the second
        encoders.insert(0, _TextEncoder(pipeline.tokenizer, pipeline.text_encoder, last_but_one, is_pooled=False))
    return encoders


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
        fragment.text = _harmless(text)  # set late: its constructor would resolve backslashes once more
        made.append(fragment)
    return FlattenedPrompt(made)


def _harmless(text: str) -> str:
    """Without names of special tokens: `<|endoftext|>` in a prompt would end it."""
    return text.replace("<|", "< |")


def _equally_long(encoders: list[_TextEncoder], embeds: list[Tensor]) -> list[Tensor]:
    """Embeddings of one text by two encoders, filled up with the empty text where one needed fewer chunks."""
    longest = max(e.shape[1] for e in embeds)
    return [_repeat_to(e, longest, encoder.empty) for encoder, e in zip(encoders, embeds, strict=True)]


def _pad_to_equal_length(embeds: list[Tensor], empty: Tensor) -> list[Tensor]:
    longest = max(e.shape[1] for e in embeds)
    return [_repeat_to(e, longest, lambda: empty) for e in embeds]


def _repeat_to(embeds: Tensor, length: int, make_empty: Callable[[], Tensor]) -> Tensor:
    if embeds.shape[1] == length:
        return embeds
    empty = make_empty()
    return torch.cat([embeds, *[empty] * ((length - embeds.shape[1]) // empty.shape[1])], dim=1)
