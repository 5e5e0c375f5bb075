"""Spacings of noise that diffusers' schedulers do not have by themselves: simple, sgm_uniform and ays.

Each chooses the sigmas of `steps` steps, strongest first and without the final zero, from those that the network was
trained on. Knows no schedulers and no families.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Sigmas = NDArray[np.float64]
OWN_SPACINGS = ("simple", "sgm_uniform", "ays")


def spaced(name: str, trained: Sigmas, steps: int, align_your_steps: Sequence[float] | None) -> Sigmas:
    """(steps,) sigmas, descending. `trained` are those of all trained timesteps, ascending.

    `align_your_steps` is the checkpoint's published table; without one, "ays" raises ValueError.
    """
    match name:
        case "simple":
            return _simple(trained, steps)
        case "sgm_uniform":
            return _sgm_uniform(trained, steps)
        case "ays" if align_your_steps is not None:
            return _from_table(align_your_steps, trained, steps)
        case _:
            raise ValueError(name)


def use_spacing(scheduler: Any, make: Callable[[Sigmas], Sigmas]) -> None:
    """Makes `scheduler.set_timesteps` space its sigmas by `make`, which receives the sigmas of all timesteps.

    Every class turns sigmas into its own timesteps, rounded or not, and into pairs for rules of second order, in its
    code for Karras sigmas. That one function is replaced, on this scheduler only. `use_karras_sigmas` must be on.
    """
    trained = _trained(scheduler)

    def convert(in_sigmas: Any, num_inference_steps: int | None = None) -> Sigmas:
        return make(trained)

    scheduler._convert_to_karras = convert


def use_whole_range(scheduler: Any, name: str) -> None:
    """Makes the sigmas called `name` (karras, exponential, beta) run from the strongest to the weakest that the network
    was trained on, instead of between diffusers' first and last timestep.
    """
    trained = _trained(scheduler)[::-1]
    converts = f"_convert_to_{name}"
    if not hasattr(scheduler, converts):
        raise TypeError(f"{type(scheduler).__name__} has no {name} sigmas")
    own = getattr(scheduler, converts)

    def convert(in_sigmas: Any, *args: Any, **options: Any) -> Any:
        return own(trained, *args, **options)

    setattr(scheduler, converts, convert)


def _trained(scheduler: Any) -> Sigmas:
    """The sigmas of all trained timesteps, ascending."""
    sigmas: Sigmas = (((1 - scheduler.alphas_cumprod) / scheduler.alphas_cumprod) ** 0.5).double().numpy()
    return sigmas


def _simple(trained: Sigmas, steps: int) -> Sigmas:
    """Equal strides over the trained timesteps, from the last one (ComfyUI; "trailing" in Lin et al. 2024)."""
    stride = len(trained) / steps
    return np.array([trained[len(trained) - 1 - int(step * stride)] for step in range(steps)])


def _sgm_uniform(trained: Sigmas, steps: int) -> Sigmas:
    """Equal strides from the last timestep to the first, which is left out (Stability's generative-models)."""
    return _at(trained, np.linspace(len(trained) - 1, 0, steps + 1)[:-1])


def _from_table(table: Sequence[float], trained: Sigmas, steps: int) -> Sigmas:
    """Align Your Steps (Sabour et al. 2024) for any number of steps: the table's entries are interpolated log-linearly,
    as its authors say (research.nvidia.com/labs/toronto-ai/AlignYourSteps/howto.html), and their last sigma becomes
    zero.

    Departure: the first one is the checkpoint's own strongest if that is stronger (zero terminal SNR).
    """
    places = np.linspace(0, len(table) - 1, steps + 1)
    sigmas: Sigmas = np.exp(np.interp(places, np.arange(len(table)), np.log(table)))[:-1]
    sigmas[0] = trained[-1]
    return sigmas


def _at(trained: Sigmas, timesteps: Sigmas) -> Sigmas:
    """Sigmas at timesteps between the trained ones, interpolated log-linearly."""
    sigmas: Sigmas = np.exp(np.interp(timesteps, np.arange(len(trained)), np.log(trained)))
    return sigmas
