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
    fits: bool = Field(description="whether there is room for that, beside what other downloads still fetch")
    files: list[PlannedFileOut]


class LocalFileOut(BaseModel):
    """A file of this computer, by its header."""

    name: str
    kind: Literal["checkpoint", "lora", "embedding", "vae", "control", "upscaler"]
    family: str | None
    family_name: str | None
    size_bytes: int
    converts: bool = Field(description="it is pickled: a converted copy would be taken, and the file stays")


class LocalFileTaken(BaseModel):
    """What a file of this computer has become."""

    id: str
    kind: Literal["checkpoint", "lora", "embedding", "vae", "control", "upscaler"]
    how: Literal["hard_link", "symbolic_link", "moved", "copied", "converted"]


class OfferPartOut(BaseModel):
    """One repository of a bundle."""

    repository: str
    role: Literal["checkpoint", "lora", "tiny_decoder"]
    file: str | None
    name: str | None
    weight: float


class LicensePageOut(BaseModel):
    """Where the licence was read, and when."""

    url: str
    date: str


class OfferOut(BaseModel):
    """A bundle, and what it would be here. What only the Hub knows is null until it was asked; what a measurement
    tells, until it has been made."""

    id: str
    name: str
    purpose: str
    family: str
    parts: list[OfferPartOut]
    settings: dict[str, Any] = Field(description="fields of a request that go with it")
    prompt_suffix: str = Field(description="what to put behind every prompt, so that its LoRA is used")
    languages: list[str]
    edits: bool
    license: str | None
    may_sell: bool | None = Field(description="null where there are conditions, or nobody says")
    must_agree: bool | None
    license_pages: list[LicensePageOut]
    size_bytes: int | None
    read: float | None
    seconds_here: float | None = Field(description="for one picture at those settings")
    slow: bool | None = Field(description="more than a minute")
    memory_bytes: int | None
    fits: bool | None
    recommended: list[Literal["quick", "best", "edits"]]
    download: str | None
    state: State | None
    places: list[str] = Field(description="of its newest download: the checkpoint first")
