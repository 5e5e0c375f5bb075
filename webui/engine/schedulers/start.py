"""Where a scheduler begins when a picture is drawn over: as far up the noise as the denoising strength says.

`steps` × strength is a place among the steps, counted from the last one. A whole number is a step's own noise; between
two of them the first sigma lies between theirs, and as many steps run as for the lower one. Knows no pictures.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from diffusers import LMSDiscreteScheduler, PNDMScheduler
from torch import Tensor

from webui.engine.schedulers.make import LARGEST_FINITE_SIGMA

_ROUNDING = 1e-6  # of a step: 20 × 0.35 is 7 but for this


def start_late(scheduler: Any, denoising_strength: float, *, is_exact: bool) -> Tensor:
    """The last timesteps, as many as `denoising_strength` says, but one at least; as diffusers cuts them.

    Where `is_exact`, the scheduler's first step begins with the noise of that strength, and the first timestep is the
    one at which the network was trained on so much of it. Else it is that of whole steps, as diffusers has it.

    PLMS repeats its second timestep, and the cut takes no notice: it then goes its first strides from one timestep too
    far down, in diffusers' pipeline and here alike. With a network that knows the answer, up to a third more noise is
    left at 20 steps and a strength of 0.3 (0.039 for 0.030 of its standard deviation) and nothing that counts at 50.
    So do whole strengths here; all others take their strides as PLMS means them. As its cut begins in one place for all
    steps but one and for all but two, every strength between those two begins there as well.
    """
    steps = scheduler.num_inference_steps
    place = steps * denoising_strength
    skipped = (steps - max(1, int(place))) * scheduler.order
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(skipped)
    timesteps: Tensor = scheduler.timesteps[skipped:]
    if _is_whole(place) or not is_exact:
        return timesteps
    if hasattr(scheduler, "sigmas"):
        return _between_sigmas(scheduler, skipped, place)
    return _between_timesteps(scheduler, skipped, place)


def begin_flow_between(scheduler: Any, denoising_strength: float) -> None:
    """For a flow's scheduler that a pipeline is going to cut by itself: where it begins, it begins with the noise of
    that strength. Whole numbers of steps stay as they are."""
    own = scheduler.set_begin_index

    def set_begin_index(begin_index: int = 0) -> None:
        own(begin_index)
        scheduler.set_begin_index = own  # pipelines may say it twice
        place = scheduler.num_inference_steps * denoising_strength
        if not _is_whole(place):
            _move_flow(scheduler, begin_index, place)

    scheduler.set_begin_index = set_begin_index


def _move_flow(scheduler: Any, begin_index: int, place: float) -> None:
    """In place: the pipeline has cut its own timesteps out of the scheduler's already."""
    sigmas: Tensor = scheduler.sigmas
    lower = len(sigmas) - 1 - math.floor(place)
    first = torch.lerp(sigmas[lower], sigmas[lower - 1], place - math.floor(place))
    if first <= sigmas[begin_index + 1]:  # pipelines make two steps of a strength below one
        sigmas[begin_index:-1] *= first / sigmas[begin_index]
    sigmas[begin_index] = first
    scheduler.timesteps[begin_index:] = sigmas[begin_index:-1] * scheduler.config.num_train_timesteps


def _is_whole(place: float) -> bool:
    return round(place) >= 1 and abs(place - round(place)) < _ROUNDING


def between(place: float, above: float, own: float, end: float) -> float:
    """The sigma at `place` steps from the end: `own` is that of the lower whole number of them, `above` of the next
    one; below the last step it lies between that one's, which is `own` there, and the `end`.

    An infinite one above it (zero terminal SNR) counts as large as noise gets that says something of a picture.

    >>> between(2.25, 8.0, 4.0, 0.0), between(0.25, 8.0, 4.0, 0.0)
    (5.0, 1.0)
    """
    if place < 1:
        return end + place * (own - end)
    highest = min(above, max(own, LARGEST_FINITE_SIGMA))
    return own + (place - math.floor(place)) * (highest - own)


def _between_sigmas(scheduler: Any, skipped: int, place: float) -> Tensor:
    """For schedulers that count their steps along a table of sigmas."""
    sigmas: Tensor = scheduler.sigmas.clone()
    own, above = float(sigmas[skipped]), float(sigmas[max(0, skipped - scheduler.order)])
    sigmas[skipped] = first = between(place, above, own, float(sigmas[-1]))
    timesteps: Tensor = scheduler.timesteps.to(torch.promote_types(scheduler.timesteps.dtype, torch.float32))
    timesteps[skipped] = _timestep_of(scheduler.alphas_cumprod, first)
    scheduler.sigmas, scheduler.timesteps = sigmas, timesteps
    if isinstance(scheduler, LMSDiscreteScheduler):  # it would look back at steps that were never taken
        timesteps = timesteps[skipped:]
        scheduler.sigmas, scheduler.timesteps = sigmas[skipped:], timesteps
        scheduler.set_begin_index(0)
        return timesteps
    if hasattr(scheduler, "begin_between"):
        scheduler.begin_between(skipped)
    return timesteps[skipped:]


def _between_timesteps(scheduler: Any, skipped: int, place: float) -> Tensor:
    """For schedulers that look noise up by whole timesteps, and find the next one by counting: the first timestep keeps
    its place in that, with other noise in the table, and only the network hears where the noise belongs."""
    timesteps: Tensor = scheduler.timesteps
    table: Tensor = scheduler.alphas_cumprod.clone()
    own, above = (_sigma_of(table[int(timesteps[index])]) for index in (skipped, max(0, skipped - 1)))
    end = _sigma_of(torch.as_tensor(getattr(scheduler, "final_alpha_cumprod", 1.0)))
    first = between(place, above, own, end)
    heard = timesteps[skipped:]
    if isinstance(scheduler, PNDMScheduler):  # as many strides as steps, the first of them twice
        heard = torch.cat([timesteps[:1], timesteps[2:]])[skipped:]
        heard = torch.cat([heard[:2], heard[1:]])
    named = int(heard[0])
    heard = heard.to(torch.float32)
    heard[0] = _timestep_of(table, first)
    table[named] = 1 / (1 + first**2)
    scheduler.alphas_cumprod = table
    names = {float(heard[0]): named}
    if len(heard) > 1 and isinstance(scheduler, PNDMScheduler):  # it counts back from here to the first
        names[float(heard[1])] = max(0, named - len(table) // scheduler.num_inference_steps)
    _translate(scheduler, names)
    return heard


def _translate(scheduler: Any, names: Mapping[float, int]) -> None:
    """From now on the scheduler knows what some timesteps are called, and takes whole ones that come as fractions."""
    own_step, own_add_noise = scheduler.step, scheduler.add_noise

    def name(timestep: float | Tensor) -> int:
        return names.get(float(timestep), int(timestep))

    @functools.wraps(own_step)
    def step(model_output: Tensor, timestep: float | Tensor, *args: Any, **options: Any) -> Any:
        return own_step(model_output, name(timestep), *args, **options)

    def add_noise(original_samples: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        named = torch.tensor([name(timestep) for timestep in timesteps], device=original_samples.device)
        noisy: Tensor = own_add_noise(original_samples, noise, named)
        return noisy

    scheduler.step, scheduler.add_noise = step, add_noise


def _sigma_of(alpha: Tensor) -> float:
    """Noise over signal, from the signal's share of the variance; infinite where there is no signal."""
    return math.sqrt((1 - float(alpha)) / float(alpha)) if float(alpha) > 0 else math.inf


def _timestep_of(alphas_cumprod: Tensor, sigma: float) -> float:
    """The timestep of so much noise, log-linearly between the trained ones, as the schedulers have it."""
    trained = alphas_cumprod.double().clamp(1e-12, 1 - 1e-12)
    log_sigmas = (0.5 * ((1 - trained) / trained).log()).numpy()
    return float(np.interp(math.log(max(sigma, 1e-10)), log_sigmas, np.arange(len(log_sigmas))))
