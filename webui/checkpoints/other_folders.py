"""Which folders of other programs are read: those of the flags, and those that the operator added on the page.

The added ones are kept in a small file of the data folder, which the web process writes and the worker reads, so that a
new one works at once in both. Knows no models.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from webui.checkpoints.invokeai import DATABASE
from webui.checkpoints.places import COMFYS_FILE, Place, other_places
from webui.checkpoints.replacing import replacing_text
from webui.settings import Settings

FILE_NAME = "model-folders.json"
_MAX_FILE_BYTES = 2**20
_log = logging.getLogger(__name__)


class OtherFolders:
    """Looks again at every call. Thread-safe."""

    def __init__(self, given: Sequence[Path] = (), file: Path | None = None) -> None:
        """`given` by flags; `file` is where those that were added are kept, if anywhere."""
        self.given = tuple(Path(os.path.abspath(folder.expanduser())) for folder in given)
        self._file = file
        self._lock = threading.Lock()
        self._known: tuple[object, tuple[Place, ...]] = (None, ())

    def places(self) -> tuple[Place, ...]:
        """All of them, those that are not there at the moment too."""
        folders = self.folders()
        stamp = tuple((folder, *map(_time, (folder, *_tell_tales(folder)))) for folder in folders)
        with self._lock:
            if self._known[0] != stamp:
                self._known = stamp, other_places(folders)
            return self._known[1]

    def folders(self) -> tuple[Path, ...]:
        """The folders, each once."""
        return tuple(dict.fromkeys((*self.given, *self.added())))

    def added(self) -> tuple[Path, ...]:
        """Those that do not come from flags."""
        if self._file is None:
            return ()
        try:
            if self._file.stat().st_size > _MAX_FILE_BYTES:
                return ()
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return ()
        return tuple(Path(one) for one in found if isinstance(one, str)) if isinstance(found, list) else ()

    def add(self, folder: Path) -> None:
        """Reads it from now on. Raises OSError where that cannot be kept."""
        self._write(tuple(dict.fromkeys((*self.added(), folder))))

    def remove(self, folder: Path) -> None:
        """Forgets one that was added; nothing in it changes. Raises OSError."""
        self._write(tuple(one for one in self.added() if one != folder))

    @contextmanager
    def replacing(self, folders: Sequence[Path]) -> Iterator[None]:
        """Reads these and no others, beside those of flags, once the block has ended without an error. Raises
        OSError."""
        if self._file is None:
            raise OSError("there is no file to keep folders in")
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with replacing_text(self._file, json.dumps([str(folder) for folder in dict.fromkeys(folders)], indent=1)):
            yield

    def _write(self, folders: Sequence[Path]) -> None:
        with self.replacing(folders):
            pass


def other_folders(settings: Settings) -> OtherFolders:
    """Those of one run."""
    return OtherFolders(settings.extra_models_dir, settings.data_dir / FILE_NAME)


def _tell_tales(folder: Path) -> tuple[Path, ...]:
    """What a place is recognised by beside the folder itself."""
    databases = [program / DATABASE for program in (folder, folder.parent)]
    logs = [database.with_name(f"{database.name}-wal") for database in databases]
    return (
        folder / "models", folder / "embeddings", folder.parent / "embeddings", folder / COMFYS_FILE, *databases, *logs,
    )  # fmt: skip


def _time(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
