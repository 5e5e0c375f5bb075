"""Pictures without a row: added again after the database was lost, or after the program was killed between file and
row.

A picture's file says what made it. Its folder says who owns it; its name says when it was made and by which job.
Favourites and boards are in the file of marks beside the pictures. No pixel is decoded: a damaged picture that still
says what it is comes back as damaged as it was.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from PIL import Image

from webui.metadata.embedded_texts import texts_in
from webui.storage.boards import Board, Boards
from webui.storage.database import Database
from webui.storage.disk_pictures import DiskPictures
from webui.storage.files import TEMPORARY
from webui.storage.marks import Marks, MarksSaid
from webui.storage.metadata import parse_darkroom
from webui.storage.owners import Owner, owner_of_key
from webui.storage.pictures import OWNER_FILE, Picture, verdict_of

log = logging.getLogger(__name__)

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
# As `pictures.file_name` writes it; others may have saved it in another format.
_FILE_NAME = re.compile(r"(?P<time>\d{6})-\d+-(?P<job_id>[\w-]+)-(?P<position>\d{1,4})")
# What reading a file can raise, and writing down what it says.
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    OverflowError,
    RecursionError,
    Image.DecompressionBombError,
    sqlite3.Error,
)
_BATCH = 200  # rows that go to the disk together: a flush takes longer than all else about a picture
_NAMED_SECONDS = 2.0  # how far a file's own time may lie from its name's


@dataclass
class Rebuilt:
    """The result of rebuilding.

    `foreign` counts pictures that were not made here; `unreadable` and `ownerless` are paths of files and of folders
    below the pictures' folder.
    """

    pictures: int = 0
    owners: int = 0
    starred: int = 0
    boards: int = 0
    foreign: int = 0
    unreadable: list[str] = field(default_factory=list)
    ownerless: list[str] = field(default_factory=list)


def adopt_job(pictures: DiskPictures, owner: Owner, job_id: str) -> int:
    """Adds rows for a job's files that have none; returns how many."""
    paths = pictures.owner_folder(owner).glob(f"*/*-{job_id}-*.png")
    return sum(_adopt(pictures, owner, path, Rebuilt()) for path in paths)


def rebuild(
    pictures: DiskPictures,
    boards: Boards,
    database: Database,
    owners: Sequence[Owner] = (),
    say: Callable[[int], None] = lambda count: None,
) -> Rebuilt:
    """Adds rows for all pictures that have none, and applies again what people did with them.

    `owners` are the possible owners of folders that do not say whose they are. `say` is called now and then with the
    number of files looked at so far. A file that cannot be read is left alone.
    """
    report = Rebuilt()
    looked = 0
    for folder, owner in _folders(pictures, owners, report):
        paths = sorted(_files(folder), key=_moment)
        for first in range(0, len(paths), _BATCH):
            with database.transaction():
                report.pictures += sum(_adopt(pictures, owner, path, report) for path in paths[first : first + _BATCH])
            looked += len(paths[first : first + _BATCH])
            say(looked)
        report.owners += 1
        _mark_again(pictures, boards, database, owner, report)
    return report


def read_picture(path: Path, owner: Owner) -> Picture | None:
    """The picture in a file of ours, with a new id; None for one that was not made here. Raises one of _UNREADABLE if
    it cannot be read.
    """
    with path.open("rb") as file:
        text = next((text.text for text in texts_in(file) if text.name == "darkroom"), None)
        said = parse_darkroom(text)
        if said is None:
            return None
        json.dumps(said["request"], allow_nan=False)  # a number that no JSON has would spoil every page it is on
        file.seek(0)
        with Image.open(file, formats=tuple(set(FORMATS.values()))) as image:
            width, height = image.size
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    named = _FILE_NAME.fullmatch(path.stem)
    return Picture(
        id=secrets.token_urlsafe(16),
        owner=owner,
        job_id=named["job_id"] if named else f"found-{_digest(path.as_posix())}",
        position=int(named["position"]) if named else 0,
        path=path,
        task=str(said["request"].get("task", "")),
        request=said["request"],
        seed=said["seed"],
        width=width,
        height=height,
        sha256=digest,
        created=_moment(path),
        **verdict_of(said["info"] if isinstance(said.get("info"), dict) else {}),
    )


def marks_of(database: Database, owner: Owner) -> MarksSaid:
    """Everything that the database knows about what this owner did with their pictures."""
    said = MarksSaid()
    for row in database.rows(
        "SELECT path, starred, kept, rank, deleted FROM pictures WHERE owner = ?"
        " AND (starred = 1 OR deleted IS NOT NULL OR rank IS NOT NULL)",
        (owner,),
    ):
        known = {"starred": True} if row["starred"] else {}
        known |= {"deleted": True} if row["deleted"] is not None else {}
        said.pictures[row["path"]] = known | ({"kept": bool(row["kept"])} if row["rank"] is not None else {})
    for row in database.rows(
        "SELECT b.id, b.name, p.path FROM boards AS b LEFT JOIN board_pictures AS l ON l.board = b.number"
        " LEFT JOIN pictures AS p ON p.number = l.picture WHERE b.owner = ? AND b.deleted IS NULL",
        (owner,),
    ):
        said.boards[row["id"]] = row["name"]
        if row["path"] is not None:
            said.on_boards.setdefault(row["id"], {})[row["path"]] = None
    return said


def write_marks(database: Database, marks: Marks) -> None:
    """Rewrites the marks of all owners from the database. Raises DiskFull, FolderNotWritable."""
    for row in database.rows("SELECT owner FROM pictures UNION SELECT owner FROM boards"):
        owner = owner_of_key(row["owner"])
        marks.write(owner, marks_of(database, owner))


def _folders(pictures: DiskPictures, owners: Sequence[Owner], report: Rebuilt) -> Iterator[tuple[Path, Owner]]:
    """The owners' folders that contain anything, with the owner of each."""
    known = {pictures.owner_folder(owner).name: owner for owner in owners}
    for folder in sorted(path for path in pictures.folder.iterdir() if path.is_dir()):
        try:
            owner: Owner | None = Owner((folder / OWNER_FILE).read_text("utf-8"))
        except (OSError, ValueError):
            owner = known.get(folder.name)
        if owner is not None:
            yield folder, owner
        elif any(True for _ in _files(folder)):
            report.ownerless.append(folder.name)


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.glob("*/*"):
        if path.suffix.lower() in FORMATS and not path.name.startswith(TEMPORARY):
            yield path


def _adopt(pictures: DiskPictures, owner: Owner, path: Path, report: Rebuilt) -> int:
    """1 if this file got a new row, else 0."""
    if pictures.has_file(path):
        return 0
    relative = path.relative_to(pictures.folder).as_posix()
    try:
        picture = read_picture(path, owner)
        if picture is None:
            report.foreign += 1
            return 0
        if pictures.has_place(picture.job_id, picture.position):  # a copy of one that is there already
            picture = dataclasses.replace(picture, job_id=f"found-{_digest(relative)}", position=0)
        pictures.insert(picture)
    except _UNREADABLE as error:
        log.warning("cannot add %s to the gallery: %s", path.name, error)
        report.unreadable.append(relative)
        return 0
    return 1


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:22]


def _moment(path: Path) -> float:
    """When a picture was made: the file's own time, unless its name and folder say otherwise (it was copied)."""
    try:
        changed = path.stat().st_mtime
    except OSError:
        changed = 0.0
    named = _FILE_NAME.fullmatch(path.stem)
    try:
        said = datetime.strptime(f"{path.parent.name} {named['time']}", "%Y-%m-%d %H%M%S") if named else None
    except ValueError:
        said = None
    if said is None or abs(said.timestamp() - changed) <= _NAMED_SECONDS:
        return changed
    return said.timestamp()


def _mark_again(pictures: DiskPictures, boards: Boards, database: Database, owner: Owner, report: Rebuilt) -> None:
    """Applies the marks beside an owner's pictures, once their rows exist again."""
    said = pictures.marks.read(owner)
    with database.transaction() as connection:
        for path, values in said.pictures.items():
            for name, value in values.items():
                mark = (time.time() if value else None) if name == "deleted" else int(value)
                connection.execute(f"UPDATE pictures SET {name} = ? WHERE owner = ? AND path = ?", (mark, owner, path))
            report.starred += bool(values.get("starred"))
        for id, name in said.boards.items():
            boards.bring_back(owner, Board(id=id, name=name, created=time.time()), list(said.on_boards.get(id, ())))
        report.boards += len(said.boards)
