"""Strengths between two whole numbers of steps: each its own picture, in as many steps as before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from diffusers import DiffusionPipeline
from PIL import Image

from tests.engine.run_contexts import Recorder, bench_for, sampling
from tests.toys import save_sd15
from webui.engine.pictures.redraw import Redraw
from webui.engine.unet import diffusion

SCHEDULERS = [
    "euler",
    "euler_a",
    "dpmpp_2m",
    "dpmpp_sde",
    "heun",
    "dpm2_a",
    "lms",
    "unipc",
    "ddim",
    "pndm",
    "lcm",
    "tcd",
]


@pytest.fixture(scope="module")
def sd15(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return DiffusionPipeline.from_pretrained(save_sd15(tmp_path_factory.mktemp("sd15")))


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((64, 64), Image.Resampling.BICUBIC)


def draw(pipeline: Any, photo: Image.Image, strength: float, mask: np.ndarray | None = None, **how: Any) -> Any:
    """Pixels, and how many steps they took."""
    redraw = Redraw(has_mask=mask is not None, mask_blur=0)
    asked = sampling(task="image_to_image", denoising_strength=strength, redraw=redraw, **how)
    recorder = Recorder()
    with bench_for(pipeline, recorder) as run_context:
        (image,) = diffusion.image_to_image(asked, run_context, [0], photo, mask)
    steps = [step.total for step in recorder.steps if step.phase == "denoise"]
    assert steps == [image.info["steps"]] * len(steps)
    return np.frombuffer(image.rgb, np.uint8).reshape(64, 64, 3).astype(int), len(steps)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_each_strength_has_its_own_picture(sd15: Any, photo: Image.Image, scheduler: str) -> None:
    found = [draw(sd15, photo, strength, scheduler=scheduler) for strength in (0.02, 0.14, 0.25, 0.3, 0.45)]
    assert [steps for _, steps in found] == [1] * 5
    pixels = [picture.tobytes() for picture, _ in found]
    assert len(set(pixels)) == 5
    before = [draw(sd15, photo, s, scheduler=scheduler, denoising_start="whole_step")[0] for s in (0.02, 0.14, 0.25)]
    assert {picture.tobytes() for picture in before} == {pixels[2]}


@pytest.mark.parametrize("scheduler", ["euler", "ddim", "dpm2", "pndm"])
def test_a_masked_place_begins_there_too(sd15: Any, photo: Image.Image, scheduler: str) -> None:
    mask = np.zeros((64, 64), np.float32)
    mask[:, 32:] = 1
    found = [draw(sd15, photo, strength, mask, scheduler=scheduler)[0] for strength in (0.5, 0.55, 0.6, 0.75)]
    for picture in found:
        assert np.array_equal(picture[:, :32], np.asarray(photo)[:, :32])
    assert len({picture.tobytes() for picture in found}) == (3 if scheduler == "pndm" else 4)  # see `start_late`


def test_one_step_alone_keeps_as_much_as_its_strength_says(sd15: Any, photo: Image.Image) -> None:
    everything = np.ones((64, 64), np.float32)
    for strength in (0.1, 0.9):
        plain, _ = draw(sd15, photo, strength, steps=1)
        masked, steps = draw(sd15, photo, strength, everything, steps=1)
        assert steps == 1
        assert np.abs(masked - plain).max() <= 2  # of 255
