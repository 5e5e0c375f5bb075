"""A job: one request of one person on its way to pictures. Plain values; what moves it is `queue.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from webui.errors import DarkroomError
from webui.events import Failed, PictureInfo
from webui.requests import Request


class JobState(StrEnum):
    """Where a job is. The last three are final."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to such a job."""
        return self not in (JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as it was when it was asked for.

    `request` is resolved: no default is open, the seed is fixed. Times are seconds since 1970. `timings`:
    `waited_seconds`, `loading_seconds` (until the first step), `running_seconds` (from Started to the last event).
    `steps_kept`: images (from 0) whose steps the worker still has; those of others it draws again when it needs them.
    """

    id: str
    owner: str = field(repr=False)
    request: Request
    state: JobState
    created: float
    started: float | None = None
    finished: float | None = None
    images: tuple[PictureInfo, ...] = ()
    error: Failed | None = None
    timings: dict[str, float] = field(default_factory=dict)
    steps_kept: tuple[int, ...] = ()


class WorkerState(StrEnum):
    """Where the worker is. `broken`: it does not start; jobs fail with the reason until it does."""

    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    RESTARTING = "restarting"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class WorkerStatus:
    """What is known of the worker. `ready_eta_seconds`: until it takes jobs; 0 when it does, None when unknown.
    `steps_kept`: past jobs whose steps are in its memory, with those of their images."""

    state: WorkerState
    device: str | None = None
    precision: str | None = None
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    ready_eta_seconds: float | None = None
    steps_kept: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class QueueStatus:
    """The machine room at a glance. `problem`: what keeps jobs from running or being saved at the moment."""

    worker: WorkerStatus
    waiting: int
    running: int
    problem: DarkroomError | None = None
