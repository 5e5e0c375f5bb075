"""Each rule against a network that knows the answer: whatever the noise schedule, it must find it."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler
from diffusers.schedulers import AysSchedules

from webui.checkpoints.families import FAMILIES
from webui.engine.schedulers.make import (
    UPDATE_RULES,
    denoised_estimate,
    make_scheduler,
    signal_and_noise,
    steps_after_calls,
)
from webui.engine.schedulers.sigmas import OWN_SPACINGS
from webui.errors import InvalidRequest
from webui.schedulers import RANGED_SIGMAS, SCHEDULERS, SIGMAS, adds_noise, scheduler_named

BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
ORDINARY = {**BETAS, "steps_offset": 1, "set_alpha_to_one": True, "timestep_spacing": "leading"}
ZERO_SNR = {**BETAS, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "set_alpha_to_one": True}
ALIGNED = FAMILIES["sd15"].align_your_steps
ANSWER = torch.linspace(-1, 1, 4 * 8 * 8).reshape(1, 4, 8, 8)

CHOICES = [
    (name, sigmas) for name, rule in UPDATE_RULES.items() for sigmas in SIGMAS if sigmas == "default" or rule.has_sigmas
]


def test_every_name_has_a_rule() -> None:
    named = {s.id: s.has_sigmas for s in SCHEDULERS if not s.is_own}
    assert {name: rule.has_sigmas for name, rule in UPDATE_RULES.items()} == named
    with pytest.raises(InvalidRequest):
        make_scheduler(ORDINARY, "unmasking", steps=5)  # which removes no noise


def run(config: dict[str, Any], name: str, sigmas: str, steps: int, prediction_type: str, doubt: float) -> torch.Tensor:
    """Latents after a run with a network that sees ANSWER, but doubts it the more the stronger the noise is.

    Checks on the way that the denoised estimate is what the network meant.
    """
    scheduler = make_scheduler(
        config, name, sigmas, steps=steps, prediction_type=prediction_type, align_your_steps=ALIGNED
    )
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(0)
    generator = torch.Generator().manual_seed(1)
    noise_source = {"generator": generator} if "generator" in inspect.signature(scheduler.step).parameters else {}
    trained = DDIMScheduler.from_config(config).alphas_cumprod
    latents = torch.randn(ANSWER.shape, generator=generator) * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        seen = scheduler.scale_model_input(latents, t)
        signal, noise = signal_and_noise(trained, float(t))
        meant = ANSWER * (1 - doubt * noise**2)
        epsilon = (seen - signal * meant) / max(noise, 1e-6)
        out = {"epsilon": epsilon, "sample": meant, "v_prediction": signal * epsilon - noise * meant}[prediction_type]
        if signal > 0.05:
            got = denoised_estimate(scheduler, seen, out, float(t))
            assert (got - meant).abs().max() < 0.05 + 0.02 * noise / signal
        latents = scheduler.step(out, t, latents, return_dict=False, **noise_source)[0]
    return latents


@pytest.mark.parametrize(("name", "sigmas"), CHOICES)
@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
def test_it_arrives(name: str, sigmas: str, prediction_type: str) -> None:
    assert (run(ORDINARY, name, sigmas, 20, prediction_type, doubt=0.3) - ANSWER).abs().max() < 0.12


@pytest.mark.parametrize(("name", "sigmas"), CHOICES)
@pytest.mark.parametrize("steps", [5, 20])
def test_it_arrives_from_zero_terminal_snr(name: str, sigmas: str, steps: int) -> None:
    latents = run(ZERO_SNR, name, sigmas, steps, "v_prediction", doubt=0.3)
    assert (latents - ANSWER).abs().max() < (0.12 if steps == 20 else 0.35)


@pytest.mark.parametrize("name", [name for name in UPDATE_RULES if name != "dpmpp_sde"])
def test_zero_terminal_snr_starts_at_the_last_timestep(name: str) -> None:
    scheduler = make_scheduler(ZERO_SNR, name, steps=20)
    assert float(scheduler.timesteps[0]) == 999


@pytest.mark.parametrize("name", [name for name, rule in UPDATE_RULES.items() if not rule.has_sigmas])
@pytest.mark.parametrize("sigmas", [sigmas for sigmas in SIGMAS if sigmas != "default"])
def test_sigmas_that_a_rule_has_not_are_refused(name: str, sigmas: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        make_scheduler(ORDINARY, name, sigmas, steps=20)
    assert caught.value.details["field"] == "sigmas"


@pytest.mark.parametrize("name", list(UPDATE_RULES))
@pytest.mark.parametrize("steps", [1, 2, 3, 20, 150])
def test_each_step_counts_once(name: str, steps: int) -> None:
    scheduler = make_scheduler(ORDINARY, name, steps=steps)
    counted = steps_after_calls(scheduler, len(scheduler.timesteps))
    assert counted[-1] == steps
    assert sorted({*counted} - {0}) == list(range(1, steps + 1))


@pytest.mark.parametrize("name", [name for name, rule in UPDATE_RULES.items() if rule.has_sigmas])
@pytest.mark.parametrize("sigmas", OWN_SPACINGS)
def test_sigmas_of_ours_fall_from_the_strongest(name: str, sigmas: str) -> None:
    for steps in (1, 2, 11):
        scheduler = make_scheduler(ORDINARY, name, sigmas, steps=steps, align_your_steps=ALIGNED)
        assert steps_after_calls(scheduler, len(scheduler.timesteps))[-1] == steps
        assert (scheduler.sigmas.diff() <= 0).all()
        assert (scheduler.timesteps.diff() <= 0.5).all()  # some classes round the full steps
        assert float(scheduler.sigmas[0]) == pytest.approx(14.6146, rel=1e-3)
        assert float(scheduler.sigmas[-1]) < 0.03


@pytest.mark.parametrize("name", ["euler", "heun", "dpmpp_2m", "unipc"])
def test_every_spacing_is_another(name: str) -> None:
    made = {
        sigmas: make_scheduler(ORDINARY, name, sigmas, steps=10, align_your_steps=ALIGNED).sigmas for sigmas in SIGMAS
    }
    assert all(not torch.allclose(made[a], made[b], rtol=1e-3) for a in SIGMAS for b in SIGMAS if a < b)


@pytest.mark.parametrize("sigmas", ["karras", "exponential", "beta"])
def test_euler_a_runs_on_euler_s_sigmas(sigmas: str) -> None:
    ancestral, plain = (make_scheduler(ORDINARY, name, sigmas, steps=7) for name in ("euler_a", "euler"))
    assert torch.equal(ancestral.sigmas, plain.sigmas)
    assert torch.equal(ancestral.timesteps, plain.timesteps)


def test_simple_and_sgm_uniform_are_diffusers_own_spacings() -> None:
    trailing = EulerDiscreteScheduler.from_config({**BETAS, "timestep_spacing": "trailing"})
    trailing.set_timesteps(20)
    made = make_scheduler(ORDINARY, "euler", "simple", steps=20)
    assert torch.allclose(made.timesteps, trailing.timesteps, atol=1e-3)
    assert torch.allclose(made.sigmas, trailing.sigmas, atol=1e-4)
    uniform = make_scheduler(ORDINARY, "euler", "sgm_uniform", steps=20)
    assert torch.allclose(uniform.timesteps, torch.linspace(999, 0, 21)[:-1], atol=1e-2)


@pytest.mark.parametrize(("family", "table"), [("sd15", "StableDiffusion"), ("sdxl", "StableDiffusionXL")])
def test_ten_aligned_steps_are_the_published_ones(family: str, table: str) -> None:
    made = make_scheduler(ORDINARY, "euler", "ays", steps=10, align_your_steps=FAMILIES[family].align_your_steps)
    assert made.sigmas.tolist() == pytest.approx(AysSchedules[f"{table}Sigmas"], rel=1e-3)
    assert made.timesteps.tolist() == pytest.approx(AysSchedules[f"{table}Timesteps"], abs=2)


def test_aligned_steps_need_a_table() -> None:
    with pytest.raises(InvalidRequest) as caught:
        make_scheduler(ORDINARY, "euler", "ays", steps=10)
    assert caught.value.details == {"field": "sigmas", "reason": "no_aligned_steps"}


@pytest.mark.parametrize("name", list(UPDATE_RULES))
def test_eta_is_taken_or_refused(name: str) -> None:
    if scheduler_named(name).eta is None:
        with pytest.raises(InvalidRequest) as caught:
            make_scheduler(ORDINARY, name, steps=5, eta=0.5)
        assert caught.value.details["field"] == "eta"
    else:
        make_scheduler(ORDINARY, name, steps=5, eta=0.5)


@pytest.mark.parametrize("name", list(UPDATE_RULES))
def test_who_adds_noise(name: str) -> None:
    def end(seed: int, eta: float | None = None) -> torch.Tensor:
        scheduler = make_scheduler(ORDINARY, name, steps=5, eta=eta)
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(0)
        generator = torch.Generator().manual_seed(seed)
        source = {"generator": generator} if "generator" in inspect.signature(scheduler.step).parameters else {}
        latents = ANSWER * scheduler.init_noise_sigma
        for t in scheduler.timesteps:
            seen = scheduler.scale_model_input(latents, t)
            latents = scheduler.step(seen * 0.9, t, latents, return_dict=False, **source)[0]
        return latents

    assert torch.equal(end(1), end(2)) != adds_noise(name)
    if scheduler_named(name).eta is not None:
        assert torch.equal(end(1, 0.0), end(2, 0.0))
        assert not torch.equal(end(1, 0.3), end(2, 0.3))
        assert torch.equal(end(1, scheduler_named(name).eta), end(1))


def test_dpmpp_2m_sde_is_the_sde_solver() -> None:
    scheduler = make_scheduler(ORDINARY, "dpmpp_2m_sde", "karras", steps=20)
    assert type(scheduler).__name__ == "DPMSolverMultistepScheduler"
    assert scheduler.config.algorithm_type == "sde-dpmsolver++"
    assert scheduler.config.use_karras_sigmas


def test_the_checkpoint_s_own_sigmas_do_not_leak_into_the_request_s() -> None:
    scheduler = make_scheduler({**ORDINARY, "use_karras_sigmas": True}, "euler", "exponential", steps=20)
    assert scheduler.config.use_exponential_sigmas
    assert not scheduler.config.use_karras_sigmas


def test_shares_of_signal_and_noise_add_up() -> None:
    alphas = DDIMScheduler(**BETAS).alphas_cumprod
    for t in (0, 0.5, 17.25, 500, 998.9, 999):
        signal, noise = signal_and_noise(alphas, t)
        assert signal**2 + noise**2 == pytest.approx(1)
    assert signal_and_noise(alphas, 500)[0] == pytest.approx(float(alphas[500]) ** 0.5)


@pytest.mark.parametrize("steps", [4, 20])
@pytest.mark.parametrize("sigmas", RANGED_SIGMAS)
@pytest.mark.parametrize("name", [name for name, rule in UPDATE_RULES.items() if rule.has_sigmas])
def test_sigmas_span_the_networks_range_or_that_of_the_timesteps(name: str, sigmas: str, steps: int) -> None:
    signal = DDIMScheduler.from_config(ORDINARY).alphas_cumprod
    trained = ((1 - signal) / signal) ** 0.5
    whole = make_scheduler(ORDINARY, name, sigmas, steps=steps)
    part = make_scheduler(ORDINARY, name, sigmas, steps=steps, sigma_range="timesteps")
    positive = whole.sigmas[whole.sigmas > 0]
    assert (float(positive[0]), float(positive[-1])) == pytest.approx((float(trained[-1]), float(trained[0])), rel=1e-4)
    assert torch.equal(whole.sigmas, part.sigmas) is not scheduler_named(name).has_range
    if scheduler_named(name).has_range:
        assert float(part.sigmas[0]) < 0.8 * float(trained[-1])
