"""Guidance within an interval and with its contrast taken back; CLIP's layers left out: each agrees with diffusers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline

from tests.engine.run_contexts import Recorder, bench_for, sampling
from webui.engine.sampling import Sampling
from webui.engine.schedulers.make import make_scheduler
from webui.engine.unet import diffusion
from webui.engine.unet.conditioning import unguided
from webui.engine.unet.denoising import Conditioning
from webui.errors import InvalidRequest

TOLERANCE = 2


@pytest.fixture(scope="module", params=["toy-sd15", "toy-sdxl"])
def pipeline(request: pytest.FixtureRequest, toy_models: Path) -> Any:
    loaded = DiffusionPipeline.from_pretrained(toy_models / request.param)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def _family(pipeline: Any) -> str:
    return "sdxl" if hasattr(pipeline, "text_encoder_2") else "sd15"


def draw(pipeline: Any, asked: Sampling) -> np.ndarray:
    with bench_for(pipeline, Recorder(), family=_family(pipeline)) as run_context:
        (image,) = diffusion.text_to_image(asked, run_context, [0])
    return np.frombuffer(image.rgb, np.uint8).reshape(64, 64, 3).astype(int)


def _skipped(pipeline: Any, text: str) -> torch.Tensor:
    """The last state but two, of three layers, normalised."""
    ids = pipeline.tokenizer(text, padding="max_length", max_length=77, return_tensors="pt").input_ids
    with torch.inference_mode():
        states = pipeline.text_encoder(ids, output_hidden_states=True).hidden_states
        return pipeline.text_encoder.final_layer_norm(states[-3])


def theirs(pipeline: Any, prompt: str | None = "a red cat", **arguments: Any) -> np.ndarray:
    original = pipeline.scheduler
    pipeline.scheduler = make_scheduler(original.config, "euler", steps=4)
    generator = torch.Generator("cpu").manual_seed(7)
    options = {"num_inference_steps": 4, "guidance_scale": 5.0, "width": 64, "height": 64, "output_type": "np"}
    try:
        picture = pipeline(prompt, generator=generator, **options, **arguments).images[0]
    finally:
        pipeline.scheduler = original
    return np.asarray((picture * 255).round(), dtype=int)


def _away(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one - other).max())


def test_rescaled_guidance_agrees_with_diffusers(pipeline: Any) -> None:
    ours = draw(pipeline, sampling(guidance_rescale=0.7))
    assert _away(ours, theirs(pipeline, guidance_rescale=0.7)) <= TOLERANCE
    assert _away(ours, draw(pipeline, sampling())) > 0


@pytest.mark.parametrize(
    ("start", "end", "rows"),
    [(0.0, 1.0, [2, 2, 2, 2]), (0.0, 0.5, [2, 2, 1, 1]), (0.25, 0.75, [1, 2, 2, 1]), (0.9, 1.0, [1, 1, 1, 1])],
)
def test_outside_of_the_interval_a_pass_is_saved(pipeline: Any, start: float, end: float, rows: list[int]) -> None:
    seen: list[int] = []
    handle = pipeline.unet.register_forward_pre_hook(lambda _module, inputs: seen.append(len(inputs[0])))
    try:
        drawn = draw(pipeline, sampling(guidance_start=start, guidance_end=end))
    finally:
        handle.remove()
    assert seen == rows
    if rows == [1, 1, 1, 1]:
        assert _away(drawn, draw(pipeline, sampling(guidance_scale=1.0))) <= TOLERANCE
    elif rows == [2, 2, 2, 2]:
        assert _away(drawn, draw(pipeline, sampling())) == 0
    else:
        assert min(_away(drawn, draw(pipeline, sampling(guidance_scale=g))) for g in (1.0, 5.0)) > 0


def test_several_texts_outside_of_the_interval_keep_their_weights() -> None:
    whole = Conditioning(
        embeds=torch.zeros(3, 7, 8), guidance_scale=5.0, is_guided=True, weights=(1.0, 0.5), guidance_rescale=0.7
    )
    alone = unguided(whole)
    assert (alone.guidance_scale, alone.guidance_rescale, alone.is_guided) == (1.0, 0.0, True)
    assert alone.embeds is whole.embeds


@pytest.mark.parametrize("dialect", ["a1111", "compel"])
def test_clip_skip_agrees_with_diffusers(pipeline: Any, dialect: Any) -> None:
    """diffusers counts the layers that are left out; A1111 counts from 1, and for SDXL from its last but one."""
    deep = 3
    ours = draw(pipeline, sampling(prompt_dialect=dialect, clip_skip=deep))
    if _family(pipeline) == "sdxl":
        assert _away(ours, theirs(pipeline, clip_skip=deep - 2)) <= TOLERANCE
    else:  # diffusers' own looks for a layer that transformers 5 has elsewhere
        embeds = {"prompt_embeds": _skipped(pipeline, "a red cat"), "negative_prompt_embeds": _skipped(pipeline, "")}
        assert _away(ours, theirs(pipeline, None, **embeds)) <= TOLERANCE
    plain = draw(pipeline, sampling(prompt_dialect=dialect))
    assert _away(ours, plain) > 0
    second = draw(pipeline, sampling(prompt_dialect=dialect, clip_skip=2))
    assert (_away(second, plain) == 0) == (_family(pipeline) == "sdxl")


def test_more_layers_than_there_are_is_refused(pipeline: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        draw(pipeline, sampling(clip_skip=4))
    assert caught.value.details["field"] == "clip_skip"
