"""What both trainings share: a learning rate planned by the clock, saved state, averaged weights."""

import math
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn


class Clock:
    """Time spent on a training of so many minutes, over all the sessions it took."""

    def __init__(self, minutes: float, spent_seconds: float = 0.0) -> None:
        self.total_seconds = minutes * 60
        self._before = spent_seconds
        self._start = time.monotonic()

    @property
    def spent_seconds(self) -> float:
        """Seconds of training so far, those of earlier sessions included."""
        return self._before + time.monotonic() - self._start

    @property
    def progress(self) -> float:
        """Share of the time that is gone, [0, 1]."""
        return min(self.spent_seconds / self.total_seconds, 1.0)


def learning_rate(peak: float, step: int, progress: float, warmup_steps: int = 200) -> float:
    """Linear warm-up by steps, then half a cosine by time down to a fiftieth of `peak`."""
    cosine = 0.5 + 0.5 * math.cos(math.pi * progress)
    return peak * min(1.0, (step + 1) / warmup_steps) * (0.02 + 0.98 * cosine)


def set_learning_rate(optimizer: torch.optim.Optimizer, value: float) -> None:
    """This rate for all parameters, times their group's `share` where it has one."""
    for group in optimizer.param_groups:
        group["lr"] = value * group.get("share", 1.0)


class Average:
    """Exponential moving average of parameters; short memory at first, `decay` in the end."""

    def __init__(self, parameters: Iterable[nn.Parameter], decay: float) -> None:
        self.decay = decay
        self.shadow = [parameter.detach().clone() for parameter in parameters]

    @torch.no_grad()
    def update(self, parameters: Iterable[nn.Parameter], step: int) -> None:
        """Move towards the current values after optimizer step `step`."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.shadow, [parameter.detach() for parameter in parameters], 1 - decay)

    @torch.no_grad()
    def copy_to(self, parameters: Iterable[nn.Parameter]) -> None:
        """Put the averages in the place of the values."""
        for parameter, average in zip(parameters, self.shadow, strict=True):
            parameter.copy_(average)


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a training's state whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    torch.save(state, partial)
    partial.replace(path)


def load_state(path: Path) -> dict[str, Any] | None:
    """A saved state, or None where there is none."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state
