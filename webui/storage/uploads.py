"""Pictures that people brought: one file for each content, and rows that say whose it is.

Takes PNGs that we have decoded, turned upright and written again; strangers' bytes are opened elsewhere. A reference is
`sha256:<hex>` of that PNG. Knows no HTTP and no job.
"""

from __future__ import annotations

import hashlib
import logging
import time

from PIL import Image

from webui.errors import PictureNotFound
from webui.requests.field_types import is_reference
from webui.storage.database import Database
from webui.storage.files import write_atomically
from webui.storage.owners import Owner, check_place
from webui.storage.paths import StoredPath

log = logging.getLogger(__name__)

_USED_LATELY_SECONDS = 3600.0  # a use is written down at most that often: looking at a picture should write nothing


class Uploads:
    """The store of uploads. Somebody else's reference is treated like one that does not exist."""

    def __init__(self, folder: StoredPath, database: Database) -> None:
        self.folder = folder
        self._database = database

    def add(self, owner: Owner, png: bytes, width: int, height: int) -> str:
        """Stores a normalised PNG of width × height pixels and returns its reference. Raises DiskFull,
        FolderNotWritable.
        """
        check_place(owner, self.folder)
        digest = hashlib.sha256(png).hexdigest()
        self._write(digest, png)
        with self._database.transaction() as connection:
            now = time.time()
            connection.execute(
                "INSERT INTO uploads (owner, hex, width, height, created, used, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (owner, hex) DO UPDATE SET used = excluded.used, bytes = excluded.bytes",
                (owner, digest, width, height, now, now, len(png)),
            )
            self._write(digest, png)  # again: `remove` may have taken it since, but not from here on
        return f"sha256:{digest}"

    def adopt(self, owner: Owner, reference: str) -> bool:
        """Restores the row of a file that lost it, for somebody who has a picture made from it; returns whether the
        file exists.
        """
        digest = reference.removeprefix("sha256:")
        path = self._path(digest)
        if not is_reference(reference) or self.has(owner, reference) or not path.is_file():
            return False
        try:
            with path.open("rb") as file, Image.open(file, formats=("PNG",)) as image:
                width, height = image.size
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            log.warning("cannot read the upload %s: %s", path.name, error)
            return False
        self.add(owner, path.read_bytes(), width, height)
        return True

    def use(self, owner: Owner, reference: str) -> bool:
        """Like `has`, and marks the upload as just used, which protects it from `remove`."""
        if not self.has(owner, reference):
            return False
        digest, now = reference.removeprefix("sha256:"), time.time()
        row = self._database.row("SELECT used FROM uploads WHERE owner = ? AND hex = ?", (owner, digest))
        if row is not None and row["used"] > now - _USED_LATELY_SECONDS:
            return True
        with self._database.transaction() as connection:
            statement = "UPDATE uploads SET used = ? WHERE owner = ? AND hex = ?"
            return connection.execute(statement, (now, owner, digest)).rowcount == 1

    def remove(self, owner: Owner, digest: str, unused_since: float) -> bool:
        """Takes the upload from this owner, unless it was used after `unused_since`; returns whether it did.

        The file is deleted with its last owner.
        """
        with self._database.transaction() as connection:
            gone = connection.execute(
                "DELETE FROM uploads WHERE owner = ? AND hex = ? AND used < ?", (owner, digest, unused_since)
            )
            if gone.rowcount == 0:
                return False
            if not self.is_anybodys(digest):
                self._path(digest).unlink(missing_ok=True)
        return True

    def is_anybodys(self, digest: str) -> bool:
        """Whether anybody has a row for this file."""
        return self._database.row("SELECT 1 FROM uploads WHERE hex = ?", (digest,)) is not None

    def has(self, owner: Owner, reference: str) -> bool:
        """Whether this person stored the upload and its file still exists."""
        if not is_reference(reference):
            return False
        digest = reference.removeprefix("sha256:")
        found = self._database.row("SELECT 1 FROM uploads WHERE owner = ? AND hex = ?", (owner, digest))
        return found is not None and self._path(digest).is_file()

    def size(self, reference: str) -> tuple[int, int]:
        """Width and height in pixels, whoever stored it. Raises PictureNotFound."""
        if is_reference(reference):
            digest = reference.removeprefix("sha256:")
            row = self._database.row("SELECT width, height FROM uploads WHERE hex = ? LIMIT 1", (digest,))
            if row is not None:
                return row["width"], row["height"]
        raise PictureNotFound(picture=reference[:80])

    def path(self, owner: Owner, reference: str) -> StoredPath:
        """The PNG's path. Raises PictureNotFound if it does not exist or is not theirs."""
        if not self.has(owner, reference):
            raise PictureNotFound(picture=reference[:80])
        return self._path(reference.removeprefix("sha256:"))

    def read(self, owner: Owner, reference: str) -> bytes:
        """The PNG's bytes. Raises PictureNotFound if they do not exist or are not theirs."""
        path = self.path(owner, reference)
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise PictureNotFound(picture=reference[:80]) from error

    def _write(self, digest: str, png: bytes) -> None:
        path = self._path(digest)
        try:
            is_there = path.stat().st_size == len(png)
        except FileNotFoundError:
            is_there = False
        if not is_there:
            write_atomically(path, png)

    def _path(self, digest: str) -> StoredPath:
        return self.folder / digest[:2] / f"{digest}.png"
