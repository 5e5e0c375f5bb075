"""What the trainings have in common: options, a learning rate planned by the clock, saved state, averaged weights."""

import argparse
import logging
import math
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

SAVE_SECONDS = 120.0
REPORT_STEPS = 50
CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a training is run. It resumes from its state, else from a checkpoint."""

    minutes: float  # in all, over all sessions with the same state
    checkpoint: Path | None  # whose weights to start from where there is no state; None starts from nothing
    device: torch.device = CPU
    seed: int = 1
    batch_factor: int = 1  # times as many pictures a step as is good for two cores
    rate_factor: float = 1.0  # times the training's own learning rate
    critic_from: float = 0.6  # share of the time after which the decoder is trained against a critic


class Clock:
    """The time spent on a training of `minutes`, over all its sessions."""

    def __init__(self, minutes: float, spent_seconds: float = 0.0) -> None:
        self.total_seconds = minutes * 60
        self._before = spent_seconds
        self._start = time.monotonic()

    @property
    def spent_seconds(self) -> float:
        """Seconds of training so far, including earlier sessions."""
        return self._before + time.monotonic() - self._start

    @property
    def progress(self) -> float:
        """The share of the time that has passed, [0, 1]."""
        return min(self.spent_seconds / self.total_seconds, 1.0)


def learning_rate(peak: float, step: int, progress: float, warmup_steps: int = 200) -> float:
    """Linear warm-up by steps, then half a cosine by time down to a fiftieth of `peak`."""
    cosine = 0.5 + 0.5 * math.cos(math.pi * progress)
    return peak * min(1.0, (step + 1) / warmup_steps) * (0.02 + 0.98 * cosine)


def set_learning_rate(optimizer: torch.optim.Optimizer, value: float) -> None:
    """Sets this rate for all parameters, times their group's `share` if it has one."""
    for group in optimizer.param_groups:
        group["lr"] = value * group.get("share", 1.0)


class Average:
    """Exponential moving average of parameters; short memory at first, `decay` in the end."""

    def __init__(self, parameters: Iterable[nn.Parameter], decay: float) -> None:
        self.decay = decay
        self.shadow = [parameter.detach().clone() for parameter in parameters]

    @torch.no_grad()
    def update(self, parameters: Iterable[nn.Parameter], step: int) -> None:
        """Moves towards the current values after optimizer step `step`."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.shadow, [parameter.detach() for parameter in parameters], 1 - decay)

    @torch.no_grad()
    def copy_to(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replaces the values by the averages."""
        for parameter, average in zip(parameters, self.shadow, strict=True):
            parameter.copy_(average)


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Writes a training's state completely or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    torch.save(state, partial)
    partial.replace(path)


def load_state(path: Path, device: torch.device | str = "cpu") -> dict[str, Any] | None:
    """A saved state, or None if there is none."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    return state


class Session:
    """One run of a training: its model, optimizer, average and clock, resumed from `path` if something was saved.

    Raises ValueError if what was saved uses another `vocabulary`.
    """

    def __init__(
        self,
        path: Path,
        options: Options,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        decay: float,
        vocabulary: dict[str, int] | None = None,
    ) -> None:
        self._path, self._log, self._vocabulary = path, logging.getLogger(path.stem), vocabulary
        self.model, self.optimizer = model, optimizer
        self.average = Average(model.parameters(), decay)
        saved = load_state(path, options.device)
        if saved:
            _check_vocabulary(saved, vocabulary, path)
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
            self.average.shadow = saved["average"]
        self.step = int(saved["step"]) if saved else 0
        self.clock = Clock(options.minutes, saved["seconds"] if saved else 0.0)
        self._last_save, self._running = self.clock.spent_seconds, 0.0

    def update(self, loss: Tensor, peak_rate: float, warmup_steps: int, shown: Tensor | None = None) -> None:
        """One step down `loss`; `shown` is what is reported. Saves now and then, and at the end."""
        set_learning_rate(self.optimizer, learning_rate(peak_rate, self.step, self.clock.progress, warmup_steps))
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.average.update(self.model.parameters(), self.step)
        if self.step % REPORT_STEPS == 0:
            value = (loss if shown is None else shown).item()
            self._running = 0.7 * self._running + 0.3 * value if self._running else value
            self._log.info("step %d, loss %.4f, %.0f s", self.step, self._running, self.clock.spent_seconds)
        if self.clock.spent_seconds - self._last_save > SAVE_SECONDS or self.clock.progress >= 1:
            self._last_save = self.clock.spent_seconds
            self.save()

    def save(self) -> None:
        """Writes everything that is needed to continue."""
        save_state(self._path, {
            "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
            "average": self.average.shadow, "step": self.step, "seconds": self.clock.spent_seconds,
            "vocabulary": self._vocabulary,
        })  # fmt: skip


def load_average(path: Path, model: nn.Module, vocabulary: dict[str, int] | None = None) -> int:
    """Puts the averaged weights of a saved session into its model; returns the number of steps they took.

    Raises FileNotFoundError, and ValueError if they use another `vocabulary`.
    """
    saved = load_state(path)
    if saved is None:
        raise FileNotFoundError(path)
    _check_vocabulary(saved, vocabulary, path)
    model.load_state_dict(saved["model"])
    average = Average(model.parameters(), 1.0)
    average.shadow = saved["average"]
    average.copy_to(model.parameters())
    return int(saved["step"])


def _check_vocabulary(saved: dict[str, Any], vocabulary: dict[str, int] | None, path: Path) -> None:
    if saved.get("vocabulary", vocabulary) != vocabulary:
        raise ValueError(f"{path} knows other words: export it with the recipe it came from, and begin another state")


def training_arguments(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The options that the judge's and the CLIP's trainings share; also sets up logging and threads."""
    parser.add_argument("--thumbnails", type=Path, required=True, help="folder that thumbnails wrote")
    parser.add_argument("--state", type=Path, required=True, help="folder for the training's state")
    parser.add_argument("--minutes", type=float, default=20, help="of training in all")
    parser.add_argument("--device", type=torch.device, default=CPU, help="cpu or cuda")
    parser.add_argument("--batch-factor", type=int, default=1, help="times the batch that is good for a CPU")
    parser.add_argument("--rate-factor", type=float, default=1.0, help="times the learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    torch.set_num_threads(arguments.threads)
    arguments.state.mkdir(parents=True, exist_ok=True)
    return arguments


def options_of(arguments: argparse.Namespace) -> Options:
    """The command line as options for a training."""
    return Options(
        minutes=arguments.minutes, checkpoint=None, device=arguments.device, seed=arguments.seed,
        batch_factor=arguments.batch_factor, rate_factor=arguments.rate_factor,
    )  # fmt: skip
