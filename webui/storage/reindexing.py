"""Rebuilds the database from the pictures alone, on request.

The old one stays beside the new one under another name. If it can still be read, what people did with their pictures is
first written to the files beside these.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from webui.errors import DarkroomError
from webui.storage.adoption import Rebuilt, write_marks
from webui.storage.database import Database
from webui.storage.disk_pictures import DiskPictures
from webui.storage.files import make_folder
from webui.storage.lock import FolderLock
from webui.storage.owners import Owner
from webui.storage.storage import DATABASE_NAME, Storage
from webui.storage.thumbnails import Thumbnails

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reindexed:
    """What was found again, and the path of the old database, if there was one."""

    rebuilt: Rebuilt
    kept: Path | None


def reindex(data_dir: Path, owners: Sequence[Owner], say: Callable[[int], None]) -> Reindexed:
    """Rebuilds the database of a data folder that no Darkroom is using.

    `owners`: the possible owners of folders that do not say whose they are; `say` is called with the number of files
    looked at so far. Raises FolderInUse, FolderNotWritable, DiskFull.
    """
    make_folder(data_dir)
    lock = FolderLock(data_dir)
    try:
        kept = _write_down(data_dir) or _set_aside(data_dir / DATABASE_NAME)
        shutil.rmtree(data_dir / "thumbnails", ignore_errors=True)  # their names are those of the old rows
    finally:
        lock.close()
    storage = Storage(data_dir, owners, say)
    try:
        rebuilt = storage.rebuilt or Rebuilt()
        write_marks(storage.database, storage.pictures.marks)
        return Reindexed(rebuilt, kept)
    finally:
        storage.close()


def _write_down(data_dir: Path) -> Path | None:
    """Writes down favourites, boards and the like, as far as the old database can be read.

    Returns the database's new path if it was damaged.
    """
    path = data_dir / DATABASE_NAME
    if not path.is_file():
        return None
    try:
        database = Database(path)
    except (DarkroomError, sqlite3.Error) as error:
        log.warning("cannot read the old database: %s", error)
        return None
    try:
        if database.set_aside is None:
            pictures = DiskPictures(data_dir / "pictures", database, Thumbnails(data_dir / "thumbnails"))
            write_marks(database, pictures.marks)
    except sqlite3.Error as error:
        log.warning("cannot read all of the old database: %s", error)
    finally:
        database.close()
    if database.set_aside is not None:
        path.unlink(missing_ok=True)  # the empty one that took its place
    return database.set_aside


def _set_aside(path: Path) -> Path | None:
    """Gives the old database another name; None if there is none."""
    if not path.is_file():
        return None
    kept = path.with_name(path.name + time.strftime(".before-reindex-%Y%m%d-%H%M%S"))
    while kept.exists():
        kept = kept.with_name(kept.name + "-again")
    for part in ("-wal", "-shm", ""):
        piece = path.with_name(path.name + part)
        if piece.exists():
            piece.replace(kept.with_name(kept.name + part))
    return kept
