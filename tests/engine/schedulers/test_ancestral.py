"""Ancestral rules with an eta: diffusers' own at 1, the rule without noise at 0."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from diffusers import (
    EulerAncestralDiscreteScheduler,
    KDPM2AncestralDiscreteScheduler,
    KDPM2DiscreteScheduler,
    TCDScheduler,
)
from torch import Tensor

from webui.engine.schedulers.ancestral import up_and_down
from webui.engine.schedulers.make import make_scheduler

CONFIG = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "timestep_spacing": "linspace"}
START = torch.linspace(-1, 1, 4 * 8 * 8).reshape(1, 4, 8, 8)


def run(scheduler: Any, prediction_type: str = "epsilon") -> Tensor:
    """The end of a run with a network of which only one thing matters here: that it is smooth."""
    scheduler = copy.deepcopy(scheduler)
    scheduler.set_begin_index(0)
    generator = torch.Generator().manual_seed(0)
    source = {"generator": generator} if "ncestral" in type(scheduler).__name__ else {}
    latents = START * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        seen = scheduler.scale_model_input(latents, t)
        out = torch.sin(seen) if prediction_type == "epsilon" else 0.5 * torch.cos(seen)
        latents = scheduler.step(out, t, latents, return_dict=False, **source)[0]
    return latents


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
@pytest.mark.parametrize(
    ("name", "theirs"),
    [("euler_a", EulerAncestralDiscreteScheduler), ("dpm2_a", KDPM2AncestralDiscreteScheduler)],
)
def test_eta_one_is_diffusers_own(name: str, theirs: Any, prediction_type: str) -> None:
    own = theirs.from_config({**CONFIG, "prediction_type": prediction_type})
    own.set_timesteps(8)
    for eta in (None, 1.0):
        made = make_scheduler(CONFIG, name, steps=8, eta=eta, prediction_type=prediction_type)
        assert torch.equal(run(made, prediction_type), run(own, prediction_type))


@pytest.mark.parametrize(
    ("name", "theirs"), [("dpm2", KDPM2DiscreteScheduler), ("dpm2_a", KDPM2AncestralDiscreteScheduler)]
)
def test_no_trained_timestep_is_worked_out_in_vain(name: str, theirs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = []
    sigma_to_t = theirs._sigma_to_t

    def counted(self: Any, *arguments: Any) -> Any:
        looked_up.append(arguments)
        return sigma_to_t(self, *arguments)

    monkeypatch.setattr(theirs, "_sigma_to_t", counted)
    made = make_scheduler(CONFIG, name, steps=8)
    assert 0 < len(looked_up) < 50  # diffusers' constructor alone takes a thousand, half a second
    own = theirs.from_config(CONFIG)
    own.set_timesteps(8)
    assert torch.equal(made.timesteps, own.timesteps)
    assert torch.equal(run(made), run(own))


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("sigmas", ["default", "karras"])
def test_euler_a_without_noise_is_euler(sigmas: str, prediction_type: str) -> None:
    made = make_scheduler(CONFIG, "euler_a", sigmas, steps=8, eta=0.0, prediction_type=prediction_type)
    euler = make_scheduler(CONFIG, "euler", sigmas, steps=8, prediction_type=prediction_type)
    assert torch.allclose(run(made, prediction_type), run(euler, prediction_type), atol=1e-4)


def test_dpm2_a_without_noise_is_dpm2() -> None:
    made, dpm2 = make_scheduler(CONFIG, "dpm2_a", steps=40, eta=0.0), make_scheduler(CONFIG, "dpm2", steps=40)
    noisy = make_scheduler(CONFIG, "dpm2_a", steps=40)
    assert (run(made) - run(dpm2)).abs().mean() < 0.1 * (run(noisy) - run(dpm2)).abs().mean()


def test_ddim_at_eta_one_starts_from_pure_noise() -> None:
    """Zero terminal SNR (Lin et al. 2024): the first step replaces all noise, and rounding must not ask for more."""
    config = {
        **CONFIG,
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": True,
        "timestep_spacing": "trailing",
    }
    for steps in range(1, 31):
        made = make_scheduler(config, "ddim", steps=steps, eta=1.0)
        generator, latents = torch.Generator().manual_seed(0), START
        for t in made.timesteps:
            latents = made.step(torch.sin(latents), t, latents, generator=generator, return_dict=False)[0]
        assert torch.isfinite(latents).all(), steps


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("steps", [1, 2, 4, 8])
@pytest.mark.parametrize("eta", [None, 0.0, 0.3, 1.0])
def test_tcd_is_diffusers_own(eta: float | None, steps: int, prediction_type: str) -> None:
    own = TCDScheduler.from_config({**CONFIG, "prediction_type": prediction_type})
    own.set_timesteps(steps)
    made = make_scheduler(CONFIG, "tcd", steps=steps, eta=eta, prediction_type=prediction_type)
    assert torch.equal(made.timesteps, own.timesteps)
    share = {} if eta is None else {"eta": eta}
    ends = []
    for scheduler, told in ((own, share), (made, {})):
        generator, latents = torch.Generator().manual_seed(0), START
        for t in scheduler.timesteps:
            out = torch.sin(latents)
            latents = scheduler.step(out, t, latents, generator=generator, return_dict=False, **told)[0]
        ends.append(latents)
    assert torch.equal(*ends)


@pytest.mark.parametrize("name", ["euler_a", "dpm2_a"])
def test_more_eta_leads_further_away(name: str) -> None:
    ends = [run(make_scheduler(CONFIG, name, steps=8, eta=eta)) for eta in (0.0, 0.3, 0.6, 1.0)]
    away = [float((end - ends[0]).abs().mean()) for end in ends]
    assert away == sorted(away)
    assert len(set(away)) == 4


def test_up_and_down_together_are_the_sigma_to_reach() -> None:
    high, low = torch.tensor([14.6, 3.0, 0.5]), torch.tensor([6.5, 0.2, 0.4])
    for eta in (0.0, 0.5, 1.0):
        up, down = up_and_down(high, low, eta)
        assert torch.allclose(up**2 + down**2, low**2)
        assert (up >= 0).all()
    assert torch.equal(up_and_down(high, low, 0.0)[1], low)
