"""The gallery: finished pictures as ordinary PNG files, and the index that finds them by page and by owner.

The index can be rebuilt from the files; a file that is damaged or gone does not hide the others. A deleted picture can
be restored for an hour. Knows no HTTP and no queue.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import logging
import secrets
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from PIL import Image

from webui.errors import PictureNotFound
from webui.events import PictureInfo
from webui.requests import Request, to_dict
from webui.storage.database import Database
from webui.storage.files import write_atomically
from webui.storage.listing import EVERYTHING, Wanted, count, first_by_checkpoint, rows_before
from webui.storage.marks import Marks
from webui.storage.metadata import png_info
from webui.storage.owners import Owner, check_place, owner_of_key
from webui.storage.paths import StoredPath
from webui.storage.search import words_of
from webui.storage.thumbnails import Thumbnails
from webui.worker.messages import RawImage

log = logging.getLogger(__name__)

KEPT_DELETED_SECONDS = 3600.0
MAX_PAGE = 200
# Measured on 1024² with noise: level 1 takes a quarter of the time of Pillow's default 6, for 8 % more bytes.
_COMPRESS_LEVEL = 1


# Whose folder it is, for when the database has to be made again from the files.
OWNER_FILE = ".owner"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture of the gallery.

    `request` is the job's settled request as JSON, in whatever schema version it had; `seed` is this picture's own;
    `created` is in seconds since 1970; `position` counts from 0 within its job. `score`, `rank`, `critic` and `kept`
    are as in PictureInfo; `starred`: it is one of its owner's favourites.
    """

    id: str
    owner: Owner = field(repr=False)
    job_id: str
    position: int
    path: StoredPath
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
    starred: bool = False

    @property
    def info(self) -> PictureInfo:
        """The picture as a job lists it."""
        own = {f.name: getattr(self, f.name) for f in fields(PictureInfo) if f.name != "image"}
        return PictureInfo(image=self.position, **own)


class Pictures:
    """Files below `folder/<owner's hash>/<day>/`, rows in the database, thumbnails on demand."""

    def __init__(self, folder: StoredPath, database: Database, thumbnails: Thumbnails, marks: Marks) -> None:
        self.folder = folder
        self._database = database
        self._thumbnails = thumbnails
        self.marks = marks

    def save(self, owner: Owner, job_id: str, request: Request, raw: RawImage, position: int = 0) -> PictureInfo:
        """Writes the PNG, then its row, and returns the picture's info.

        Saving the same position of a job again replaces the file and keeps the id. Raises DiskFull, FolderNotWritable;
        then there is neither a file nor a row.
        """
        check_place(owner, self.folder)
        content = encode_png(request, raw)
        now = time.time()
        path = self.folder / folder_name(owner) / time.strftime("%Y-%m-%d")
        path /= file_name(job_id, raw.seed, position, now)
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
        """Adds the row for a file that is already in place, and its words for searching."""
        check_place(picture.owner, self.folder)
        values = {
            "id": picture.id,
            "owner": picture.owner,
            "job_id": picture.job_id,
            "position": picture.position,
            "path": picture.path.relative_to(self.folder).as_posix(),
            "task": picture.task,
            "request": json.dumps(picture.request, ensure_ascii=False),
            "schema_version": picture.request.get("schema_version", 1),
            "seed": picture.seed,
            "width": picture.width,
            "height": picture.height,
            "sha256": picture.sha256,
            "created": picture.created,
            "score": picture.score,
            "rank": picture.rank,
            "critic": picture.critic,
            "kept": int(picture.kept),
        }
        changes = ", ".join(f"{name} = excluded.{name}" for name in values)
        with self._database.transaction() as connection:
            connection.execute(
                f"INSERT INTO pictures ({', '.join(values)}) VALUES ({', '.join('?' for _ in values)})"
                f" ON CONFLICT (job_id, position) DO UPDATE SET {changes}, deleted = NULL",
                tuple(values.values()),
            )
            number = connection.execute("SELECT number FROM pictures WHERE id = ?", (picture.id,)).fetchone()[0]
            connection.execute("DELETE FROM picture_words WHERE rowid = ?", (number,))
            connection.execute(
                "INSERT INTO picture_words (rowid, words) VALUES (?, ?)",
                (number, words_of(values["request"], picture.position)),
            )

    def get(self, owner: Owner, id: str) -> Picture:
        """Raises PictureNotFound if the picture does not exist, was deleted, lost its file, or belongs to somebody
        else."""
        row = self._database.row("SELECT * FROM pictures WHERE id = ? AND owner = ? AND deleted IS NULL", (id, owner))
        picture = self._read(row) if row else None
        if picture is None:
            raise PictureNotFound(picture=id[:80])
        return picture

    def list(
        self, owner: Owner, before: str | None = None, limit: int = 50, wanted: Wanted = EVERYTHING
    ) -> list[Picture]:
        """The `wanted` pictures, newest first. `before` is the id of the last one on the previous page. A page shorter
        than `limit` (at most MAX_PAGE) is the last. Raises PictureNotFound for an unknown `before`."""
        length = max(1, min(limit, MAX_PAGE))
        rows = rows_before(self._database, owner, self._number(owner, before), length, wanted)
        readable = (picture for row in rows if (picture := self._read(row)) is not None)
        return list(itertools.islice(readable, length))

    def count(self, owner: Owner, wanted: Wanted = EVERYTHING) -> int:
        """The number of `wanted` pictures, including those without a file."""
        return count(self._database, owner, wanted)

    def those(self, owner: Owner, ids: Sequence[str]) -> Sequence[Picture]:
        """Those of the given pictures that exist and belong to the owner, in the same order."""
        found = {}
        for first in range(0, len(ids), MAX_PAGE):
            some = ids[first : first + MAX_PAGE]
            marks = ", ".join("?" for _ in some)
            statement = f"SELECT * FROM pictures WHERE owner = ? AND deleted IS NULL AND id IN ({marks})"
            for row in self._database.rows(statement, (owner, *some)):
                if (picture := self._read(row)) is not None:
                    found[picture.id] = picture
        return [found[id] for id in ids if id in found]

    def first_by_checkpoint(self, owner: Owner) -> Mapping[str, str]:
        """The id of the owner's oldest picture with each checkpoint."""
        return first_by_checkpoint(self._database, owner)

    def of_job(self, job_id: str) -> tuple[PictureInfo, ...]:
        """What a job has saved so far, in order, including deleted pictures."""
        rows = self._database.rows(
            "SELECT id, seed, width, height, position AS image, score, rank, critic, kept FROM pictures"
            " WHERE job_id = ? ORDER BY position",
            (job_id,),
        )
        return tuple(PictureInfo(**(dict(row) | {"kept": bool(row["kept"])})) for row in rows)

    def keep(self, owner: Owner, id: str, *, kept: bool = True) -> Picture:
        """Adds a picture that fits less well to those that are kept, or undoes that (only for one that was judged).

        Returns the picture as it is afterwards. Its file still has the critic's verdict. Raises PictureNotFound.
        """
        self._change(owner, [id], "kept", int(kept), "deleted IS NULL AND rank IS NOT NULL")
        return self.get(owner, id)

    def left_of(self, ids: Sequence[str]) -> Mapping[str, bool]:
        """Those of these pictures that are not deleted, and whether each is kept now."""
        marks = ", ".join("?" for _ in ids)
        rows = self._database.rows(
            f"SELECT id, kept FROM pictures WHERE deleted IS NULL AND id IN ({marks})", tuple(ids)
        )
        return {row["id"]: bool(row["kept"]) for row in rows}

    def star(self, owner: Owner, ids: Sequence[str], *, starred: bool = True) -> frozenset[str]:
        """Marks pictures as favourites, or undoes that; returns those that exist."""
        return self._change(owner, ids, "starred", int(starred), "deleted IS NULL")

    def delete(self, owner: Owner, id: str) -> None:
        """Removes a picture from the gallery at once, and from the disk an hour later. Deleting twice is fine. Raises
        PictureNotFound."""
        if not self.delete_all(owner, [id]):
            raise PictureNotFound(picture=id[:80])

    def delete_all(self, owner: Owner, ids: Sequence[str]) -> frozenset[str]:
        """The same for many; returns those that existed."""
        now = time.time()
        deleted = self._change(owner, ids, "deleted", now)
        self.purge()
        return deleted

    def restore(self, owner: Owner, id: str) -> None:
        """Undoes `delete`. Raises PictureNotFound once it is purged."""
        if not self.restore_all(owner, [id]):
            raise PictureNotFound(picture=id[:80])

    def restore_all(self, owner: Owner, ids: Sequence[str]) -> frozenset[str]:
        """The same for many; returns those that are back."""
        return self._change(owner, ids, "deleted", None)

    def purge(self, older_than_seconds: float = KEPT_DELETED_SECONDS) -> int:
        """Removes the files and rows of pictures that were deleted long enough ago; returns how many."""
        rows = self._database.rows("SELECT * FROM pictures WHERE deleted < ?", (time.time() - older_than_seconds,))
        for row in rows:
            (self.folder / row["path"]).unlink(missing_ok=True)
            self._thumbnails.forget(row["id"])
            with self._database.transaction() as connection:
                connection.execute("DELETE FROM picture_words WHERE rowid = ?", (row["number"],))
                connection.execute("DELETE FROM pictures WHERE number = ?", (row["number"],))
        return len(rows)

    def thumbnail(self, owner: Owner, id: str, size: int) -> StoredPath:
        """A WebP whose longest side is about `size` pixels, made once. Raises PictureNotFound."""
        return self._thumbnails.path(id, self.get(owner, id).path, size)

    def _name_owner(self, owner: Owner) -> None:
        path = self.folder / folder_name(owner) / OWNER_FILE
        if not path.is_file():
            write_atomically(path, owner.key.encode())

    def _number(self, owner: Owner, before: str | None) -> int:
        if before is None:
            return 2**62
        row = self._database.row("SELECT number FROM pictures WHERE id = ? AND owner = ?", (before, owner))
        if row is None:
            raise PictureNotFound(picture=before[:80])
        return int(row["number"])

    def _change(
        self, owner: Owner, ids: Sequence[str], column: str, value: float | None, condition: str = "1"
    ) -> frozenset[str]:
        """Sets one column of this owner's pictures among `ids`, and writes it to their marks; returns the ids that
        exist."""
        changed: dict[str, str] = {}
        with self._database.transaction() as connection:
            for id in ids:
                row = connection.execute(
                    f"UPDATE pictures SET {column} = ? WHERE id = ? AND owner = ? AND {condition} RETURNING path",
                    (value, id, owner),
                ).fetchone()
                if row is not None:
                    changed[id] = row["path"]
        self.marks.mark(owner, changed.values(), column, bool(value))
        return frozenset(changed)

    def _read(self, row: sqlite3.Row) -> Picture | None:
        values = {name: row[name] for name in row.keys()}  # noqa: SIM118 – a Row iterates over values
        for name in ("number", "schema_version", "deleted"):
            del values[name]
        path = self.folder / values.pop("path")
        try:
            request = json.loads(values.pop("request"))
        except ValueError:
            log.warning("cannot read the row of picture %s", row["id"])
            return None
        values["owner"] = owner_of_key(row["owner"])
        for name in ("kept", "starred"):
            values[name] = bool(values[name])
        return Picture(path=path, request=request, **values) if path.is_file() else None


def verdict_of(info: Mapping[str, Any]) -> dict[str, Any]:
    """The critic's verdict in a picture's `info`, as fields of a Picture; empty if there is none, or if somebody else
    wrote something different there."""
    score, rank, critic, kept = (info.get(name) for name in ("score", "rank", "critic", "kept"))
    if not isinstance(score, int | float) or not isinstance(rank, int) or not isinstance(critic, str):
        return {}
    return {"score": float(score), "rank": rank, "critic": critic, "kept": bool(kept)}


def folder_name(owner: Owner) -> str:
    """The name of an owner's folder. It is a hash, because a user's name may contain anything."""
    return hashlib.sha256(owner.key.encode()).hexdigest()[:16]


def file_name(job_id: str, seed: int, position: int, created: float) -> str:
    """A name that sorts by time, contains the seed and names its job, so that a file without a row can be matched
    again.
    """
    return f"{datetime.fromtimestamp(created):%H%M%S}-{seed}-{job_id}-{position}.png"


def encode_png(request: Request, raw: RawImage) -> bytes:
    """The picture's file: 8-bit RGB with its metadata. Raises ValueError if `rgb` is not height × width × 3 bytes."""
    image = Image.frombytes("RGB", (raw.width, raw.height), raw.rgb)
    content = io.BytesIO()
    image.save(content, "PNG", compress_level=_COMPRESS_LEVEL, pnginfo=png_info(request, raw))
    return content.getvalue()
