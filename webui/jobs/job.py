"""A job: one request of one person on its way to pictures. Plain values; what moves it is `queue.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from webui.errors import DarkroomError, JobUnreadable
from webui.events import Failed, PictureInfo
from webui.requests.settled import Settled
from webui.storage.owners import Owner
from webui.worker.status import WorkerStatus


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
    """A job at the moment when it was asked for.

    Times are seconds since 1970. `timings`: `waited_seconds`, `loading_seconds` (until the first step),
    `running_seconds` (from Started to the last event). `steps_kept`: images (from 0) whose steps the worker still has;
    it computes those of others again when needed.
    """

    id: str
    owner: Owner = field(repr=False)
    request: Settled
    state: JobState
    created: float
    started: float | None = None
    finished: float | None = None
    images: tuple[PictureInfo, ...] = ()
    error: Failed | None = None
    timings: dict[str, float] = field(default_factory=dict)
    steps_kept: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class UnreadableJob:
    """A job that this version cannot read: another one wrote it, or its row is damaged.

    It is shown as failed, whatever its row says. The row stays as it is, and a version that can read it continues it.
    """

    id: str
    owner: Owner = field(repr=False)
    created: float
    state: ClassVar[JobState] = JobState.FAILED
    error: ClassVar[Failed] = Failed(kind=JobUnreadable.kind)


@dataclass(frozen=True, kw_only=True)
class QueueStatus:
    """The machine room at a glance; `worker` is the readiest of several. `problem`: what keeps jobs from running or
    being saved at the moment."""

    worker: WorkerStatus
    waiting: int
    running: int
    problem: DarkroomError | None = None
