"""One Darkroom for one data folder: a lock of the operating system, which ends with its process however that ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from webui.errors import FolderInUse
from webui.storage.files import naming_refusals

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


class FolderLock:
    """Held from construction until `close` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        """Raises FolderInUse while another process, or another Storage of this one, holds it."""
        with naming_refusals(folder):
            self._file = open(folder / ".lock", "ab")  # noqa: SIM115 – stays open as long as the lock is held
        try:
            _lock(self._file)
        except OSError as error:
            self._file.close()
            raise FolderInUse(folder=str(folder)) from error
        os.set_inheritable(self._file.fileno(), False)

    def close(self) -> None:
        """Gives the folder back."""
        self._file.close()
