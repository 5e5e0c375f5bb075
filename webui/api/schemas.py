"""The shapes of answers, for OpenAPI and for checking that the routes keep to them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel


class Submitted(BaseModel):
    """A job that is queued. `position` counts from 1 among all that wait; 0 when it runs already."""

    id: str
    position: int


class PictureOut(BaseModel):
    """A finished picture; `url` is relative."""

    id: str
    url: str
    seed: int
    width: int
    height: int


class ErrorOut(BaseModel):
    """What went wrong: `kind` for programs, the sentences for people, in the language that they asked for."""

    kind: str
    message: str
    hint: str


class ErrorAnswer(BaseModel):
    """Every answer that refuses, but for 422."""

    error: ErrorOut


class JobFailure(ErrorOut):
    """Why a job failed. `log_id` finds the traceback in the log."""

    log_id: str | None = None


class JobOut(BaseModel):
    """A job, its request resolved. `timings` in seconds."""

    id: str
    state: Literal["waiting", "running", "finished", "failed", "cancelled"]
    request: dict[str, Any]
    images: list[PictureOut]
    error: JobFailure | None
    timings: dict[str, float]
    created: float


class Uploaded(BaseModel):
    """A stored picture, upright; `id` goes into a request's picture field."""

    id: str
    width: int
    height: int


class CheckpointOut(BaseModel):
    """A checkpoint that can be named in a request, and what it does where the request leaves a value open."""

    id: str
    name: str
    family: str
    size_bytes: int
    defaults: dict[str, Any]


class SchedulerOut(BaseModel):
    """A scheduler; `aliases` are accepted too."""

    id: str
    name: str
    aliases: list[str]


class GalleryPicture(PictureOut):
    """A picture of the gallery. `created` in seconds since 1970."""

    thumbnail_url: str
    job: str
    request: dict[str, Any]
    created: float


class GalleryPage(BaseModel):
    """Newest first; `next` goes into `before` for the page after this, null on the last one."""

    pictures: list[GalleryPicture]
    next: str | None


ERRORS: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorAnswer}, "503": {"model": ErrorAnswer}}
