"""Estimates how long a job will take from how long others took; None instead of a bad estimate."""

from __future__ import annotations

from collections.abc import Mapping

from webui.requests.diffusion import ImageToImage, TextToImage
from webui.requests.settled import Settled
from webui.requests.style_transfer import StyleTransfer
from webui.rules.branches import count_images

# How much the newest measurement counts: a machine's speed changes (another program, heat), but one job proves little.
_WEIGHT_OF_NEWEST = 0.4


def work(request: Settled) -> float:
    """The amount of work in a settled request, in pixels × steps; comparable only within a task and a checkpoint."""
    match request:
        case StyleTransfer(method="instant"):
            return float(request.size * request.size)
        case StyleTransfer():
            return float((request.stop_after or request.iterations) * request.size * request.size)
        case TextToImage() | ImageToImage():
            steps = float(request.steps or 1)
            if isinstance(request, ImageToImage):
                steps = max(1.0, steps * request.strongest)
            if request.stop_after is not None:
                steps = min(steps, request.stop_after)
            return steps * (request.width or 1) * (request.height or 1) * count_images(request)


class Estimates:
    """The measured seconds for each unit of work, by task and checkpoint or method."""

    def __init__(self) -> None:
        self._rates: dict[tuple[str, str], float] = {}

    def learn(self, request: Settled, timings: Mapping[str, float]) -> None:
        """Learns from a job that has run; `timings` as in `Job`. Loading is left out, since the next job may not need
        it.
        """
        seconds = timings.get("running_seconds", 0.0) - timings.get("loading_seconds", 0.0)
        if seconds <= 0.0:
            return
        key, rate = _key(request), seconds / work(request)
        known = self._rates.get(key, rate)
        self._rates[key] = known + _WEIGHT_OF_NEWEST * (rate - known)

    def seconds(self, request: Settled) -> float | None:
        """How long such a job takes; None if none has run yet."""
        rate = self._rates.get(_key(request))
        return None if rate is None else rate * work(request)

    def remaining(self, request: Settled, timings: Mapping[str, float]) -> float | None:
        """How long a running job still takes; None if no such job has run yet."""
        seconds = self.seconds(request)
        spent = timings.get("running_seconds", 0.0) - timings.get("loading_seconds", 0.0)
        return None if seconds is None else max(0.0, seconds - spent)


def _key(request: Settled) -> tuple[str, str]:
    return request.task, request.method if isinstance(request, StyleTransfer) else request.checkpoint or ""
