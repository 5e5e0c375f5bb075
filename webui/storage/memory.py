"""Files that lie in memory and nowhere else, with paths that serve the stores as those on the disk do.

What is over the limit of bytes goes, the oldest first. Knows no picture and no owner.
"""

from __future__ import annotations

import io
import os
import threading
from collections import OrderedDict
from pathlib import PurePosixPath
from typing import BinaryIO, Literal

from webui.errors import PrivateMemoryFull


class MemoryFiles:
    """Contents by path. Thread-safe."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        self._used_bytes = 0

    @property
    def used_bytes(self) -> int:
        """What all files take together."""
        return self._used_bytes

    def folder(self, name: str) -> MemoryPath:
        """A folder in memory, for a store to work in as in one on the disk."""
        return MemoryPath(self, PurePosixPath(name))

    def write(self, path: str, content: bytes) -> None:
        """Raises PrivateMemoryFull for one that has no room even alone."""
        if len(content) > self.limit_bytes:
            raise PrivateMemoryFull(megabytes=self.limit_bytes // 2**20)
        with self._lock:
            self._drop(path)
            self._contents[path] = content
            self._used_bytes += len(content)
            self._shrink(self.limit_bytes)

    def read(self, path: str) -> bytes | None:
        """None where there is no such file (any more)."""
        return self._contents.get(path)

    def remove(self, path: str) -> bool:
        """Whether it was there."""
        with self._lock:
            return self._drop(path)

    def shrink(self, most_bytes: int) -> None:
        """Lets the oldest go until no more than that is left."""
        with self._lock:
            self._shrink(most_bytes)

    def _shrink(self, most_bytes: int) -> None:
        while self._used_bytes > most_bytes:
            self._drop(next(iter(self._contents)))

    def _drop(self, path: str) -> bool:
        content = self._contents.pop(path, None)
        self._used_bytes -= len(content or b"")
        return content is not None


class MemoryPath:
    """One path among them."""

    def __init__(self, files: MemoryFiles, path: PurePosixPath) -> None:
        self._files = files
        self._path = path

    def __truediv__(self, name: str) -> MemoryPath:
        return MemoryPath(self._files, self._path / name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MemoryPath) and (self._files, self._path) == (other._files, other._path)

    def __hash__(self) -> int:
        return hash(self._path)

    def __str__(self) -> str:
        return f"memory:{self._path}"

    @property
    def name(self) -> str:
        """As pathlib's."""
        return self._path.name

    @property
    def stem(self) -> str:
        """As pathlib's."""
        return self._path.stem

    @property
    def suffix(self) -> str:
        """As pathlib's."""
        return self._path.suffix

    @property
    def parent(self) -> MemoryPath:
        """As pathlib's."""
        return MemoryPath(self._files, self._path.parent)

    def relative_to(self, folder: MemoryPath) -> PurePosixPath:
        """As pathlib's."""
        return self._path.relative_to(folder._path)

    def is_file(self) -> bool:
        """Whether it is (still) there."""
        return self._files.read(str(self._path)) is not None

    def read_bytes(self) -> bytes:
        """Raises FileNotFoundError."""
        content = self._files.read(str(self._path))
        if content is None:
            raise FileNotFoundError(str(self))
        return content

    def write_bytes(self, content: bytes) -> int:
        """Raises PrivateMemoryFull."""
        self._files.write(str(self._path), content)
        return len(content)

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """For reading alone. Raises FileNotFoundError."""
        if mode != "rb":
            raise ValueError(mode)
        return io.BytesIO(self.read_bytes())

    def stat(self) -> os.stat_result:
        """Size alone says something. Raises FileNotFoundError."""
        return os.stat_result((0o100600, 0, 0, 1, 0, 0, len(self.read_bytes()), 0, 0, 0))

    def unlink(self, missing_ok: bool = False) -> None:
        """Raises FileNotFoundError, unless that is fine."""
        if not self._files.remove(str(self._path)) and not missing_ok:
            raise FileNotFoundError(str(self))
