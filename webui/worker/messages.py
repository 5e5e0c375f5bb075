"""The messages between a supervisor and its worker process: frozen dataclasses, over one pipe.

Kept apart from both halves, so that the engine need not know of jobs and the jobs not of torch. A worker is a function
`serve(connection, settings) -> None`. It first sends `Ready`, then answers each `Run` with any number of `Emitted`,
with a `Drawn` for each picture, and finally with one of `Done`, `CancelledJob`, `FailedJob`. It runs one job at a time.
Knows no torch, no storage, no HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, get_args

from pydantic import Field

from webui.errors import Detail
from webui.events import EngineEvent
from webui.requests.settled import Settled

# --- to the worker ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Run:
    """Run this request.

    Pictures in it are references, at any depth; `pictures` has the normalised PNG of each that could be read, since a
    worker may be on a machine without our files.
    """

    job_id: str
    request: Annotated[Settled, Field(discriminator="task")]
    is_watched: bool
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Stop this job. A job that is not running (any more) is ignored."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Somebody is watching this job now, or nobody is any more, which decides whether previews are worth making."""

    job_id: str
    is_watched: bool


@dataclass(frozen=True, kw_only=True)
class Adjust:
    """What is held from now on: as many gigabytes of checkpoints, by default a share of the device's memory, each for
    as many minutes after its last use; 0: for as long as there is room. `mirror` is asked in place of the Hub.
    """

    model_memory_gb: float | None
    idle_minutes: float
    mirror: str | None


@dataclass(frozen=True, kw_only=True)
class Exit:
    """End the process."""


# --- from the worker -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The engine is ready for work. `memory_total_bytes` is the device's."""

    device: str
    precision: str
    memory_total_bytes: int


@dataclass(frozen=True, kw_only=True)
class Emitted:
    """Something happened in the job."""

    job_id: str
    event: EngineEvent


@dataclass(frozen=True, kw_only=True)
class RawImage:
    """A finished picture, not saved yet: `rgb` is height × width × 3 bytes, row by row.

    `info` says what really happened (steps run, size, fallbacks, device, precision, checkpoint hash, …).
    """

    width: int
    height: int
    rgb: bytes = field(repr=False)
    seed: int
    info: dict[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """The job's next picture, sent once all of them are finished. Each has its own message: together they might be
    gigabytes.
    """

    job_id: str
    image: RawImage


@dataclass(frozen=True, kw_only=True)
class Done:
    """The job is finished, and its pictures have been sent."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class CancelledJob:
    """The job stopped because it was told to."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class FailedJob:
    """The job failed. `kind` and `details` are those of a DarkroomError, or `internal` for anything unexpected;
    `traceback` is only for the log.
    """

    job_id: str
    kind: str
    details: dict[str, Detail] = field(default_factory=dict)
    traceback: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Status:
    """The device memory that the engine uses at the moment, and the past jobs whose steps it still has, each with the
    images (from 0) that the steps belong to.
    """

    memory_used_bytes: int
    kept: dict[str, tuple[int, ...]] = field(default_factory=dict)


ToWorker = Run | Cancel | Watch | Adjust | Exit
FromWorker = Ready | Emitted | Drawn | Done | CancelledJob | FailedJob | Status
MESSAGES = (*get_args(ToWorker), *get_args(FromWorker))
