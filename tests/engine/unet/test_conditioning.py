"""What the U-Net is told, step by step: texts that change on the way, and several at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from torch import Tensor

from tests.engine.run_contexts import Recorder, bench_for, sampling
from webui.engine.prompts.encoder import PromptEmbeds, PromptEncoder
from webui.engine.sampling import Sampling
from webui.engine.unet import diffusion
from webui.worker.messages import RawImage

Encode = Callable[[str], PromptEmbeds]


@pytest.fixture(scope="module", params=["toy-sd15", "toy-sdxl", "toy-sd15-inpaint"])
def pipeline(request: pytest.FixtureRequest, toy_models: Path) -> Any:
    return DiffusionPipeline.from_pretrained(toy_models / request.param)


class _Scripted(PromptEncoder):
    """Gives what a test says for each step, made of texts."""

    def __init__(self, script: Callable[[Encode, int], tuple[PromptEmbeds, ...]]) -> None:
        super().__init__()
        self._script = script

    def schedule(self, pipeline: Any, *_texts: str, steps: int, **_rest: Any) -> tuple[PromptEmbeds, ...]:
        def encode(text: str) -> PromptEmbeds:
            return self.encode(pipeline, text, "dog", is_guided=True, check=lambda: None)

        return self._script(encode, steps)


def _draw(pipeline: Any, asked: Sampling, prompts: PromptEncoder) -> tuple[RawImage, list[Tensor]]:
    """The picture, and the embeddings that the U-Net was given at each call."""
    heard: list[Tensor] = []
    handle = pipeline.unet.register_forward_pre_hook(
        lambda _module, _args, values: heard.append(values["encoder_hidden_states"]), with_kwargs=True
    )
    family = "sdxl" if hasattr(pipeline, "text_encoder_2") else "sd15"
    try:
        with bench_for(pipeline, Recorder(), family=family) as run_context:
            (image,) = diffusion.text_to_image(asked, replace(run_context, prompts=prompts), [0])
    finally:
        handle.remove()
    return image, heard


def _joined(*parts: PromptEmbeds, weights: tuple[float, ...]) -> PromptEmbeds:
    pooled = [part.pooled_prompt_embeds for part in parts if part.pooled_prompt_embeds is not None]
    return replace(
        parts[0],
        prompt_embeds=torch.cat([part.prompt_embeds for part in parts]),
        pooled_prompt_embeds=torch.cat(pooled) if pooled else None,
        weights=weights,
    )


def _distance(one: RawImage, other: RawImage) -> int:
    pixels = [np.frombuffer(image.rgb, np.uint8).astype(int) for image in (one, other)]
    return int(np.abs(pixels[0] - pixels[1]).max())


@pytest.mark.parametrize("scheduler", ["euler", "heun", "pndm"])
def test_each_step_hears_its_own_text(pipeline: Any, scheduler: str) -> None:
    def script(encode: Encode, steps: int) -> tuple[PromptEmbeds, ...]:
        assert steps == 4
        return (encode("a cat"),) * 1 + (encode("a lake"),) * 3

    image, heard = _draw(pipeline, sampling(scheduler=scheduler), _Scripted(script))
    first = [torch.equal(one, heard[0]) for one in heard]
    calls = {"euler": 4, "heun": 7, "pndm": 5}[scheduler]
    of_first_step = {"euler": 1, "heun": 2, "pndm": 2}[scheduler]
    assert first == [True] * of_first_step + [False] * (calls - of_first_step)
    constant, _ = _draw(pipeline, sampling(scheduler=scheduler, prompt="a cat", negative_prompt="dog"), PromptEncoder())
    assert _distance(image, constant) > 0


def test_a_text_in_two_halves_is_the_text(pipeline: Any) -> None:
    def halves(encode: Encode, steps: int) -> tuple[PromptEmbeds, ...]:
        return (_joined(encode("a cat"), encode("a cat"), weights=(0.25, 0.75)),) * steps

    image, heard = _draw(pipeline, sampling(), _Scripted(halves))
    whole, _ = _draw(pipeline, sampling(prompt="a cat", negative_prompt="dog"), PromptEncoder())
    assert [len(rows) for rows in heard] == [3] * 4
    assert _distance(image, whole) <= 2


def test_each_of_several_texts_counts_by_its_weight(pipeline: Any) -> None:
    def two(weights: tuple[float, ...]) -> RawImage:
        def script(encode: Encode, steps: int) -> tuple[PromptEmbeds, ...]:
            return (_joined(encode("a cat"), encode("a lake at night"), weights=weights),) * steps

        return _draw(pipeline, sampling(), _Scripted(script))[0]

    first, _ = _draw(pipeline, sampling(prompt="a cat", negative_prompt="dog"), PromptEncoder())
    second, _ = _draw(pipeline, sampling(prompt="a lake at night", negative_prompt="dog"), PromptEncoder())
    assert _distance(two((1.0, 0.0)), first) <= 2
    assert _distance(two((0.0, 1.0)), second) <= 2
    assert min(_distance(two((1.0, 1.0)), alone) for alone in (first, second)) > 2


def test_images_of_a_batch_hear_the_same(pipeline: Any) -> None:
    def script(encode: Encode, steps: int) -> tuple[PromptEmbeds, ...]:
        return (_joined(encode("a cat"), encode("a lake"), weights=(1.0, 0.5)), *(encode("a dog"),) * (steps - 1))

    family = "sdxl" if hasattr(pipeline, "text_encoder_2") else "sd15"
    with bench_for(pipeline, Recorder(), family=family) as run_context:
        run_context = replace(run_context, prompts=_Scripted(script))
        together = diffusion.text_to_image(sampling(num_images=2), run_context, [0, 1])
        (alone,) = diffusion.text_to_image(sampling(num_images=2), run_context, [1])
    assert _distance(together[1], alone) <= 2
