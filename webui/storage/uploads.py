"""Pictures that people brought: one file for each content, and rows that say whose it is.

Takes PNGs that were decoded, turned upright and written again by us; the bytes of strangers are opened elsewhere.
A reference is `sha256:<hex>` of that PNG. Knows no HTTP and no job.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from webui.errors import PictureNotFound
from webui.requests import is_reference
from webui.storage.database import Database
from webui.storage.files import write_atomically


class Uploads:
    """The store of uploads. Somebody else's reference is treated exactly like one that does not exist."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self._database = database

    def add(self, owner: str, png: bytes, width: int, height: int) -> str:
        """Keeps a normalised PNG of width × height pixels; the reference to it. Raises DiskFull, FolderNotWritable."""
        digest = hashlib.sha256(png).hexdigest()
        path = self._path(digest)
        if not path.is_file() or path.stat().st_size != len(png):
            write_atomically(path, png)
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO uploads (owner, hex, width, height, created) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (owner, hex) DO NOTHING",
                (owner, digest, width, height, time.time()),
            )
        return f"sha256:{digest}"

    def has(self, owner: str, reference: str) -> bool:
        """Whether this person stored it, and its file is still there."""
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

    def path(self, owner: str, reference: str) -> Path:
        """The PNG's file. Raises PictureNotFound for what is not there or not theirs."""
        if not self.has(owner, reference):
            raise PictureNotFound(picture=reference[:80])
        return self._path(reference.removeprefix("sha256:"))

    def read(self, owner: str, reference: str) -> bytes:
        """The PNG's bytes. Raises PictureNotFound for what is not there or not theirs."""
        path = self.path(owner, reference)
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise PictureNotFound(picture=reference[:80]) from error

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / f"{digest}.png"
