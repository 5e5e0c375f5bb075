"""One text of A1111's dialect → embeddings: chunk by chunk, with every token's embedding multiplied by its weight.

Knows weights, chunks and embeddings; the timeline and `AND` belong to the encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor

from webui.engine.prompts.text_encoders import TextEncoder
from webui.engine.prompts.textual_inversion import Vectors
from webui.prompts.attention import attention
from webui.prompts.chunks import Chunk, Embeddings, Vector, Word, cut

Emphasis = Literal["original", "no_norm"]
_COMMA = ",</w>"
# Of the deviation: a mean below is rounding, not a signal (a normalised layer that was never trained has none at all),
# and dividing by it would multiply everything by chance. CLIP's is a hundred times as large.
_SMALLEST_MEAN = 1e-4


def embed(
    encoders: list[TextEncoder],
    text: str,
    emphasis: Emphasis,
    known: Mapping[str, Vectors],
    check: Callable[[], None],
) -> tuple[Tensor, Tensor | None]:
    """(1, n · length, channels) of all encoders side by side, and the pooled (1, channels) of the first chunk.

    `known` are the textual inversions by name; `check` may raise between passes.
    """
    sides, pooled = [], None
    for number, encoder in enumerate(encoders):
        side, first = _embed(encoder, number, text, emphasis, known, check)
        sides.append(side)
        pooled = first if encoder.is_pooled else pooled
    longest = max(side.shape[1] for side in sides)
    for number, side in enumerate(sides):  # two tokenizers may cut one text into more and fewer chunks
        if side.shape[1] < longest:
            empty, _ = _embed(encoders[number], number, "", emphasis, known, check)
            sides[number] = torch.cat([side, *[empty] * ((longest - side.shape[1]) // empty.shape[1])], dim=1)
    return torch.cat(sides, dim=-1), pooled


def _embed(
    encoder: TextEncoder,
    number: int,
    text: str,
    emphasis: Emphasis,
    known: Mapping[str, Vectors],
    check: Callable[[], None],
) -> tuple[Tensor, Tensor | None]:
    names = Embeddings.of({name: vectors.count for name, vectors in known.items()}, encoder.ids)
    chunks = cut(
        attention(text),
        lambda part: [Word(id, 0) for id in encoder.ids(part)],
        encoder.tokenizer.get_vocab().get(_COMMA),
        names,
        encoder.length - 2,
    )
    parts, pooled = [], None
    for chunk in chunks:
        check()
        hidden, whole = encoder.hidden(*_filled(encoder, number, chunk, known))
        parts.append(_weighed(hidden, chunk, emphasis))
        pooled = whole if pooled is None else pooled  # of the first chunk, and without weights, as A1111 does for SDXL
    return torch.cat(parts, dim=1), pooled


def _filled(
    encoder: TextEncoder, number: int, chunk: Chunk, known: Mapping[str, Vectors]
) -> tuple[list[int], dict[int, Tensor]]:
    """All ids that the encoder reads, and the vectors that take the place of some, by position."""
    tokenizer = encoder.tokenizer
    ids, vectors = [tokenizer.bos_token_id], {}
    for place, token in enumerate(chunk.tokens, start=1):
        if isinstance(token.value, Vector):
            vectors[place] = known[token.value.embedding].by_encoder[number][token.value.number]
            ids.append(0)  # never read
        else:
            ids.append(token.value)
    ids.append(tokenizer.eos_token_id)
    return ids + [tokenizer.pad_token_id] * (encoder.length - len(ids)), vectors


def _weighed(hidden: Tensor, chunk: Chunk, emphasis: Emphasis) -> Tensor:
    """Multiplies every token's embedding by its weight, then scales all of them to restore the mean (not with
    `no_norm`).
    """
    if all(token.weight == 1 for token in chunk.tokens):
        return hidden
    weights = torch.ones(hidden.shape[1], dtype=torch.float32)
    weights[1 : len(chunk.tokens) + 1] = torch.tensor([token.weight for token in chunk.tokens])
    before = hidden.float()
    after = before * weights.to(hidden.device)[:, None]
    if emphasis == "original":
        mean, smallest = after.mean(), _SMALLEST_MEAN * before.std()
        if float(mean.abs()) > smallest and float(before.mean().abs()) > smallest:
            after = after * (before.mean() / mean)
    return after.to(hidden.dtype)
