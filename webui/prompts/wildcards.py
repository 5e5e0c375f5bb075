"""The wildcard files: `presets/wildcards/colours/warm.txt` is `__colours/warm__`, with one value on each line.

`#` begins a comment line, `2::value` gives a value twice the weight, values may contain wildcards and choices
themselves, and `*` in a name takes several files at once. Files may be in UTF-8, UTF-16 or GBK, which is detected.
Names are looked up among the existing files, so that no name can lead outside. Knows no prompts and no chance.
"""

from __future__ import annotations

import fnmatch
import logging
import os
import threading
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from webui.encodings import decoded

MAX_FILES = 5_000
MAX_FILE_BYTES = 2 * 2**20
MAX_VALUES = 10_000  # of one name
MAX_STARS = 4
_ENCODINGS = ("utf-8", "gb18030", "utf-16-le", "utf-16-be", "cp1252")  # as editors of Windows save, marks apart
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _File:
    """A file as it was when it was last read."""

    stamp: tuple[int, int]  # time in nanoseconds, size in bytes
    values: tuple[str, ...] | None  # None: it cannot be read


@dataclass(frozen=True)
class Shelf:
    """The wildcard files at one moment, by name."""

    _files: dict[str, Path]
    _values_of: Callable[[Path], tuple[str, ...] | None]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, in order."""
        return tuple(sorted(self._files))

    def values(self, name: str) -> tuple[str, ...]:
        """The values of a name with their weights; if it contains `*`, those of all names that it matches.

        Empty if there is no such name.
        """
        values = [value for path in self._meant(name) for value in self._values_of(path) or ()]
        return tuple(values[:MAX_VALUES])

    def unreadable(self, name: str) -> bool:
        """Whether a file of this name exists but cannot be read: too large, in no known encoding, or forbidden."""
        return any(self._values_of(path) is None for path in self._meant(name))

    def _meant(self, name: str) -> list[Path]:
        if "*" in name:
            found = fnmatch.filter(self.names, name) if name.count("*") <= MAX_STARS else []
        else:
            found = [name] if name in self._files else []
        return [self._files[one] for one in found]


class Wildcards:
    """The wildcards of a folder; looks again at every call and reads only what has changed. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._read: dict[Path, _File] = {}

    def look(self) -> Shelf:
        """The files that are there now; empty if there is no folder."""
        return Shelf(dict(self._files()), self._values_of)

    def _files(self) -> Iterator[tuple[str, Path]]:
        """Name and file of each wildcard; hidden ones, and those that a link leads out of the
        folder to, are left out.
        """
        root = self._folder.resolve()
        count = 0
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for file in sorted(files):
                path = Path(folder) / file
                if file.startswith(".") or path.suffix.casefold() != ".txt" or not path.resolve().is_relative_to(root):
                    continue
                count += 1
                if count > MAX_FILES:
                    _log.warning("more than %d wildcard files; ignoring the others", MAX_FILES)
                    return
                name = path.relative_to(root).with_suffix("").as_posix()
                yield unicodedata.normalize("NFC", name), path  # as prompts are; macOS may take accents apart

    def _values_of(self, path: Path) -> tuple[str, ...] | None:
        with self._lock:
            try:
                status = path.stat()
                stamp = status.st_mtime_ns, status.st_size
                known = self._read.get(path)
                if known is None or known.stamp != stamp:
                    known = _File(stamp, _read(path))
                    self._read[path] = known
                return known.values
            except OSError as error:
                _log.warning("cannot read a wildcard file: %s", error)
                self._read.pop(path, None)
                return None


def _read(path: Path) -> tuple[str, ...] | None:
    """The lines that are values; None for a file that is too large or not text. Raises OSError."""
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        _log.warning("ignoring %s: larger than %d bytes", path.name, MAX_FILE_BYTES)
        return None
    text = decoded(data, _ENCODINGS)
    if "\0" in text or "\ufffd" in text:
        _log.warning("ignoring %s: not text in UTF-8, UTF-16 or GBK", path.name)
        return None
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
