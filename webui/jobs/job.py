"""A job: one request of one person on its way to pictures. Plain values; `queue.py` moves them."""

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
    """The state of a job; the last three are final."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self not in (JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as it was at the moment of asking.

    Times are seconds since 1970. `timings`: `waited_seconds`, `loading_seconds` (until the first step),
    `running_seconds` (from Started to the last event). `steps_kept`: the images (from 0) whose steps the worker still
    has; the steps of others are computed again when needed.
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
    """A job that this version cannot read: another version wrote it, or its row is damaged.

    It is shown as failed, whatever its row says. The row stays as it is, and a version that can read it continues it.
    """

    id: str
    owner: Owner = field(repr=False)
    created: float
    state: ClassVar[JobState] = JobState.FAILED
    error: ClassVar[Failed] = Failed(kind=JobUnreadable.kind)


@dataclass(frozen=True, kw_only=True)
class QueueStatus:
    """The state of workers and queue; of several workers, `worker` is the readiest.

    `problem` is what currently keeps jobs from running or being saved.
    """

    worker: WorkerStatus
    waiting: int
    running: int
    problem: DarkroomError | None = None
