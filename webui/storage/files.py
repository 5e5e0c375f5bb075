"""Writes files so that a crash, a full disk or a power cut leaves the old file or the new one, never half of one.

Knows nothing about pictures or the database; turns what the system refuses into domain errors.
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
    """Turns the errors of the system and of SQLite about space, permissions and locks into DiskFull, FolderNotWritable
    and DatabaseLocked.
    """
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
    """Makes the folder and its parents, if they do not exist. Raises FolderNotWritable, DiskFull."""
    with naming_refusals(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise FolderNotWritable(folder=str(folder)) from error


def write_atomically(path: StoredPath, content: bytes, *, is_secret: bool = False) -> None:
    """Writes `content` to `path`, completely or not at all, and durably. If it `is_secret`, only the program's user may
    read the file.

    It writes to a temporary name in the same folder (so that renaming never crosses a file system), flushes it to the
    disk, renames it, and flushes the folder's entry. A path in memory simply takes the content. Raises DiskFull,
    FolderNotWritable, or the OSError; nothing temporary is left then.
    """
    if not isinstance(path, Path):
        path.write_bytes(content)
        return
    make_folder(path.parent)
    temporary = path.parent / f"{TEMPORARY}{secrets.token_hex(8)}"
    with naming_refusals(path.parent):
        try:
            with open(temporary, "xb", opener=_open_for_owner if is_secret else None) as file:
                file.write(content)
                file.flush()
                _flush(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def _open_for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def append_durably(path: Path, lines: bytes) -> None:
    """Adds whole lines to a file, which is made if it does not exist.

    A line that a killed process left half-written is ended first, so that it spoils no other. Raises DiskFull,
    FolderNotWritable, or the OSError.
    """
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
    """Flushes to the disk itself; macOS' fsync only reaches the disk's own cache."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Flushes the folder's own entries; Windows cannot do that and does not need it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep_temporary(folder: Path, *, is_deep: bool = True) -> int:
    """Removes what a killed process left half-written in `folder` (and with `is_deep` below it); returns how many files
    and folders were removed.

    Only to be called while nobody writes there.
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
