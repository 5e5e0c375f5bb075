"""Files that exist only in memory, with paths that the stores use like those on the disk.

When they exceed the limit in bytes, the oldest are dropped. Knows no picture and no owner.
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
        """The size of all files together."""
        return self._used_bytes

    def folder(self, name: str) -> MemoryPath:
        """A folder in memory, which a store can use like one on the disk."""
        return MemoryPath(self, PurePosixPath(name))

    def write(self, path: str, content: bytes) -> None:
        """Stores a file. Raises PrivateMemoryFull if it is larger than the limit by itself."""
        if len(content) > self.limit_bytes:
            raise PrivateMemoryFull(megabytes=self.limit_bytes // 2**20)
        with self._lock:
            self._drop(path)
            self._contents[path] = content
            self._used_bytes += len(content)
            self._shrink(self.limit_bytes)

    def read(self, path: str) -> bytes | None:
        """The content of a file; None if it does not exist (any more)."""
        return self._contents.get(path)

    def remove(self, path: str) -> bool:
        """Removes a file; returns whether it existed."""
        with self._lock:
            return self._drop(path)

    def shrink(self, most_bytes: int) -> None:
        """Drops the oldest files until at most `most_bytes` are left."""
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
    """The path of a file in memory."""

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
        """As in pathlib."""
        return self._path.name

    @property
    def stem(self) -> str:
        """As in pathlib."""
        return self._path.stem

    @property
    def suffix(self) -> str:
        """As in pathlib."""
        return self._path.suffix

    @property
    def parent(self) -> MemoryPath:
        """As in pathlib."""
        return MemoryPath(self._files, self._path.parent)

    def relative_to(self, folder: MemoryPath) -> PurePosixPath:
        """As in pathlib."""
        return self._path.relative_to(folder._path)

    def is_file(self) -> bool:
        """Whether the file (still) exists."""
        return self._files.read(str(self._path)) is not None

    def read_bytes(self) -> bytes:
        """As in pathlib. Raises FileNotFoundError."""
        content = self._files.read(str(self._path))
        if content is None:
            raise FileNotFoundError(str(self))
        return content

    def write_bytes(self, content: bytes) -> int:
        """As in pathlib. Raises PrivateMemoryFull."""
        self._files.write(str(self._path), content)
        return len(content)

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """Opens the file for reading. Raises FileNotFoundError."""
        if mode != "rb":
            raise ValueError(mode)
        return io.BytesIO(self.read_bytes())

    def stat(self) -> os.stat_result:
        """Only the size is meaningful. Raises FileNotFoundError."""
        return os.stat_result((0o100600, 0, 0, 1, 0, 0, len(self.read_bytes()), 0, 0, 0))

    def unlink(self, missing_ok: bool = False) -> None:
        """Removes the file. Raises FileNotFoundError unless `missing_ok`."""
        if not self._files.remove(str(self._path)) and not missing_ok:
            raise FileNotFoundError(str(self))
