"""Pictures of the starter say what the prompt says; only what holds for every seed is asked here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline
    from numpy.typing import NDArray

SEEDS = (11, 12)
SIZE = 256  # pixels
STEPS = 6
pytestmark = [pytest.mark.native_bf16, pytest.mark.filterwarnings("ignore")]  # deprecations inside the libraries


def draw(pipeline: StableDiffusionPipeline, prompt: str) -> NDArray[np.float64]:
    """A picture for each seed, (2, SIZE, SIZE, 3) in [0, 1]."""
    generators = [torch.Generator().manual_seed(seed) for seed in SEEDS]
    pictures = pipeline(
        [prompt] * len(SEEDS),
        width=SIZE,
        height=SIZE,
        num_inference_steps=STEPS,
        guidance_scale=4.0,
        generator=generators,
        output_type="np",
    ).images
    return np.asarray(pictures, np.float64)


def saturation(pictures: NDArray[np.float64]) -> float:
    """Mean distance of the largest from the smallest channel."""
    return float((pictures.max(axis=-1) - pictures.min(axis=-1)).mean())


def test_night_is_darker_than_day(starter_pipeline: StableDiffusionPipeline) -> None:
    night, day = draw(starter_pipeline, "mountains at night"), draw(starter_pipeline, "mountains during the day")
    assert night.mean() < day.mean() - 0.15


def test_chinese_is_understood_too(starter_pipeline: StableDiffusionPipeline) -> None:
    night, day = draw(starter_pipeline, "夜晚的湖泊"), draw(starter_pipeline, "白天的湖泊")
    assert night.mean() < day.mean() - 0.15


def test_a_sunset_is_warmer_than_the_day(starter_pipeline: StableDiffusionPipeline) -> None:
    sunset, day = draw(starter_pipeline, "beach at sunset"), draw(starter_pipeline, "beach at noon, clear sky")
    warmth = [float((pictures[..., 0] - pictures[..., 2]).mean()) for pictures in (sunset, day)]
    assert warmth[0] > warmth[1] + 0.1


def test_ink_has_less_colour(starter_pipeline: StableDiffusionPipeline) -> None:
    ink, flat = draw(starter_pipeline, "ink drawing of a meadow"), draw(starter_pipeline, "meadow, flat illustration")
    assert saturation(ink) < saturation(flat) - 0.1


def test_seeds_differ(starter_pipeline: StableDiffusionPipeline) -> None:
    pictures = draw(starter_pipeline, "a village")
    assert np.abs(pictures[0] - pictures[1]).mean() > 0.03
