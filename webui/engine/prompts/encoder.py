"""Prompts → what the U-Net is told at each step, in the dialect that the request names.

Knows Stable Diffusion 1.x and 2.x (one text encoder) and SDXL (two, and a pooled embedding).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from webui.checkpoints.addons import Addons
from webui.engine.prompts import a1111_embeds, compel_embeds
from webui.engine.prompts.text_encoders import TextEncoder, filled_up, text_encoders
from webui.engine.prompts.textual_inversion import TextualInversions
from webui.errors import PromptError
from webui.prompts import a1111
from webui.prompts.reading import AS_A1111
from webui.prompts.reading import Reading as Reading

CACHED_PROMPTS = 16  # for each text encoder; an SDXL prompt takes 0.3 MB
_Encoded = tuple[Tensor, Tensor | None]  # embeddings (1, tokens, channels), pooled (1, channels)


@dataclass(frozen=True)
class PromptEmbeds:
    """The embeddings for one step: N positive texts, each with its weight, and one negative text.

    Embeddings are (N, tokens, channels), pooled ones (N, channels); negative ones have one row and as many tokens.
    Negative ones are None without guidance (N is then 1), pooled ones except for SDXL.
    """

    prompt_embeds: Tensor
    negative_prompt_embeds: Tensor | None = None
    pooled_prompt_embeds: Tensor | None = None
    negative_pooled_prompt_embeds: Tensor | None = None
    weights: tuple[float, ...] = (1.0,)  # N; what each positive text adds to the guidance


class PromptEncoder:
    """Encodes prompts with a pipeline's text encoders, and keeps the last few encodings of each encoder.

    `addons` finds embeddings (textual inversions), which A1111's dialect knows by name.
    """

    def __init__(self, addons: Addons | None = None) -> None:
        self._inversions = TextualInversions(addons) if addons is not None else None
        self._kept: WeakKeyDictionary[Any, OrderedDict[Any, _Encoded]] = WeakKeyDictionary()

    def encode(
        self,
        pipeline: Any,
        prompt: str,
        negative_prompt: str,
        *,
        is_guided: bool,
        check: Callable[[], None],
        reading: Reading = AS_A1111,
    ) -> PromptEmbeds:
        """The embeddings of both prompts at the first step of many; see `schedule`."""
        return self._heard(pipeline, prompt, negative_prompt, 1, is_guided, check, reading)[0]

    def schedule(
        self,
        pipeline: Any,
        prompt: str,
        negative_prompt: str,
        *,
        steps: int,
        is_guided: bool,
        check: Callable[[], None],
        reading: Reading = AS_A1111,
    ) -> tuple[PromptEmbeds, ...]:
        """The embeddings for each of `steps` steps, on the text encoder's device and in its number type.

        Steps between which nothing changes share one object. Prompts joined by `AND` are always guided. Raises
        PromptError for a prompt that cannot be parsed, and for `AND` if the network takes guidance as an input; and
        whatever `check` raises between passes.
        """
        return self._heard(pipeline, prompt, negative_prompt, steps, is_guided, check, reading)

    def forget(self, pipeline: Any) -> None:
        """Forgets the encodings of this pipeline's text encoders, because their weights have changed."""
        for name in ("text_encoder", "text_encoder_2"):
            if (encoder := getattr(pipeline, name, None)) is not None:
                self._kept.pop(encoder, None)

    def _heard(
        self,
        pipeline: Any,
        prompt: str,
        negative_prompt: str,
        steps: int,
        is_guided: bool,
        check: Callable[[], None],
        reading: Reading,
    ) -> tuple[PromptEmbeds, ...]:
        positives, weights, negatives = _texts(prompt, negative_prompt, steps, reading)
        if weights != (1.0,) and not is_guided:
            if getattr(pipeline.unet.config, "time_cond_proj_dim", None) is not None:
                raise PromptError(reason="prompt_and_unguided", position=0)
            is_guided = True
        encoders = text_encoders(pipeline, reading.clip_skip)
        encoded: dict[str, _Encoded] = {}

        def once(text: str) -> _Encoded:
            if text not in encoded:
                encoded[text] = self._encode(encoders, text, reading, check)
            return encoded[text]

        made: dict[tuple[tuple[str, ...], str], PromptEmbeds] = {}
        for key in zip(positives, negatives, strict=True):
            if key not in made:
                negative = key[1] if is_guided else None
                made[key] = _joined(pipeline, key[0], weights, negative, once)
        return tuple(made[key] for key in zip(positives, negatives, strict=True))

    def _encode(self, encoders: list[TextEncoder], text: str, reading: Reading, check: Callable[[], None]) -> _Encoded:
        is_a1111 = reading.dialect == "a1111"
        known = self._inversions.fitting(encoders, text) if self._inversions is not None and is_a1111 else {}
        stamps = tuple((name, vectors.stamp) for name, vectors in sorted(known.items()))
        key = text, reading, stamps
        kept = self._kept.setdefault(encoders[0].model, OrderedDict())
        if key not in kept:
            kept[key] = (
                a1111_embeds.embed(encoders, text, reading.emphasis, known, check)
                if is_a1111
                else compel_embeds.embed(encoders, text, check)
            )
        kept.move_to_end(key)
        encoded = kept[key]
        while len(kept) > CACHED_PROMPTS:
            kept.popitem(last=False)
        return encoded


def _texts(
    prompt: str, negative_prompt: str, steps: int, reading: Reading
) -> tuple[tuple[tuple[str, ...], ...], tuple[float, ...], tuple[str, ...]]:
    """The positive texts at each step, their weights, and the negative text at each step."""
    if reading.dialect == "compel":
        return ((prompt,),) * steps, (1.0,), (negative_prompt,) * steps
    positive = a1111.parse(prompt)
    (negative,) = a1111.parse(negative_prompt, is_negative=True).parts
    positives = tuple(zip(*(part.timeline.texts(steps) for part in positive.parts), strict=True))
    return positives, positive.weights, negative.timeline.texts(steps)


def _joined(
    pipeline: Any,
    texts: tuple[str, ...],
    weights: tuple[float, ...],
    negative: str | None,
    encode: Callable[[str], _Encoded],
) -> PromptEmbeds:
    """The embeddings of all texts of one step, extended to the same length; `negative` is None without guidance."""
    found = [encode(text) for text in texts]
    embeds = [text for text, _ in found]
    pooled_texts = [whole for _, whole in found if whole is not None]
    pooled = torch.cat(pooled_texts) if pooled_texts else None

    def make_empty() -> Tensor:
        return encode("")[0]

    if negative is None:
        return PromptEmbeds(torch.cat(filled_up(embeds, make_empty)), None, pooled, None, weights)
    if pooled is not None and not negative.strip() and pipeline.config.force_zeros_for_empty_prompt:
        # as SDXL was trained: no negative prompt is no signal at all, rather than an empty text
        both = torch.cat(filled_up(embeds, make_empty))
        return PromptEmbeds(both, torch.zeros_like(both[:1]), pooled, torch.zeros_like(pooled[:1]), weights)
    negative_embeds, negative_pooled = encode(negative)
    *positives, negative_embeds = filled_up([*embeds, negative_embeds], make_empty)
    return PromptEmbeds(torch.cat(positives), negative_embeds, pooled, negative_pooled, weights)
