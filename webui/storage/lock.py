"""Only one Darkroom for each data folder: a lock of the operating system, which ends with its process however that
ends.
"""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from webui.errors import FolderInUse
from webui.storage.files import naming_refusals


class FolderLock:
    """Held from construction until `close`, from any thread, or until the process ends."""

    def __init__(self, folder: Path) -> None:
        """Raises FolderInUse while another process, or another Storage of this one, holds it."""
        # The file is kept, so that nothing but the system's own lock counts, which no crash leaves behind.
        self._lock = FileLock(folder / ".lock", blocking=False, thread_local=False, preserve_lock_file=True)
        try:
            with naming_refusals(folder):
                self._lock.acquire()
        except Timeout as error:
            raise FolderInUse(folder=str(folder)) from error

    def close(self) -> None:
        """Releases the folder."""
        self._lock.release()
