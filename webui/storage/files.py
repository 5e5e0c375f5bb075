"""Writing files so that a crash, a full disk or a pulled plug leaves the old file or the new one, never half of one.

Knows nothing of pictures or the database; words what the system refuses as errors of the domain.
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from webui.errors import DatabaseLocked, DiskFull, FolderNotWritable
from webui.storage.paths import StoredPath

if sys.platform == "darwin":
    import fcntl

log = logging.getLogger(__name__)

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}
TEMPORARY = ".tmp-"  # how every name begins that is not meant to outlive its process


@contextmanager
def naming_refusals(folder: Path) -> Iterator[None]:
    """Turns what the system or SQLite says about room, rights and locks into DiskFull, FolderNotWritable and
    DatabaseLocked."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFull(folder=str(folder)) from error
        if error.errno in _NOT_WRITABLE:
            raise FolderNotWritable(folder=str(folder)) from error
        raise
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code, without its extension
        if code == sqlite3.SQLITE_FULL:
            raise DiskFull(folder=str(folder)) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise DatabaseLocked(folder=str(folder)) from error
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise FolderNotWritable(folder=str(folder)) from error
        raise


def make_folder(folder: Path) -> None:
    """The folder with its parents, if it is not there. Raises FolderNotWritable, DiskFull."""
    with naming_refusals(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise FolderNotWritable(folder=str(folder)) from error


def write_atomically(path: StoredPath, content: bytes) -> None:
    """Puts `content` at `path`, whole or not at all, and durably.

    Temporary name in the same folder (so that the renaming never crosses a file system), flush to the disk, rename,
    flush of the folder's entry. A path in memory takes it as it is. Raises DiskFull, FolderNotWritable, or the OSError;
    then nothing temporary is left.
    """
    if not isinstance(path, Path):
        path.write_bytes(content)
        return
    make_folder(path.parent)
    temporary = path.parent / f"{TEMPORARY}{secrets.token_hex(8)}"
    with naming_refusals(path.parent):
        try:
            with open(temporary, "xb") as file:
                file.write(content)
                file.flush()
                _flush(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def append_durably(path: Path, lines: bytes) -> None:
    """Adds whole lines to a file, or makes it. A line that a killed process left half written is ended first, so that
    it spoils no other. Raises DiskFull, FolderNotWritable, or the OSError."""
    make_folder(path.parent)
    with naming_refusals(path.parent), open(path, "a+b") as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            lines = lines if file.read(1) == b"\n" else b"\n" + lines
        file.write(lines)
        file.flush()
        _flush(file.fileno())


def _flush(descriptor: int) -> None:
    """To the disk itself; macOS' fsync ends at the disk's own cache."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Flushes the folder's own entries; Windows has no such thing and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep_temporary(folder: Path, *, is_deep: bool = True) -> int:
    """Removes what a killed process left half written in `folder` (and, `is_deep`, below it); only while nobody writes
    there.

    Returns how many files and folders went.
    """
    removed = 0
    for parent, folders, names in os.walk(folder):
        for name in (name for name in names if name.startswith(TEMPORARY)):
            with suppress(OSError):
                os.unlink(os.path.join(parent, name))
                removed += 1
        for name in (name for name in folders if name.startswith(TEMPORARY)):
            shutil.rmtree(os.path.join(parent, name), ignore_errors=True)
            removed += 1
        folders[:] = [name for name in folders if is_deep and not name.startswith(TEMPORARY)]
    if removed:
        log.info("removed %d unfinished files below %s", removed, folder)
    return removed
