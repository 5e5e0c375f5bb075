"""A pipeline's text encoders, and what both dialects need from them.

Stable Diffusion 1.x and 2.x have one, SDXL two, its refiner only the second. Knows no dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from webui.errors import InvalidRequest
from webui.prompts.lexer import harmless


@dataclass(frozen=True)
class TextEncoder:
    """One tokenizer and its CLIP text encoder.

    `is_last`: the last hidden state is used, normalised (SD 1.x and 2.x); else the last but one, as it is (SDXL).
    `is_pooled`: it also gives one vector for the whole text, always from its last layer. `skipped` is how many more
    layers are left out before the hidden state is taken.
    """

    tokenizer: Any
    model: Any
    is_last: bool
    is_pooled: bool
    skipped: int = 0

    @property
    def length(self) -> int:
        """The number of tokens that it reads at once, its own first and last ones included: 77 for CLIP."""
        return int(min(self.tokenizer.model_max_length, self.model.config.max_position_embeddings))

    @property
    def width(self) -> int:
        """The number of channels of its embeddings."""
        return int(self.model.config.hidden_size)

    def ids(self, text: str) -> list[int]:
        """The token ids of `text`, without the encoder's own tokens."""
        found: list[int] = self.tokenizer(harmless(text), add_special_tokens=False, verbose=False).input_ids
        return found

    def hidden(self, ids: list[int], vectors: Mapping[int, Tensor]) -> tuple[Tensor, Tensor | None]:
        """(1, length, width) for exactly `length` ids and, if it is pooled, (1, width) for the whole text.

        `vectors` (width,) replace the tokens at the positions given by their keys.
        """
        batch = torch.tensor([ids], device=self.model.device)
        with _in_place(self.model, vectors):
            output = self.model(batch, output_hidden_states=True)
        return self.chosen(output), output.text_embeds if self.is_pooled else None

    def chosen(self, output: Any) -> Tensor:
        """(B, length, width): the hidden state to use, from a model's output with all hidden states."""
        if self.is_last and self.skipped == 0:
            hidden: Tensor = output.last_hidden_state
            return hidden
        hidden = output.hidden_states[-1 - self.skipped - (not self.is_last)]
        return self._normalised(hidden) if self.is_last else hidden

    def _normalised(self, hidden: Tensor) -> Tensor:
        inner = getattr(self.model, "text_model", self.model)
        normalised: Tensor = inner.final_layer_norm(hidden)
        return normalised


def text_encoders(pipeline: Any, clip_skip: int = 1) -> list[TextEncoder]:
    """The text encoders, in the order in which their embeddings are put side by side.

    `clip_skip` counts layers from the end, as in A1111 and Forge; 1 is the last one. SDXL was trained on the last but
    one, so 1 and 2 are the same there. Raises InvalidRequest if an encoder has fewer layers.
    """
    if getattr(pipeline, "text_encoder_2", None) is None:
        found = [TextEncoder(pipeline.tokenizer, pipeline.text_encoder, True, False, skipped=clip_skip - 1)]
    else:
        skipped = max(0, clip_skip - 2)
        found = [TextEncoder(pipeline.tokenizer_2, pipeline.text_encoder_2, False, True, skipped)]
        if pipeline.text_encoder is not None:  # SDXL's refiner has only the second
            found.insert(0, TextEncoder(pipeline.tokenizer, pipeline.text_encoder, False, False, skipped))
    if any(clip_skip > encoder.model.config.num_hidden_layers for encoder in found):
        raise InvalidRequest(field="clip_skip", reason="clip_skip_too_deep")
    return found


def filled_up(embeds: list[Tensor], make_empty: Callable[[], Tensor]) -> list[Tensor]:
    """Extends all of `embeds`, each (N, n · length, channels), to the longest with chunks of the empty text."""
    longest = max(e.shape[1] for e in embeds)
    if all(e.shape[1] == longest for e in embeds):
        return embeds
    empty = make_empty()
    return [torch.cat([e, *[empty] * ((longest - e.shape[1]) // empty.shape[1])], dim=1) for e in embeds]


@contextmanager
def _in_place(model: Any, vectors: Mapping[int, Tensor]) -> Iterator[None]:
    """While this lasts, the model reads `vectors` at those positions, whatever tokens are there."""
    if not vectors:
        yield
        return

    def put(_module: Any, _inputs: Any, output: Tensor) -> Tensor:
        changed = output.clone()
        for place, vector in vectors.items():
            changed[:, place] = vector.to(changed)
        return changed

    handle = model.get_input_embeddings().register_forward_hook(put)
    try:
        yield
    finally:
        handle.remove()
