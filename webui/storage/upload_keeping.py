"""How long uploads are kept, and how many unused ones a person may have.

An upload is needed while the gallery has a picture made from it, or while a job names it that has not ended or ended
recently (it can be tried again). The newest few of each person are kept in any case, because the page remembers its
pictures and shows them again weeks later. Everything else is deleted a day after it was last used. Knows the rows that
name uploads, but not what a request means: it looks for a reference in the request's text.
"""

from __future__ import annotations

import logging
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from webui.errors import DiskFull, UploadsFull
from webui.storage.database import Database
from webui.storage.owners import Owner, owner_of_key
from webui.storage.thumbnails import Thumbnails
from webui.storage.uploads import Uploads

log = logging.getLogger(__name__)

_REFERENCE = re.compile(r"sha256:([0-9a-f]{64})")
_PAGE = 500  # rows at a time, so that nobody waits long for the database
_RETRY_AFTER_SECONDS = 3600
GIGABYTE = 2**30


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Ages in seconds since the last use, sizes in bytes."""

    unused_seconds: float = 24 * 3600.0
    ended_job_seconds: float = 30 * 24 * 3600.0  # of a job that made no picture: somebody may still try it again
    orphan_seconds: float = 30 * 24 * 3600.0  # of a file without a row: what is left of a lost database
    newest_kept: int = 24  # the page has three fields for pictures; this is eight browsers
    unneeded_bytes: int = 4 * GIGABYTE  # of one owner: about eighty photographs of 24 megapixels
    unneeded_count: int = 2000
    free_bytes: int = 256 * 2**20  # of the disk: room to save what is being made, before more is taken in


class ChecksRoom(Protocol):
    """Says whether a person may upload more."""

    def check_room(self, owner: Owner) -> None:
        """Raises UploadsFull or DiskFull if this person may not upload another picture."""


class UploadKeeper:
    """Says whether a person may upload more, and deletes what nobody needs."""

    def __init__(
        self,
        folder: Path,
        database: Database,
        uploads: Uploads,
        thumbnails: Thumbnails,
        limits: Limits | None = None,
    ) -> None:
        """`folder` is that of `uploads`; `limits` replace the usual ones."""
        self._folder = folder
        self._database = database
        self._uploads = uploads
        self._thumbnails = thumbnails
        self._limits = limits or Limits()

    def check_room(self, owner: Owner) -> None:
        """As in ChecksRoom."""
        limits = self._limits
        if shutil.disk_usage(self._folder).free < limits.free_bytes:
            raise DiskFull(folder=str(self._folder))
        rows = self._database.rows("SELECT hex, bytes FROM uploads WHERE owner = ?", (owner,))
        if not self.is_too_much([row["bytes"] for row in rows]):
            return  # the usual case, without looking through anybody's jobs
        made_of = self._made_of(owner)
        if self.is_too_much([row["bytes"] for row in rows if row["hex"] not in made_of]):
            raise UploadsFull(
                gigabytes=limits.unneeded_bytes // GIGABYTE or 1,
                number=limits.unneeded_count,
                retry_after_seconds=_RETRY_AFTER_SECONDS,
            )

    def collect(self, now: float | None = None) -> int:
        """Deletes what nobody needs any more; returns how many. A picture that is used meanwhile stays."""
        now = time.time() if now is None else now
        before = now - self._limits.unused_seconds
        needed: dict[Owner, set[str]] = {}
        removed = 0
        for owner, digest in self._old(before):
            if owner not in needed:
                needed[owner] = self._made_of(owner) | self._asked_for(owner, now - self._limits.ended_job_seconds)
            if digest not in needed[owner] and self._uploads.remove(owner, digest, unused_since=before):
                removed += 1
                if not self._uploads.is_anybodys(digest):
                    self._thumbnails.forget(digest)
        removed += self._collect_orphans(now - self._limits.orphan_seconds)
        if removed:
            log.info("removed %d unused uploads", removed)
        return removed

    def adopt_all(self) -> None:
        """Gives everybody back the uploads that their pictures in the gallery were made from, after the database was
        lost.
        """
        for row in self._database.rows("SELECT DISTINCT owner FROM pictures"):
            owner = owner_of_key(row["owner"])
            for digest in self._made_of(owner):
                self._uploads.adopt(owner, f"sha256:{digest}")

    def is_too_much(self, sizes: list[int]) -> bool:
        """Whether uploads of these sizes, in bytes, reach the limit for one person."""
        return len(sizes) >= self._limits.unneeded_count or sum(sizes) >= self._limits.unneeded_bytes

    def _old(self, before: float) -> list[tuple[Owner, str]]:
        """Owner and hash of uploads that were not used since `before`, without the newest few of each owner."""
        rows = self._database.rows(
            "SELECT owner, hex FROM (SELECT owner, hex, used, row_number() OVER"
            " (PARTITION BY owner ORDER BY used DESC, created DESC) AS place FROM uploads)"
            " WHERE place > ? AND used < ?",
            (self._limits.newest_kept, before),
        )
        return [(owner_of_key(row["owner"]), row["hex"]) for row in rows]

    def _made_of(self, owner: Owner) -> set[str]:
        """The uploads that pictures of the gallery were made from, including deleted ones that can
        still be restored.
        """
        return set(self._named_in("pictures", "owner = ?", (owner,)))

    def _asked_for(self, owner: Owner, since: float) -> set[str]:
        """The uploads named by jobs that have not ended, or ended after `since`."""
        return set(self._named_in("jobs", "owner = ? AND (finished IS NULL OR finished >= ?)", (owner, since)))

    def _named_in(self, table: str, condition: str, values: tuple[object, ...]) -> Iterator[str]:
        number = 0
        while True:
            rows = self._database.rows(
                f"SELECT number, request FROM {table} WHERE number > ? AND {condition} ORDER BY number LIMIT {_PAGE}",
                (number, *values),
            )
            for row in rows:
                yield from _REFERENCE.findall(row["request"])
            if len(rows) < _PAGE:
                return
            number = rows[-1]["number"]

    def _collect_orphans(self, before: float) -> int:
        removed = 0
        named: set[str] | None = None
        for path in self._folder.glob("??/*.png"):
            if path.stat().st_mtime >= before or self._uploads.is_anybodys(path.stem):
                continue
            if named is None:
                named = {*self._named_in("pictures", "1", ()), *self._named_in("jobs", "1", ())}
            if path.stem not in named:
                path.unlink(missing_ok=True)
                removed += 1
        return removed
