"""What is left open, and by whom it is settled."""

from __future__ import annotations

import pytest

from webui.checkpoints.families import Defaults
from webui.engine.sampling import Sampling
from webui.errors import InvalidRequest
from webui.requests import ImageToImage, TextToImage

DEFAULTS = Defaults(width=256, height=128, steps=9, guidance_scale=3.0, scheduler="dpmpp_2m", sigmas="karras")


def test_the_checkpoint_settles_what_is_open() -> None:
    asked = Sampling.of(TextToImage(prompt="a", seed=5), DEFAULTS)
    assert (asked.width, asked.height, asked.steps, asked.guidance_scale) == (256, 128, 9, 3.0)
    assert (asked.scheduler, asked.sigmas, asked.denoising_strength) == ("dpmpp_2m", "karras", 1.0)
    assert [asked.seed_of(index) for index in (0, 2)] == [5, 7]


def test_what_is_said_stays() -> None:
    request = ImageToImage(
        prompt="a",
        seed=0,
        guidance_scale=0.0,
        scheduler="ddim",
        init_image="sha256:" + "0" * 64,
        denoising_strength=0.3,
    )
    asked = Sampling.of(request, DEFAULTS)
    assert (asked.guidance_scale, asked.scheduler, asked.denoising_strength) == (0.0, "ddim", 0.3)
    assert asked.sigmas == "default"  # Karras' belong to the default scheduler


@pytest.mark.parametrize("seed", [None, -1])
def test_a_seed_must_be_settled(seed: int | None) -> None:
    with pytest.raises(InvalidRequest):
        Sampling.of(TextToImage(prompt="a", seed=seed), DEFAULTS)
