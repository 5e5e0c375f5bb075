"""What is known about a worker from outside. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class WorkerState(StrEnum):
    """The state of a worker. `broken`: it does not start; jobs fail with the reason until it does."""

    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    RESTARTING = "restarting"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class WorkerStatus:
    """What is known about a worker.

    `ready_eta_seconds`: the time until it takes jobs; 0 if it does, None if unknown. `steps_kept`: past jobs whose
    steps are in its memory, with the images that they belong to.
    """

    state: WorkerState
    device: str | None = None
    precision: str | None = None
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    ready_eta_seconds: float | None = None
    steps_kept: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def is_on_cpu(self) -> bool:
        """Whether it is known to draw on a processor."""
        return self.device is not None and self.device.casefold() == "cpu"
