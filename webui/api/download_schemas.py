"""The shapes of answers about downloads and offers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from webui.api.schemas import JobFailure

State = Literal["waiting", "running", "paused", "finished", "failed", "cancelled"]


class DownloadStarted(BaseModel):
    """A download after a change. `position` counts those that wait, from 1."""

    id: str
    state: State
    position: int


class DownloadFileOut(BaseModel):
    """One file; `linked` was on this machine already."""

    name: str
    size_bytes: int
    bytes_done: int
    state: Literal["waiting", "running", "finished", "linked"]


class DownloadOut(DownloadStarted):
    """A download with its progress."""

    name: str
    source: dict[str, Any]
    bytes_done: int
    bytes_total: int
    bytes_per_second: float | None
    seconds_left: float | None
    files: list[DownloadFileOut]
    places: list[str] = Field(description="what it put where, as paths below the models folder")
    repository: str | None
    revision: str | None
    license: str | None
    problem: JobFailure | None = Field(description="why nothing comes at the moment, though it goes on by itself")
    error: JobFailure | None = Field(description="why it failed")
    created: float
    finished: float | None


class PlannedFileOut(BaseModel):
    """One file that would be there."""

    name: str
    size_bytes: int


class PlanOut(BaseModel):
    """What a download would bring."""

    name: str
    repository: str | None
    revision: str | None
    license: str | None
    gated: bool
    size_bytes: int
    bytes_to_fetch: int
    files: list[PlannedFileOut]
