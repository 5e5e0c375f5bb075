"""Names of schedulers → diffusers' classes and options, one fresh scheduler for each run.

What noise a checkpoint was trained with (betas, prediction type, spacing, zero terminal SNR) comes from its own
scheduler config; the request's scheduler and sigmas only choose the rule by which noise is removed. Knows no pipelines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DEISMultistepScheduler,
    DPMSolverMultistepScheduler,
    DPMSolverSinglestepScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    LCMScheduler,
    LMSDiscreteScheduler,
    PNDMScheduler,
    UniPCMultistepScheduler,
)
from diffusers.schedulers.scheduling_ddim import rescale_zero_terminal_snr
from torch import Tensor

from webui.engine.schedulers.ancestral import Ddim, Dpm2, Dpm2Ancestral, EulerAncestral, Tcd
from webui.engine.schedulers.sigmas import OWN_SPACINGS, spaced, use_spacing, use_whole_range
from webui.errors import InvalidRequest
from webui.schedulers import RANGED_SIGMAS, scheduler_named

# A checkpoint of zero terminal SNR starts from infinite sigma. Classes with a flag of their own for it start near 4096
# and are stable there. The others extrapolate in noise, where the first step from 4096 multiplies every error by
# hundreds (Heun, DPM2, PLMS), and Karras' spacing would spend most of its steps above any sigma that matters. They
# start here: 0.025 of the picture's signal would be left, against 0.068 in Stable Diffusion 1.x as it was trained.
LARGEST_FINITE_SIGMA = 40.0

_SIGMAS_OPTION = {
    "karras": "use_karras_sigmas",
    "exponential": "use_exponential_sigmas",
    "beta": "use_beta_sigmas",
    **dict.fromkeys(OWN_SPACINGS, "use_karras_sigmas"),  # see `use_spacing`
}


@dataclass(frozen=True)
class UpdateRule:
    """A diffusers class, the options that turn it into this rule, and what else it can do."""

    scheduler_class: type[Any]
    options: dict[str, Any] = field(default_factory=dict)
    has_sigmas: bool = True  # Karras' and other spacings
    has_zero_snr: bool = False  # starts from (almost) infinite sigma by itself


# The names follow diffusers' own table of k-diffusion's and A1111's names (docs, "Schedulers").
UPDATE_RULES: dict[str, UpdateRule] = {
    "euler": UpdateRule(EulerDiscreteScheduler, has_zero_snr=True),
    "euler_a": UpdateRule(EulerAncestral, has_zero_snr=True),
    "heun": UpdateRule(HeunDiscreteScheduler),
    "lms": UpdateRule(LMSDiscreteScheduler),
    "dpm2": UpdateRule(Dpm2),
    "dpm2_a": UpdateRule(Dpm2Ancestral),
    "dpmpp_2m": UpdateRule(DPMSolverMultistepScheduler, {"algorithm_type": "dpmsolver++"}, has_zero_snr=True),
    "dpmpp_2m_sde": UpdateRule(DPMSolverMultistepScheduler, {"algorithm_type": "sde-dpmsolver++"}, has_zero_snr=True),
    "dpmpp_2m_sde_heun": UpdateRule(
        DPMSolverMultistepScheduler,
        {"algorithm_type": "sde-dpmsolver++", "solver_type": "heun"},
        has_zero_snr=True,
    ),
    "dpmpp_3m_sde": UpdateRule(
        DPMSolverMultistepScheduler, {"algorithm_type": "sde-dpmsolver++", "solver_order": 3}, has_zero_snr=True
    ),
    "dpmpp_sde": UpdateRule(
        DPMSolverSinglestepScheduler, {"algorithm_type": "sde-dpmsolver++", "lower_order_final": True}
    ),
    "ddim": UpdateRule(Ddim, {"clip_sample": False}, has_sigmas=False, has_zero_snr=True),
    "ddpm": UpdateRule(DDPMScheduler, {"clip_sample": False}, has_sigmas=False, has_zero_snr=True),
    "pndm": UpdateRule(PNDMScheduler, {"skip_prk_steps": True}, has_sigmas=False),
    "unipc": UpdateRule(UniPCMultistepScheduler, has_zero_snr=True),
    "deis": UpdateRule(DEISMultistepScheduler),
    "lcm": UpdateRule(LCMScheduler, {"clip_sample": False}, has_sigmas=False, has_zero_snr=True),
    "tcd": UpdateRule(Tcd, {"clip_sample": False}, has_sigmas=False, has_zero_snr=True),
}


def make_scheduler(
    config: Mapping[str, Any],
    scheduler: str,
    sigmas: str = "default",
    *,
    steps: int,
    prediction_type: str | None = None,
    eta: float | None = None,
    align_your_steps: Sequence[float] | None = None,
    sigma_range: str = "network",
) -> Any:
    """A new scheduler with its timesteps set to `steps`, still on the CPU.

    `config` is the checkpoint's own scheduler config; `prediction_type` overrides the one there. `eta` None is the
    rule's own. `align_your_steps` is the table for the sigmas "ays". `sigma_range` says where Karras, exponential and
    beta sigmas begin and end: where the checkpoint's noise does (`network`, as in k-diffusion and A1111), or where
    diffusers' own `steps` timesteps do (`timesteps`), which are closer together.

    Raises InvalidRequest if the rule does not have these sigmas or an eta, and for a rule that does not remove noise.
    """
    if scheduler not in UPDATE_RULES:
        raise InvalidRequest(field="scheduler", reason=f"{scheduler}_not_here")
    rule = UPDATE_RULES[scheduler]
    options: dict[str, Any] = dict(rule.options)
    if sigmas != "default":
        if not rule.has_sigmas:
            raise InvalidRequest(field="sigmas", reason="scheduler_without_sigmas")
        if sigmas == "ays" and align_your_steps is None:
            raise InvalidRequest(field="sigmas", reason="no_aligned_steps")
        options[_SIGMAS_OPTION[sigmas]] = True
    if eta is not None and scheduler_named(scheduler).eta is None:
        raise InvalidRequest(field="eta", reason="scheduler_without_eta")
    if prediction_type is not None:
        options["prediction_type"] = prediction_type
    if config.get("rescale_betas_zero_snr") and (sigmas != "default" or not rule.has_zero_snr):
        options |= {"trained_betas": _betas_from_finite_sigma(config), "rescale_betas_zero_snr": False}
    if scheduler in ("lcm", "tcd"):  # their steps are some of those of the training
        options["original_inference_steps"] = max(50, steps)  # 50 is its default, and the most steps that it then takes
    made = rule.scheduler_class.from_config(_without_sigmas(config), **options)
    if eta is not None:
        made.eta = eta
    if sigmas != "default" and isinstance(made, EulerAncestral):  # it has no spacings of its own
        lender = make_scheduler(
            config, "euler", sigmas, steps=steps, align_your_steps=align_your_steps, sigma_range=sigma_range
        )
        _borrow_sigmas(made, lender)
        return made
    if sigmas in RANGED_SIGMAS and sigma_range == "network":
        use_whole_range(made, sigmas)
    if sigmas in OWN_SPACINGS:
        use_spacing(made, lambda trained: spaced(sigmas, trained, steps, align_your_steps))
    made.set_timesteps(steps)
    if sigmas in OWN_SPACINGS and isinstance(made, DEISMultistepScheduler):
        made.sigmas[-1] = _smallest_sigma(made)  # it would stay at the last but one, which is still noisy here
    return made


def _borrow_sigmas(made: Any, lender: Any) -> None:
    made.num_inference_steps = lender.num_inference_steps
    made.sigmas, made.timesteps = lender.sigmas, lender.timesteps


def _smallest_sigma(made: Any) -> float:
    alpha = float(made.alphas_cumprod[0])
    return float(((1 - alpha) / alpha) ** 0.5)


def steps_after_calls(scheduler: Any, calls: int) -> list[int]:
    """How many steps are done after each of `calls` calls of the network.

    Rules of second order call it twice for each step but the last; PLMS calls it twice for its first. Each step counts
    once.

    >>> steps_after_calls(EulerDiscreteScheduler(), 3)
    [1, 2, 3]
    >>> steps_after_calls(HeunDiscreteScheduler(), 5)
    [0, 1, 1, 2, 3]
    >>> steps_after_calls(PNDMScheduler(skip_prk_steps=True), 4)
    [0, 1, 2, 3]
    """
    if isinstance(scheduler, PNDMScheduler):
        return [max(call - 1, int(calls == 1)) for call in range(1, calls + 1)]
    order = int(getattr(scheduler, "order", 1))
    return [-(-call // order) if call == calls else call // order for call in range(1, calls + 1)]


def denoised_estimate(scheduler: Any, model_input: Tensor, prediction: Tensor, timestep: float) -> Tensor:
    """The clean latents that a `prediction` at `timestep` stands for, whatever the rule and the prediction type.

    `model_input` is what the network saw, of unit variance; schedulers that work with sigmas scale it to that, too.
    Hence one formula for all: input = signal · estimate + noise · ε, and v = signal · ε - noise · estimate (Salimans &
    Ho 2022).
    """
    signal, noise = signal_and_noise(scheduler.alphas_cumprod, timestep)
    match scheduler.config.prediction_type:
        case "sample":
            return prediction
        case "v_prediction":
            return signal * model_input - noise * prediction
        case _:
            return (model_input - noise * prediction) / max(signal, 1e-3)


def signal_and_noise(alphas_cumprod: Tensor, timestep: float) -> tuple[float, float]:
    """The shares (signal, noise) of a noisy sample of unit variance at `timestep`; their squares add up to 1.

    Between trained timesteps, log sigma is interpolated, as the schedulers do.
    """
    last = len(alphas_cumprod) - 1
    position = min(max(float(timestep), 0.0), float(last))
    below = min(int(position), last)
    above = min(below + 1, last)
    tail = torch.stack((alphas_cumprod[below], alphas_cumprod[above])).double().clamp(1e-9, 1 - 1e-9)
    log_odds = torch.logit(tail)  # log(signal² / noise²) = -2 log sigma
    alpha = torch.sigmoid(torch.lerp(log_odds[0], log_odds[1], position - below)).item()
    return float(alpha**0.5), float((1 - alpha) ** 0.5)


def _without_sigmas(config: Mapping[str, Any]) -> dict[str, Any]:
    """The checkpoint's config without its own spacing of sigmas, which the request decides."""
    return {name: value for name, value in config.items() if name not in _SIGMAS_OPTION.values()}


def _betas_from_finite_sigma(config: Mapping[str, Any]) -> list[float]:
    """The checkpoint's betas with zero terminal SNR (Lin et al. 2024, algorithm 1), cut off at LARGEST_FINITE_SIGMA.

    The part cut off keeps a slope of a thousandth for each timestep, since the schedulers look timesteps up by sigma.
    """
    plain = DDIMScheduler.from_config(dict(config), rescale_betas_zero_snr=False)
    trained = torch.cumprod(1 - rescale_zero_terminal_snr(plain.betas.double()), dim=0)
    slope = 1 + 1e-3 * torch.arange(len(trained) - 1, -1, -1, dtype=torch.float64)
    alphas_cumprod = torch.maximum(trained, slope / (1 + LARGEST_FINITE_SIGMA**2))
    previous = torch.cat([alphas_cumprod.new_ones(1), alphas_cumprod[:-1]])
    betas: list[float] = (1 - alphas_cumprod / previous).tolist()
    return betas
