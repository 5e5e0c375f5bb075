"""A download as it looks at one moment: all that a page shows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from webui.downloads.download import Download, Problem, State
from webui.downloads.files import RemoteFile


@dataclass(frozen=True, kw_only=True)
class FileView:
    """One file. `linked`: it was on this machine already."""

    name: str
    size_bytes: int
    bytes_done: int
    state: Literal["waiting", "running", "finished", "linked"]


@dataclass(frozen=True, kw_only=True)
class DownloadView:
    """`position` counts those that wait, from 1. `problem` is why nothing comes although it runs, `error` why it
    failed. `places` are paths below the models folder."""

    id: str
    name: str
    source: dict[str, Any]
    state: State
    position: int
    bytes_done: int
    bytes_total: int
    bytes_per_second: float | None
    seconds_left: float | None
    files: tuple[FileView, ...]
    places: tuple[str, ...]
    repository: str | None
    revision: str | None
    license: str | None
    problem: Problem | None
    error: Problem | None
    created: float
    finished: float | None


def view_of(
    download: Download, position: int, speed: float | None, bytes_here: Callable[[RemoteFile], int]
) -> DownloadView:
    """The download as it is now; `speed` in bytes a second."""
    is_finished = download.state is State.FINISHED
    files = tuple(_file(download, file, is_finished, bytes_here) for file in download.plan.files)
    done, total = sum(file.bytes_done for file in files), download.plan.size_bytes
    plan = download.plan
    return DownloadView(
        id=download.id,
        name=plan.name,
        source=plan.source,
        state=download.state,
        position=position,
        bytes_done=done,
        bytes_total=total,
        bytes_per_second=speed,
        seconds_left=(total - done) / speed if speed else None,
        files=files,
        places=tuple(download.places[number] for number in sorted(download.places)),
        repository=plan.repository,
        revision=plan.revision,
        license=plan.license,
        problem=download.problem,
        error=download.error,
        created=download.created,
        finished=download.finished,
    )


def _file(download: Download, file: RemoteFile, is_finished: bool, bytes_here: Callable[[RemoteFile], int]) -> FileView:
    is_done = is_finished or file.key in download.done
    here = file.size_bytes if is_done else 0 if download.state is State.CANCELLED else bytes_here(file)
    state: Literal["waiting", "running", "finished", "linked"] = "running" if here and not is_done else "waiting"
    if is_done:
        state = "linked" if file.key in download.linked else "finished"
    return FileView(name=file.name, size_bytes=file.size_bytes, bytes_done=here, state=state)
