"""Noise as NVIDIA's cards draw it, from its first number to a picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline

from tests.engine.run_contexts import Recorder, bench_for, sampling
from webui.engine.pictures.latents import slerp
from webui.engine.schedulers.make import UPDATE_RULES, make_scheduler
from webui.engine.unet import diffusion
from webui.engine.unet.noise import Between, NoiseSource, SeededNoise
from webui.engine.unet.philox import Philox
from webui.requests.diffusion import WalkEnd
from webui.schedulers import SCHEDULERS

# What `torch.randn((3, 4), device="cuda")` gives after `manual_seed(0)`, as A1111's modules/rng_philox.py notes it.
ON_A_CARD = [
    [-0.92466259, -0.42534415, -2.6438457, 0.14518388],
    [-0.12086647, -0.57972564, -0.62285122, -0.32838709],
    [-1.07454231, -0.36314407, -1.67105067, 2.26550497],
]
SHAPE = (4, 8, 8)
VARIED = {"variation_seed": 99, "variation_strength": 1.0}
ADDING = [known.id for known in SCHEDULERS if known.adds_noise and known.id in UPDATE_RULES]


def generator(seed: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed)


def test_the_first_numbers_are_those_of_a_card() -> None:
    assert torch.allclose(Philox(0).randn((3, 4)), torch.tensor(ON_A_CARD), atol=1e-7, rtol=1e-6)
    assert torch.equal(Philox(0).randn((12,)).reshape(3, 4), Philox(0).randn((3, 4)))


def test_numbers_are_normal_and_each_draw_and_seed_has_its_own() -> None:
    one, again = Philox(1234567890123), Philox(1234567890123)
    first, second = one.randn((4, 64, 64)), one.randn((4, 64, 64))
    assert torch.equal(again.randn((4, 64, 64)), first)
    assert (first.dtype, first.shape) == (torch.float32, (4, 64, 64))
    for drawn in (first, second, Philox(2**32 - 1).randn((4, 64, 64))):
        assert float(drawn.mean()) == pytest.approx(0, abs=0.03)
        assert float(drawn.std()) == pytest.approx(1, abs=0.03)
    for other in (second, Philox(1234567890123 % 2**32).randn((4, 64, 64))):
        assert abs(float((first * other).mean())) < 0.03


@pytest.mark.parametrize("name", ADDING)
def test_noise_on_the_way_is_the_next_of_the_seed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the same rule, in which every draw is replaced by the card's."""

    def through(source: NoiseSource | None) -> list[torch.Tensor]:
        scheduler = make_scheduler({"beta_schedule": "scaled_linear"}, name, steps=5)
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(0)
        moved = torch.randn(1, *SHAPE, generator=generator(0)) * scheduler.init_noise_sigma
        prediction = torch.randn(1, *SHAPE, generator=generator(1))
        seen = []
        for t in scheduler.timesteps:
            scheduler.scale_model_input(moved, t)
            if source is None:
                moved = scheduler.step(prediction, t, moved, return_dict=False)[0]
            else:
                moved = source.step(scheduler, prediction, t, moved)
            seen.append(moved)
        return seen

    found = through(NoiseSource([Philox(7)]))
    card, draws = Philox(7), []

    def drawn(shape: Any, **_: Any) -> torch.Tensor:
        draws.append(shape)
        return card.randn(tuple(shape)[1:])[None]

    for module in [one for of, one in sys.modules.items() if "schedul" in of and hasattr(one, "randn_tensor")]:
        monkeypatch.setattr(module, "randn_tensor", drawn)
    expected = through(None)
    assert draws, "it adds noise"
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.abs().max()))


def test_images_of_one_batch_draw_as_each_alone() -> None:
    """Also where some are mixed of two seeds and others are not, as along a walk."""

    def noises(*picked: int) -> list[SeededNoise]:
        made = [Philox(1), Between(Philox(1), Philox(2), 0.5), generator(1), Between(generator(1), generator(2), 0.5)]
        return [made[index] for index in picked]

    def through(rows: list[SeededNoise]) -> torch.Tensor:
        scheduler = make_scheduler({"beta_schedule": "scaled_linear"}, "euler_a", steps=4)
        scheduler.set_begin_index(0)
        source = NoiseSource(rows)
        moved = source.initial(SHAPE, torch.device("cpu")) * scheduler.init_noise_sigma
        for t in scheduler.timesteps:
            moved = source.step(scheduler, 0.1 * moved, t, moved)
        return moved

    together = through(noises(0, 1, 2, 3))
    for index in range(4):
        alone = through(noises(index))[0]
        assert torch.allclose(together[index], alone, rtol=1e-3, atol=1e-3), index


def test_between_two_seeds_lies_what_both_would_draw() -> None:
    mixed = NoiseSource([Between(Philox(1), Philox(2), 0.3)]).initial(SHAPE, torch.device("cpu"))
    assert torch.equal(mixed, slerp(Philox(1).randn(SHAPE)[None], Philox(2).randn(SHAPE)[None], 0.3))


def test_a_variation_begins_between_two_seeds_and_goes_on_with_the_first() -> None:
    """As in A1111's `ImageRNG`."""
    source = NoiseSource.of(sampling(seed=7, noise_source="nv", variation_seed=9, variation_strength=0.4), [0])
    begun = source.initial(SHAPE, torch.device("cpu"))
    seed = Philox(7)
    assert torch.equal(begun, slerp(seed.randn(SHAPE)[None], Philox(9).randn(SHAPE)[None], 0.4))

    def step(source: NoiseSource) -> torch.Tensor:
        scheduler = make_scheduler({"beta_schedule": "scaled_linear"}, "euler_a", steps=4)
        scheduler.set_begin_index(0)
        latents = begun * scheduler.init_noise_sigma
        return source.step(scheduler, 0.1 * latents, scheduler.timesteps[0], latents)

    assert torch.equal(step(source), step(NoiseSource([seed])))


@pytest.mark.parametrize("scheduler", ["euler", "euler_a"])
def test_pictures_begin_with_it(toy_models: Path, scheduler: str) -> None:
    pipeline = DiffusionPipeline.from_pretrained(toy_models / "toy-sd15")

    def draw(**values: Any) -> bytes:
        with bench_for(pipeline, Recorder(), family="sd15") as run_context:
            return diffusion.text_to_image(sampling(scheduler=scheduler, **values), run_context, [0])[0].rgb

    card, again, plain = draw(noise_source="nv"), draw(noise_source="nv"), draw()
    assert card == again
    assert card != plain
    varied, other = (draw(noise_source="nv", **values) for values in (VARIED, {"seed": 99}))
    assert (varied == other) == (scheduler == "euler")  # Euler a goes on with the first seed's noise
    walked = draw(noise_source="nv", walk_to=WalkEnd(prompt="a lake", seed=99), num_images=3)
    assert np.frombuffer(walked, np.uint8).std() > 0
