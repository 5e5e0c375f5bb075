"""One download and its state, kept as a small file of its own so that a restart goes on where the last run ended."""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from webui.downloads.plan import Plan
from webui.errors import DarkroomError, Detail
from webui.storage.files import make_folder, write_atomically

_log = logging.getLogger(__name__)


class State(StrEnum):
    """Of a download. `failed` can be resumed; `finished` and `cancelled` cannot."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNENDED = (State.WAITING, State.RUNNING, State.PAUSED)


@dataclass(frozen=True)
class Problem:
    """An error as data, to be worded when it is shown."""

    kind: str
    details: dict[str, Detail] = field(default_factory=dict)

    @classmethod
    def of(cls, error: DarkroomError) -> Problem:
        """The error's own."""
        return cls(error.kind, dict(error.details))


@dataclass(kw_only=True)
class Download:
    """`places` are paths below models/, one for each item as soon as it is chosen; those `borrowed` were there before.
    Times are seconds since 1970. What has come and was taken off the list is still known: who waited for it may ask.

    `done` are the keys of files that are whole, `linked` of those that were here before; both are found again.
    """

    id: str = field(default_factory=lambda: secrets.token_hex(8))
    plan: Plan
    state: State = State.WAITING
    created: float = field(default_factory=time.time)
    finished: float | None = None
    places: dict[int, str] = field(default_factory=dict)
    borrowed: set[int] = field(default_factory=set)
    error: Problem | None = None
    is_listed: bool = True
    problem: Problem | None = field(default=None, repr=False)  # why nothing comes at the moment
    done: set[str] = field(default_factory=set, repr=False)
    linked: set[str] = field(default_factory=set, repr=False)


@dataclass(frozen=True, kw_only=True)
class _Kept:
    id: str
    plan: Plan
    state: State
    created: float
    finished: float | None
    places: dict[int, str]
    borrowed: set[int]
    error: Problem | None
    is_listed: bool = True


_ADAPTER: TypeAdapter[_Kept] = TypeAdapter(_Kept)


class DownloadFiles:
    """The small files, one for each download that is not cancelled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, download: Download) -> None:
        """As it is now. Raises DiskFull, FolderNotWritable."""
        kept = _Kept(**{name: getattr(download, name) for name in _Kept.__dataclass_fields__})
        write_atomically(self._path(download.id), _ADAPTER.dump_json(kept, indent=1))

    def forget(self, id: str) -> None:
        """No more of it at the next start."""
        self._path(id).unlink(missing_ok=True)

    def load(self) -> list[Download]:
        """All, oldest first; what was running waits. A file that cannot be read is left alone and named in the log."""
        make_folder(self.folder)
        found = []
        for path in self.folder.glob("download-*.json"):
            try:
                kept = _ADAPTER.validate_json(path.read_bytes())
            except (OSError, ValidationError, DarkroomError) as error:
                _log.warning("cannot read the download in %s: %s", path.name, error)
                continue
            values: dict[str, Any] = {name: getattr(kept, name) for name in _Kept.__dataclass_fields__}
            found.append(Download(**values))
        for download in found:
            if download.state is State.RUNNING:
                download.state = State.WAITING
        return sorted(found, key=lambda download: (download.created, download.id))

    def _path(self, id: str) -> Path:
        return self.folder / f"download-{id}.json"
