"""What a supervisor and its worker process say to each other: frozen dataclasses, over one pipe.

Kept apart from both halves, so that the engine need not know of jobs and the jobs not of torch. A worker is a function
`serve(connection, settings) -> None`; it first says `Ready`, then answers each `Run` with any number of `Emitted`, with
a `Drawn` for each picture, and in the end with one of `Done`, `CancelledJob`, `FailedJob`. It runs one job at a time.
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
    """Run this request. Pictures in it are references, at any depth; `pictures` has the normalised PNG of each
    that could be read, for a worker may be where no file of ours is."""

    job_id: str
    request: Annotated[Settled, Field(discriminator="task")]
    is_watched: bool
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Stop this job. One that is not running (any more) is none of the worker's business."""

    job_id: str


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Somebody watches this job now, or nobody does any more: previews are worth making, or are not."""

    job_id: str
    is_watched: bool


@dataclass(frozen=True, kw_only=True)
class Exit:
    """End the process."""


# --- from the worker -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The engine stands and waits for work. `memory_total_bytes` of the device."""

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
    """The job's next picture, once all of them are finished. One message each: together they might be gigabytes."""

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
    """The job failed. `kind` and `details` of a DarkroomError, `internal` for anything unexpected; `traceback` is for
    the log alone."""

    job_id: str
    kind: str
    details: dict[str, Detail] = field(default_factory=dict)
    traceback: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Status:
    """Memory of the device that the engine holds at the moment; and past jobs whose steps it still has, each with
    the images (from 0) that they are of."""

    memory_used_bytes: int
    kept: dict[str, tuple[int, ...]] = field(default_factory=dict)


ToWorker = Run | Cancel | Watch | Exit
FromWorker = Ready | Emitted | Drawn | Done | CancelledJob | FailedJob | Status
MESSAGES = (*get_args(ToWorker), *get_args(FromWorker))
