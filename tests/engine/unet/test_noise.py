"""Variations of a picture, and walks from one to another: what happens to the noise and to the embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from PIL import Image

from tests.engine.run_contexts import Recorder, bench_for, sampling
from webui.engine.pictures.latents import slerp
from webui.engine.sampling import Sampling
from webui.engine.schedulers.make import UPDATE_RULES, make_scheduler
from webui.engine.unet import diffusion
from webui.engine.unet.noise import Between, NoiseSource
from webui.errors import InvalidRequest
from webui.requests.diffusion import WalkEnd
from webui.schedulers import SCHEDULERS
from webui.worker.messages import RawImage

TOLERANCE = 2


@pytest.fixture(scope="module", params=["toy-sd15", "toy-sdxl"])
def pipeline(request: pytest.FixtureRequest, toy_models: Path) -> Any:
    return DiffusionPipeline.from_pretrained(toy_models / request.param)


def draw(pipeline: Any, asked: Sampling, indices: list[int] | None = None) -> list[RawImage]:
    family = "sdxl" if hasattr(pipeline, "text_encoder_2") else "sd15"
    with bench_for(pipeline, Recorder(), family=family) as run_context:
        return diffusion.text_to_image(asked, run_context, indices or [0])


def _away(one: RawImage, other: RawImage) -> float:
    pixels = [np.frombuffer(image.rgb, np.uint8).astype(int) for image in (one, other)]
    return float(np.abs(pixels[0] - pixels[1]).max())


def test_slerp_stays_on_the_sphere_and_keeps_its_ends() -> None:
    one, other = torch.randn(2, 2, 4, 16, 16, generator=torch.Generator().manual_seed(0)).unbind()
    assert slerp(one, other, 0.0) is one
    assert slerp(one, other, 1.0) is other
    for share in (0.1, 0.5, 0.9):
        mixed = slerp(one, other, share)
        assert mixed.std() == pytest.approx(1.0, abs=0.05)  # a straight line would fall to 0.71
        assert torch.allclose(mixed[1:], slerp(one[1:], other[1:], share))  # each image by itself
    assert torch.allclose(slerp(one, one, 0.3), one, atol=1e-6)
    assert torch.allclose(slerp(one, -one, 0.5).abs(), torch.zeros_like(one), atol=1.0)


@pytest.mark.parametrize("scheduler", ["dpmpp_2m", "euler_a"])
def test_a_variation_moves_from_one_seed_to_the_other(pipeline: Any, scheduler: str) -> None:
    """Also where fresh noise on the way decides more than what a picture begins with."""

    def varied(strength: float) -> RawImage:
        return draw(pipeline, sampling(scheduler=scheduler, variation_seed=99, variation_strength=strength))[0]

    (own,) = draw(pipeline, sampling(scheduler=scheduler))
    (others,) = draw(pipeline, sampling(scheduler=scheduler, seed=99))
    moved = [varied(strength) for strength in (0.0, 0.05, 0.5, 1.0)]
    assert moved[0].rgb == own.rgb
    assert moved[3].rgb == others.rgb
    assert np.abs(np.frombuffer(moved[1].rgb, np.uint8).astype(int) - np.frombuffer(own.rgb, np.uint8)).mean() > 0
    assert _away(moved[1], own) < _away(moved[2], own)
    assert [image.seed for image in moved] == [7] * 4
    assert moved[2].info["variation_seed"] == 99
    assert "variation_seed" not in moved[0].info


@pytest.mark.parametrize("scheduler", ["dpmpp_2m", "euler_a"])
def test_variations_share_the_seed_and_count_their_own(pipeline: Any, scheduler: str) -> None:
    asked = sampling(variation_seed=2**32 - 1, variation_strength=0.3, num_images=2, scheduler=scheduler)
    first, second = draw(pipeline, asked, [0, 1])
    assert [first.seed, second.seed] == [7, 7]
    assert [first.info["variation_seed"], second.info["variation_seed"]] == [2**32 - 1, 0]
    (alone,) = draw(pipeline, sampling(variation_seed=0, variation_strength=0.3, scheduler=scheduler))
    assert _away(second, alone) <= TOLERANCE
    assert _away(first, alone) > TOLERANCE


def test_a_picture_is_varied_too(pipeline: Any) -> None:
    photo = Image.linear_gradient("L").resize((64, 64)).convert("RGB")

    def redraw(strength: float) -> RawImage:
        asked = sampling(task="image_to_image", denoising_strength=0.75, variation_seed=1, variation_strength=strength)
        family = "sdxl" if hasattr(pipeline, "text_encoder_2") else "sd15"
        with bench_for(pipeline, Recorder(), family=family) as run_context:
            return diffusion.image_to_image(asked, run_context, [0], photo)[0]

    assert _away(redraw(0.0), redraw(0.5)) > TOLERANCE


def walk(pipeline: Any, end: WalkEnd, **values: Any) -> list[RawImage]:
    asked = sampling(walk_to=end, num_images=3, negative_prompt="dog", **values)
    return [draw(pipeline, asked, [index])[0] for index in range(3)]


@pytest.mark.parametrize("scheduler", ["euler", "dpmpp_2m", "euler_a", "dpmpp_2m_sde", "lcm", "tcd"])
def test_a_walk_ends_at_both_pictures(pipeline: Any, scheduler: str) -> None:
    end = WalkEnd(prompt="a lake at night", negative_prompt="photo", seed=99)
    first, middle, last = walk(pipeline, end, scheduler=scheduler)
    (one,) = draw(pipeline, sampling(scheduler=scheduler, negative_prompt="dog"))
    (other,) = draw(pipeline, sampling(scheduler=scheduler, prompt="a lake at night", negative_prompt="photo", seed=99))
    assert first.rgb == one.rgb
    assert last.rgb == other.rgb
    assert min(_away(middle, one), _away(middle, other)) > TOLERANCE
    assert [image.seed for image in (first, middle, last)] == [7, 7, 99]
    assert [image.info["walked"] for image in (first, middle, last)] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("scheduler", ["dpmpp_2m", "dpmpp_2m_sde"])
def test_a_walk_between_variations_and_longer_prompts(pipeline: Any, scheduler: str) -> None:
    long = "a red cat on a lake at night, " * 12
    end = WalkEnd(prompt=long, seed=99, variation_seed=3, variation_strength=0.2)
    values: dict[str, Any] = {"variation_seed": 1, "variation_strength": 0.1, "scheduler": scheduler}
    first, middle, last = walk(pipeline, end, **values)
    (one,) = draw(pipeline, sampling(negative_prompt="dog", **values))
    (other,) = draw(
        pipeline,
        sampling(prompt=long, seed=99, variation_seed=3, variation_strength=0.2, scheduler=scheduler),
    )
    assert (first.rgb, last.rgb) == (one.rgb, other.rgb)
    assert min(_away(middle, one), _away(middle, other)) > TOLERANCE


def test_steps_of_a_walk_are_small_where_there_are_many(pipeline: Any) -> None:
    asked = sampling(walk_to=WalkEnd(prompt="a red cat", seed=99), num_images=16)
    frames = [draw(pipeline, asked, [index])[0] for index in (0, 1, 15)]
    pixels = [np.frombuffer(frame.rgb, np.uint8).astype(int) for frame in frames]
    assert np.abs(pixels[1] - pixels[0]).mean() < 0.5 * np.abs(pixels[2] - pixels[0]).mean()


@pytest.mark.parametrize("name", [known.id for known in SCHEDULERS if known.adds_noise and known.id in UPDATE_RULES])
def test_noise_on_the_way_lies_between_that_of_both_ends(name: str) -> None:
    """Against the same rule with one generator that gives what lies between: the first noise that it draws."""
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    prediction = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))

    def walk_through(source: NoiseSource) -> list[torch.Tensor]:
        scheduler = make_scheduler({"beta_schedule": "scaled_linear"}, name, steps=6)
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(0)
        moved, seen = latents * scheduler.init_noise_sigma, []
        for t in scheduler.timesteps:
            scheduler.scale_model_input(moved, t)
            moved = source.step(scheduler, prediction, t, moved)
            seen.append(moved)
        return seen

    def generator(seed: int) -> torch.Generator:
        return torch.Generator("cpu").manual_seed(seed)

    one, other = walk_through(NoiseSource([generator(1)])), walk_through(NoiseSource([generator(2)]))
    same = walk_through(NoiseSource([Between(generator(1), generator(1), 0.5)]))
    shares = (1e-6, 0.5, 1 - 1e-6)
    between = [walk_through(NoiseSource([Between(generator(1), generator(2), share)])) for share in shares]
    for step in range(len(one)):
        assert torch.allclose(between[0][step], one[step], rtol=1e-3, atol=1e-3 * float(one[0].abs().max()))
        assert torch.allclose(between[2][step], other[step], rtol=1e-3, atol=1e-3 * float(one[0].abs().max()))
        assert torch.allclose(same[step], one[step], rtol=1e-4, atol=1e-3)
    assert min(float((between[1][-1] - end[-1]).abs().mean()) for end in (one, other)) > 1e-3


def test_ends_of_other_make_cannot_be_walked_between(pipeline: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        walk(pipeline, WalkEnd(prompt="a cat AND a dog", seed=1))
    assert caught.value.details["reason"] == "walk_of_other_parts"
