"""Where a scheduler begins when it draws over a picture: at the noise that the denoising strength asks for.

`steps` × strength is a place among the steps, counted from the last one. A whole number is a step's own noise. Between
two whole numbers, the first sigma lies between theirs, and as many steps run as for the lower one. Knows no pictures.
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
    """The last timesteps, as many as `denoising_strength` says but at least one; cut as in diffusers.

    With `is_exact`, the scheduler's first step begins with exactly the noise of that strength, and the first timestep
    is the one at which the network was trained on that much. Otherwise it begins at a whole step, as in diffusers.

    PLMS repeats its second timestep, which the cut does not take into account: its first strides then begin one
    timestep too low, both in diffusers' pipeline and here. With a network that knows the answer, this leaves up to a
    third more noise at 20 steps and a strength of 0.3 (0.039 instead of 0.030 of its standard deviation) and nothing
    noticeable at 50. Whole strengths do this here, too; all others take their strides as PLMS intends. As the cut is in
    the same place for all steps but one and for all but two, every strength between those two also begins there.
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
    """Makes a flow's scheduler begin with the noise of that strength, for pipelines that cut the timesteps themselves.
    Whole numbers of steps stay as they are.
    """
    own = scheduler.set_begin_index

    def set_begin_index(begin_index: int = 0) -> None:
        own(begin_index)
        scheduler.set_begin_index = own  # pipelines may say it twice
        place = scheduler.num_inference_steps * denoising_strength
        if not _is_whole(place):
            _move_flow(scheduler, begin_index, place)

    scheduler.set_begin_index = set_begin_index


def _move_flow(scheduler: Any, begin_index: int, place: float) -> None:
    """Changes the scheduler in place: the pipeline has already taken its own timesteps from it."""
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
    """The sigma at `place` steps from the end.

    `own` is the sigma of the next lower whole number of steps, `above` that of the next higher one; below the last
    step, it lies between that step's, which is then `own`, and the `end`. An infinite one above (zero terminal SNR)
    counts as the largest noise that still says something about a picture.

    >>> between(2.25, 8.0, 4.0, 0.0), between(0.25, 8.0, 4.0, 0.0)
    (5.0, 1.0)
    """
    if place < 1:
        return end + place * (own - end)
    highest = min(above, max(own, LARGEST_FINITE_SIGMA))
    return own + (place - math.floor(place)) * (highest - own)


def _between_sigmas(scheduler: Any, skipped: int, place: float) -> Tensor:
    """For schedulers that step along a table of sigmas."""
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
    """For schedulers that look noise up by whole timesteps and find the next one by counting: the first timestep keeps
    its place, with other noise in the table, and only the network is given the timestep to which the noise belongs.
    """
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
    """Makes the scheduler accept some timesteps under other names, and whole ones that arrive as fractions."""
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
    """Noise over signal, from the signal's share of the variance; infinite if there is no signal."""
    return math.sqrt((1 - float(alpha)) / float(alpha)) if float(alpha) > 0 else math.inf


def _timestep_of(alphas_cumprod: Tensor, sigma: float) -> float:
    """The timestep with this much noise, interpolated log-linearly between the trained ones, as the schedulers do."""
    trained = alphas_cumprod.double().clamp(1e-12, 1 - 1e-12)
    log_sigmas = (0.5 * ((1 - trained) / trained).log()).numpy()
    return float(np.interp(math.log(max(sigma, 1e-10)), log_sigmas, np.arange(len(log_sigmas))))
