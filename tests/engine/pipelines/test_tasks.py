"""A family that runs through diffusers' own pipeline: a flow transformer of toy size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline, StableDiffusion3Img2ImgPipeline
from PIL import Image

from tests.engine.run_contexts import Recorder, bench_for, sampling
from tests.toys import save_sd3
from webui.engine.pipelines import tasks as pipelines
from webui.errors import Cancelled, InvalidRequest

FAMILY = "StableDiffusion3Pipeline"


@pytest.fixture(scope="module")
def sd3(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = save_sd3(tmp_path_factory.mktemp("sd3"))
    pipeline = DiffusionPipeline.from_pretrained(folder, text_encoder_3=None, tokenizer_3=None)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def sd3_image(sd3: Any) -> Any:
    return StableDiffusion3Img2ImgPipeline(**sd3.components)


def test_text_to_image_is_the_pipeline_s_own(sd3: Any) -> None:
    recorder = Recorder()
    scheduler = sd3.scheduler
    with bench_for(sd3, recorder, family=FAMILY) as run_context:
        (image,) = pipelines.text_to_image(sampling(), run_context, [0], sd3)
    theirs = sd3(
        "a red cat",
        width=64,
        height=64,
        num_inference_steps=4,
        guidance_scale=5.0,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="np",
    ).images[0]
    ours = np.frombuffer(image.rgb, np.uint8).reshape(64, 64, 3)
    assert np.abs(ours - (theirs * 255).round()).max() <= 1
    steps = [step for step in recorder.steps if step.phase == "denoise"]
    assert [(step.index, step.total) for step in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len({step.preview for step in steps} - {None}) == 4
    assert sd3.scheduler is scheduler


@pytest.mark.parametrize("size", [(64, 64), (72, 104)])
def test_image_to_image_gives_the_size_asked(sd3: Any, sd3_image: Any, size: tuple[int, int]) -> None:
    recorder = Recorder()
    picture = Image.new("RGB", (100, 90), (180, 40, 40))
    asked = sampling(task="image_to_image", width=size[0], height=size[1], denoising_strength=0.5)
    with bench_for(sd3, recorder, family=FAMILY) as run_context:
        (image,) = pipelines.image_to_image(asked, run_context, [0], sd3_image, picture)
    assert (image.width, image.height) == size
    assert [(s.index, s.total) for s in recorder.steps if s.phase == "denoise"] == [(1, 2), (2, 2)]


def test_strength_zero_keeps_and_a_weak_one_still_runs(sd3: Any, sd3_image: Any) -> None:
    picture = Image.new("RGB", (64, 64), (180, 40, 40))
    with bench_for(sd3, Recorder(), family=FAMILY) as run_context:
        asked = sampling(task="image_to_image", denoising_strength=0.0)
        (kept,) = pipelines.image_to_image(asked, run_context, [0], sd3_image, picture)
        asked = sampling(task="image_to_image", denoising_strength=0.01)
        (weak,) = pipelines.image_to_image(asked, run_context, [0], sd3_image, picture)
    assert kept.rgb == picture.tobytes()
    assert weak.info["steps"] in (1, 2)  # pipelines round differently


def test_strengths_between_whole_steps_have_their_own_noise(sd3: Any, sd3_image: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)

    def draw(strength: float, start: str = "exact") -> tuple[bytes, Any]:
        asked = sampling(task="image_to_image", denoising_strength=strength, denoising_start=start)
        with bench_for(sd3, Recorder(), family=FAMILY) as run_context:
            (image,) = pipelines.image_to_image(asked, run_context, [0], sd3_image, Image.fromarray(pixels))
        return image.rgb, image.info["steps"]

    for strength in (0.25, 0.5, 0.75):
        assert draw(strength) == draw(strength, "whole_step")
    found = {strength: draw(strength) for strength in (0.02, 0.1, 0.2, 0.3, 0.4, 0.9)}
    assert len({rgb for rgb, _ in found.values()}) == len(found)
    assert [steps for _, steps in found.values()] == [draw(strength, "whole_step")[1] for strength in found]
    distances = [np.abs(np.frombuffer(rgb, np.uint8) - pixels.ravel().astype(int)).mean() for rgb, _ in found.values()]
    assert distances[0] < distances[-1]


@pytest.mark.parametrize("choice", [{"scheduler": "dpmpp_2m"}, {"scheduler": "ddim"}])
def test_no_setting_is_ignored(sd3: Any, choice: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest), bench_for(sd3, Recorder(), family=FAMILY) as run_context:
        pipelines.text_to_image(sampling(**choice), run_context, [0], sd3)


def test_other_sigmas_change_the_picture(sd3: Any) -> None:
    with bench_for(sd3, Recorder(), family=FAMILY) as run_context:
        (plain,) = pipelines.text_to_image(sampling(), run_context, [0], sd3)
        (karras,) = pipelines.text_to_image(sampling(sigmas="karras"), run_context, [0], sd3)
    assert plain.rgb != karras.rgb


def test_stop_unwinds_the_pipeline_and_its_hooks(sd3: Any) -> None:
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 30:
            raise Cancelled

    scheduler = sd3.scheduler
    with pytest.raises(Cancelled), bench_for(sd3, Recorder(check=check), family=FAMILY) as run_context:
        pipelines.text_to_image(sampling(), run_context, [0], sd3)
    assert sd3.scheduler is scheduler
    assert not any(module._forward_pre_hooks for module in sd3.transformer.modules())
