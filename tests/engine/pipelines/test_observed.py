"""A scheduler that says what its steps worked with is the scheduler that it was."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor

from webui.engine.pipelines.observed import SchedulerStep, observed
from webui.engine.schedulers.make import UPDATE_RULES, make_scheduler

CONFIG = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def run(scheduler: Any) -> Tensor:
    """Five steps of a network that predicts a share of what it sees."""
    latents = torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(1)) * scheduler.init_noise_sigma
    accepted = inspect.signature(scheduler.step).parameters
    chance = {"generator": torch.Generator().manual_seed(2)} if "generator" in accepted else {}
    for t in scheduler.timesteps:
        seen = scheduler.scale_model_input(latents, t)
        latents = scheduler.step(seen * 0.5, t, latents, **chance, return_dict=False)[0]
    return latents


@pytest.mark.parametrize("name", UPDATE_RULES)
def test_it_steps_as_the_one_that_it_was_made_from(name: str) -> None:
    steps: list[SchedulerStep] = []
    plain, made = (make_scheduler(CONFIG, name, steps=5) for _ in range(2))
    watched = observed(made, steps.append)
    assert isinstance(watched, type(made))
    assert inspect.signature(watched.step) == inspect.signature(plain.step)
    assert torch.equal(run(watched), run(plain))
    assert [float(step.timestep) for step in steps] == [float(t) for t in plain.timesteps]
    assert torch.equal(steps[-1].result[0], run(make_scheduler(CONFIG, name, steps=5)))


@pytest.mark.parametrize("eta", [0.0, 0.5])
@pytest.mark.parametrize("name", ["ddim", "euler_a"])
def test_an_eta_that_was_chosen_is_kept(name: str, eta: float) -> None:
    plain, made = (make_scheduler(CONFIG, name, steps=5, eta=eta) for _ in range(2))
    assert torch.equal(run(observed(made, lambda _step: None)), run(plain))


def test_a_flow_s_estimate_is_the_picture_that_it_came_from() -> None:
    clean, noise = torch.randn(2, 1, 4, 4, 4, generator=torch.Generator().manual_seed(1)).unbind()
    steps: list[SchedulerStep] = []
    scheduler = observed(FlowMatchEulerDiscreteScheduler(), steps.append)
    scheduler.set_timesteps(4)
    latents = noise
    for t in scheduler.timesteps:
        latents = scheduler.step(noise - clean, t, latents).prev_sample
        assert torch.allclose(steps[-1].denoised(), clean, atol=1e-5)
