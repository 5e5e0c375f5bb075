"""Where each rule begins with a picture: at the noise of the strength that is asked for, and it arrives from there."""

from __future__ import annotations

import inspect
import itertools
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler
from torch import Tensor

from tests.engine.schedulers.test_make import ALIGNED, ANSWER, CHOICES, ORDINARY, ZERO_SNR
from webui.engine.schedulers.make import (
    LARGEST_FINITE_SIGMA,
    denoised_estimate,
    make_scheduler,
    signal_and_noise,
    steps_after_calls,
)
from webui.engine.schedulers.start import begin_flow_between, between, start_late

TRAINED = DDIMScheduler.from_config(ORDINARY).alphas_cumprod
PLAIN = [name for name, sigmas in CHOICES if sigmas == "default"]


def made(name: str, sigmas: str = "default", steps: int = 4, config: dict[str, Any] = ORDINARY) -> Any:
    return make_scheduler(config, name, sigmas, steps=steps, align_your_steps=ALIGNED)


def begun(name: str, strength: float, *, is_exact: bool = True, **how: Any) -> tuple[Any, Tensor]:
    scheduler = made(name, **how)
    return scheduler, start_late(scheduler, strength, is_exact=is_exact)


def first_sigma(scheduler: Any, timesteps: Tensor) -> float:
    """Noise over signal of what the scheduler makes of a picture."""
    one = torch.ones(1, 1, 1, 1)
    noise = float(scheduler.add_noise(0 * one, one, timesteps[:1]))
    return noise / float(scheduler.add_noise(one, 0 * one, timesteps[:1]))


def sigma_at(name: str, strength: float, **how: Any) -> float:
    return first_sigma(*begun(name, strength, **how))


@pytest.mark.parametrize(("name", "sigmas"), CHOICES)
def test_whole_steps_begin_as_ever(name: str, sigmas: str) -> None:
    for steps, strength in ((4, 0.25), (4, 0.5), (4, 0.75), (20, 0.35), (20, 0.6), (10, 0.1), (100, 0.29)):
        exact, timesteps = begun(name, strength, sigmas=sigmas, steps=steps)
        whole, expected = begun(name, strength, sigmas=sigmas, steps=steps, is_exact=False)
        assert torch.equal(timesteps, expected)
        assert timesteps.dtype == expected.dtype
        for table in ("sigmas", "alphas_cumprod", "timesteps"):
            assert torch.equal(getattr(exact, table, timesteps), getattr(whole, table, timesteps))


@pytest.mark.parametrize(("name", "sigmas"), CHOICES)
def test_between_two_steps_the_first_sigma_lies_between_theirs(name: str, sigmas: str) -> None:
    lower, upper = (sigma_at(name, whole, sigmas=sigmas) for whole in (0.5, 0.75))
    for share in (0.1, 0.5, 0.9):
        found = sigma_at(name, 0.5 + 0.25 * share, sigmas=sigmas)
        assert found == pytest.approx(lower + share * (upper - lower), rel=2e-3)
    scheduler, _ = begun(name, 1.0, sigmas=sigmas)
    end = float(scheduler.sigmas[-1]) if hasattr(scheduler, "sigmas") else 0.0
    one = sigma_at(name, 0.25, sigmas=sigmas)
    for share in (0.08, 0.5, 0.9):  # set_alpha_to_one, so that there is no noise at the end
        found = sigma_at(name, 0.25 * share, sigmas=sigmas)
        assert found == pytest.approx(end + share * (one - end), rel=2e-3)


@pytest.mark.parametrize("name", PLAIN)
def test_as_many_steps_run_as_before(name: str) -> None:
    for steps, strength in ((4, 0.02), (4, 0.3), (4, 0.49), (4, 0.99), (20, 0.33), (1, 0.5), (3, 0.9)):
        _, timesteps = begun(name, strength, steps=steps)
        whole, before = begun(name, strength, steps=steps, is_exact=False)
        assert steps_after_calls(whole, len(timesteps))[-1] == steps_after_calls(whole, len(before))[-1]
        assert bool((timesteps[:-1] + 1e-2 >= timesteps[1:]).all()) or name == "pndm"  # which repeats its strides


@pytest.mark.parametrize(("name", "sigmas"), CHOICES)
def test_the_network_hears_how_much_noise_there_is(name: str, sigmas: str) -> None:
    for strength in (0.13, 0.3, 0.62, 0.9):
        scheduler, timesteps = begun(name, strength, sigmas=sigmas)
        signal, noise = signal_and_noise(TRAINED, float(timesteps[0]))
        smallest = ((1 - TRAINED[0]) / TRAINED[0]) ** 0.5
        assert noise / signal == pytest.approx(max(first_sigma(scheduler, timesteps), float(smallest)), rel=1e-3)


def drawn_over(name: str, sigmas: str, steps: int, strength: float) -> Tensor:
    """What a run makes of ANSWER under noise, with a network that sees it; checks the estimates on the way."""
    scheduler, timesteps = begun(name, strength, sigmas=sigmas, steps=steps)
    generator = torch.Generator().manual_seed(1)
    source = {"generator": generator} if "generator" in inspect.signature(scheduler.step).parameters else {}
    latents = scheduler.add_noise(ANSWER, torch.randn(ANSWER.shape, generator=generator), timesteps[:1])
    for t in timesteps:
        seen = scheduler.scale_model_input(latents, t)
        signal, noise = signal_and_noise(TRAINED, float(t))
        epsilon = (seen - signal * ANSWER) / max(noise, 1e-6)
        assert (denoised_estimate(scheduler, seen, epsilon, float(t)) - ANSWER).abs().max() < 0.05
        latents = scheduler.step(epsilon, t, latents, return_dict=False, **source)[0]
    return latents


@pytest.mark.parametrize(("name", "sigmas"), CHOICES)
@pytest.mark.parametrize(("steps", "strength"), [(4, 0.1), (4, 0.74), (4, 0.99), (20, 0.33)])
def test_it_arrives(name: str, sigmas: str, steps: int, strength: float) -> None:
    away = (drawn_over(name, sigmas, steps, strength) - ANSWER).abs().max()
    noise = torch.randn(ANSWER.shape, generator=torch.Generator().manual_seed(1)).abs().max()
    smallest = (
        (1 - TRAINED[0]) / TRAINED[0]
    ) ** 0.5  # that the network was ever shown: DEIS ends there, at any strength
    assert away < 1.05 * smallest * noise


@pytest.mark.parametrize("name", PLAIN)
def test_more_strength_is_more_noise(name: str) -> None:
    found = [sigma_at(name, strength / 100) for strength in range(1, 100)]
    assert all(before <= after for before, after in itertools.pairwise(found))
    assert len(set(found)) > (70 if name == "pndm" else 95)  # PLMS begins in one place at two numbers of steps


@pytest.mark.parametrize("name", PLAIN)
def test_noise_without_bounds_counts_as_the_largest_that_says_something(name: str) -> None:
    found = sigma_at(name, 0.9, config=ZERO_SNR)
    below = sigma_at(name, 0.75, config=ZERO_SNR)
    assert found == pytest.approx(below + 0.6 * (LARGEST_FINITE_SIGMA - below), rel=0.05)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_a_flow_begins_between_its_sigmas(shift: float) -> None:
    def cut(strength: float) -> FlowMatchEulerDiscreteScheduler:
        """As diffusers' pipelines do it."""
        scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
        begin_flow_between(scheduler, strength)
        scheduler.set_timesteps(4)
        skipped = int(4 - 4 * strength)
        timesteps = scheduler.timesteps[skipped:]
        scheduler.set_begin_index(skipped)
        scheduler.set_begin_index(skipped)
        assert torch.allclose(timesteps, 1000 * scheduler.sigmas[skipped:-1])
        assert bool((scheduler.sigmas[:-1] > scheduler.sigmas[1:]).all())
        return scheduler

    whole = cut(0.5).sigmas
    assert cut(0.4).sigmas[2] == pytest.approx(float(torch.lerp(whole[3], whole[2], 0.6)))
    assert cut(0.7).sigmas[1] == pytest.approx(float(torch.lerp(whole[2], whole[1], 0.8)))
    assert cut(0.1).sigmas[3] == pytest.approx(0.4 * float(whole[3]))


def test_the_sigma_between() -> None:
    assert between(3.0, 9.0, 4.0, 0.0) == 4.0
    assert between(1.75, float("inf"), 4.0, 0.0) == 4.0 + 0.75 * (LARGEST_FINITE_SIGMA - 4.0)
    assert between(0.5, 9.0, 4.0, 0.03) == pytest.approx(2.015)
