"""The gallery: finished pictures as ordinary PNG files, and the index that finds them by page and by owner.

The index can be rebuilt from the files; one file that is damaged or gone hides no other. A picture that is deleted can
be brought back for an hour. Knows no HTTP and no queue.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import Image

from webui.errors import PictureNotFound
from webui.events import PictureInfo
from webui.requests import Request, to_dict
from webui.storage.database import Database
from webui.storage.files import write_atomically
from webui.storage.metadata import png_info
from webui.storage.thumbnails import Thumbnails
from webui.worker_messages import RawImage

log = logging.getLogger(__name__)

KEPT_DELETED_SECONDS = 3600.0
MAX_PAGE = 200
# Measured on 1024² with noise: level 1 takes a quarter of the time of Pillow's default 6, for 8 % more bytes.
_COMPRESS_LEVEL = 1


# Whose folder it is, for when the database has to be made again from the files.
OWNER_FILE = ".owner"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture of the gallery. `request` is the job's resolved request as JSON, of whatever schema version it had;
    `seed` this picture's own; `created` in seconds since 1970; `position` counts from 0 within its job; the last four
    as in PictureInfo."""

    id: str
    owner: str = field(repr=False)
    job_id: str
    position: int
    path: Path
    task: str
    request: dict[str, Any]
    seed: int
    width: int
    height: int
    sha256: str
    created: float
    score: float | None = None
    rank: int | None = None
    critic: str | None = None
    kept: bool = True

    @property
    def info(self) -> PictureInfo:
        """As a job names it."""
        return PictureInfo(**{f.name: getattr(self, f.name) for f in fields(PictureInfo)})


class Pictures:
    """Files below `folder/<owner's hash>/<day>/`, rows in the database, thumbnails on demand."""

    def __init__(self, folder: Path, database: Database, thumbnails: Thumbnails) -> None:
        self.folder = folder
        self._database = database
        self._thumbnails = thumbnails

    def save(self, owner: str, job_id: str, request: Request, raw: RawImage, position: int = 0) -> PictureInfo:
        """Writes the PNG, then its row; what it is called from now on. Saving the same place of a job again replaces
        the file and keeps the id. Raises DiskFull, FolderNotWritable; then neither file nor row is there."""
        content = encode_png(request, raw)
        now = time.time()
        path = self.owner_folder(owner) / time.strftime("%Y-%m-%d") / file_name(job_id, raw.seed, position, now)
        self._name_owner(owner)
        before = self._database.row("SELECT * FROM pictures WHERE job_id = ? AND position = ?", (job_id, position))
        write_atomically(path, content)
        picture = Picture(
            id=before["id"] if before else secrets.token_urlsafe(16),
            owner=owner,
            job_id=job_id,
            position=position,
            path=path,
            task=request.task,
            request=to_dict(request),
            seed=raw.seed,
            width=raw.width,
            height=raw.height,
            sha256=hashlib.sha256(content).hexdigest(),
            created=now,
            **verdict_of(raw.info),
        )
        try:
            self.insert(picture)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if before and (old := self.folder / before["path"]) != path:
            old.unlink(missing_ok=True)
            self._thumbnails.forget(picture.id)
        return picture.info

    def insert(self, picture: Picture) -> None:
        """The row for a file that lies in its place."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO pictures (id, owner, job_id, position, path, task, request, schema_version,"
                " seed, width, height, sha256, created, score, rank, critic, kept)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    picture.id,
                    picture.owner,
                    picture.job_id,
                    picture.position,
                    picture.path.relative_to(self.folder).as_posix(),
                    picture.task,
                    json.dumps(picture.request, ensure_ascii=False),
                    picture.request.get("schema_version", 1),
                    picture.seed,
                    picture.width,
                    picture.height,
                    picture.sha256,
                    picture.created,
                    picture.score,
                    picture.rank,
                    picture.critic,
                    int(picture.kept),
                ),
            )

    def get(self, owner: str, id: str) -> Picture:
        """Raises PictureNotFound for what is not there, was deleted, lost its file, or belongs to somebody else."""
        row = self._database.row("SELECT * FROM pictures WHERE id = ? AND owner = ? AND deleted IS NULL", (id, owner))
        picture = self._read(row) if row else None
        if picture is None:
            raise PictureNotFound(picture=id[:80])
        return picture

    def list(self, owner: str, before: str | None = None, limit: int = 50) -> list[Picture]:
        """Newest first; `before` is the id of the last one of the page before. A shorter page than `limit` (at most
        MAX_PAGE) is the last. Raises PictureNotFound for an unknown `before`."""
        found: list[Picture] = []
        wanted = max(1, min(limit, MAX_PAGE))
        for row in self._rows_before(owner, self._number(owner, before), wanted):
            picture = self._read(row)
            if picture is not None:
                found.append(picture)
            if len(found) == wanted:
                break
        return found

    def of_job(self, job_id: str) -> tuple[PictureInfo, ...]:
        """What a job has saved so far, in order, deleted ones too."""
        rows = self._database.rows(
            "SELECT id, seed, width, height, score, rank, critic, kept FROM pictures WHERE job_id = ?"
            " ORDER BY position",
            (job_id,),
        )
        return tuple(PictureInfo(**(dict(row) | {"kept": bool(row["kept"])})) for row in rows)

    def keep(self, owner: str, id: str, *, kept: bool = True) -> Picture:
        """Takes a picture that fits less among those that are kept, or back (then it must have been judged); as it is
        afterwards. The file still says what the critic said. Raises PictureNotFound."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE pictures SET kept = ? WHERE id = ? AND owner = ? AND deleted IS NULL AND rank IS NOT NULL",
                (int(kept), id, owner),
            )
        return self.get(owner, id)

    def kept_of(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of these pictures that are kept as of now."""
        marks = ", ".join("?" for _ in ids)
        rows = self._database.rows(f"SELECT id FROM pictures WHERE kept = 1 AND id IN ({marks})", tuple(ids))
        return frozenset(row["id"] for row in rows)

    def delete(self, owner: str, id: str) -> None:
        """Out of the gallery at once, off the disk an hour later. Twice is once. Raises PictureNotFound."""
        self._mark(owner, id, time.time())
        self.purge()

    def restore(self, owner: str, id: str) -> None:
        """Undoes `delete`. Raises PictureNotFound once it is purged."""
        self._mark(owner, id, None)

    def purge(self, older_than_seconds: float = KEPT_DELETED_SECONDS) -> int:
        """Removes the files and rows of what was deleted that long ago; how many there were."""
        rows = self._database.rows("SELECT * FROM pictures WHERE deleted < ?", (time.time() - older_than_seconds,))
        for row in rows:
            (self.folder / row["path"]).unlink(missing_ok=True)
            self._thumbnails.forget(row["id"])
            with self._database.transaction() as connection:
                connection.execute("DELETE FROM pictures WHERE number = ?", (row["number"],))
        return len(rows)

    def thumbnail(self, owner: str, id: str, size: int) -> Path:
        """A WebP whose longest side is about `size` pixels, made once. Raises PictureNotFound."""
        return self._thumbnails.path(id, self.get(owner, id).path, size)

    def owner_folder(self, owner: str) -> Path:
        """Their folder; a hash, for a user's name may hold anything."""
        return self.folder / hashlib.sha256(owner.encode()).hexdigest()[:16]

    def _name_owner(self, owner: str) -> None:
        path = self.owner_folder(owner) / OWNER_FILE
        if not path.exists():
            write_atomically(path, owner.encode())

    def has_file(self, path: Path) -> bool:
        """Whether there is a row for this file."""
        relative = path.relative_to(self.folder).as_posix()
        return self._database.row("SELECT 1 FROM pictures WHERE path = ?", (relative,)) is not None

    def _number(self, owner: str, before: str | None) -> int:
        if before is None:
            return 2**62
        row = self._database.row("SELECT number FROM pictures WHERE id = ? AND owner = ?", (before, owner))
        if row is None:
            raise PictureNotFound(picture=before[:80])
        return int(row["number"])

    def _rows_before(self, owner: str, number: int, page: int) -> Iterator[sqlite3.Row]:
        while True:
            rows = self._database.rows(
                "SELECT * FROM pictures WHERE owner = ? AND number < ? AND deleted IS NULL"
                " ORDER BY number DESC LIMIT ?",
                (owner, number, page),
            )
            yield from rows
            if len(rows) < page:
                return
            number = rows[-1]["number"]

    def _mark(self, owner: str, id: str, deleted: float | None) -> None:
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE pictures SET deleted = ? WHERE id = ? AND owner = ?", (deleted, id, owner)
            )
            if changed.rowcount == 0:
                raise PictureNotFound(picture=id[:80])

    def _read(self, row: sqlite3.Row) -> Picture | None:
        values = {name: row[name] for name in row.keys()}  # noqa: SIM118 – a Row iterates over values
        for name in ("number", "schema_version", "deleted"):
            del values[name]
        path = self.folder / values.pop("path")
        try:
            request = json.loads(values.pop("request"))
        except ValueError:
            log.warning("the row of picture %s cannot be read", row["id"])
            return None
        values["kept"] = bool(values["kept"])
        return Picture(path=path, request=request, **values) if path.is_file() else None


def verdict_of(info: Mapping[str, Any]) -> dict[str, Any]:
    """What a picture's `info` says of its being judged, as fields of a Picture; nothing where it was not, or where
    somebody else wrote something else there."""
    score, rank, critic, kept = (info.get(name) for name in ("score", "rank", "critic", "kept"))
    if not isinstance(score, int | float) or not isinstance(rank, int) or not isinstance(critic, str):
        return {}
    return {"score": float(score), "rank": rank, "critic": critic, "kept": bool(kept)}


def file_name(job_id: str, seed: int, position: int, created: float) -> str:
    """Sorts by time, says the seed, and names its job, so that a file without a row finds its way back."""
    return f"{datetime.fromtimestamp(created):%H%M%S}-{seed}-{job_id}-{position}.png"


def encode_png(request: Request, raw: RawImage) -> bytes:
    """The picture's file: 8-bit RGB with its metadata. ValueError if `rgb` is not height × width × 3 bytes."""
    image = Image.frombytes("RGB", (raw.width, raw.height), raw.rgb)
    content = io.BytesIO()
    image.save(content, "PNG", compress_level=_COMPRESS_LEVEL, pnginfo=png_info(request, raw))
    return content.getvalue()
