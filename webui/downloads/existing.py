"""Files that are on this machine already: linked, and not fetched again.

Looked for where an earlier download put them, in the cache that programs of the Hub share, and among the models by
their size. Whatever is found is hashed before it is used. A link is a hard one where the volume has such, so that
deleting one model never breaks another; else a symbolic one.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from webui.downloads.files import WEIGHTS_SUFFIX, RemoteFile
from webui.downloads.hashing import Hasher
from webui.downloads.stopping import Stop
from webui.storage.files import write_atomically

BOOK_NAME = "known-files.json"
_MIN_BYTES = 2**20  # smaller ones are fetched sooner than found
_MAX_PLACES = 4  # of one file
_MAX_FILES = 20_000
_MAX_GUESSES = 3  # files of the same size; many fine-tunes of one network have it, and each takes seconds to hash
_log = logging.getLogger(__name__)
Cached = Callable[[RemoteFile], Path | None]


class ExistingFiles:
    """Finds and remembers files by what they hash to. Used by one thread at a time."""

    def __init__(self, models_dir: Path, book: Path, cached: Cached) -> None:
        self._models_dir = models_dir
        self._book = book
        self._cached = cached

    def link(self, file: RemoteFile, to: Path, stop: Stop) -> bool:
        """Puts the file there by a link, if it is anywhere. Raises Stopped."""
        for path in self._candidates(file):
            if _is(path, file, stop):
                try:
                    _link(path, to)
                except OSError as error:
                    _log.info("cannot link %s: %s", path, error)
                    continue
                return True
        return False

    def is_likely(self, file: RemoteFile) -> bool:
        """Whether `link` will probably find it; looks at no contents."""
        return next(self._candidates(file), None) is not None

    def remember(self, file: RemoteFile, path: Path) -> None:
        """Where a file lies that was checked."""
        if file.size_bytes < _MIN_BYTES:
            return
        entries = self._entries()
        places = [place for place in entries.get(file.key, []) if place != str(path)]
        entries[file.key] = [str(path), *places][:_MAX_PLACES]
        kept = dict(list(entries.items())[-_MAX_FILES:])
        write_atomically(self._book, json.dumps(kept, indent=1).encode())

    def _candidates(self, file: RemoteFile) -> Iterator[Path]:
        seen: set[Path] = set()
        for path in self._places(file):
            real = path.resolve()
            with suppress(OSError):
                if real not in seen and real.is_file() and real.stat().st_size == file.size_bytes:
                    seen.add(real)
                    yield real

    def _places(self, file: RemoteFile) -> Iterator[Path]:
        yield from (Path(place) for place in self._entries().get(file.key, []) if isinstance(place, str))
        if (cached := self._cached(file)) is not None:
            yield cached
        if file.size_bytes >= _MIN_BYTES and file.name.endswith(WEIGHTS_SUFFIX):
            yield from _of_this_size(self._models_dir, file)

    def _entries(self) -> dict[str, list[Any]]:
        """What was remembered; nothing where somebody else wrote into it."""
        try:
            entries = json.loads(self._book.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(entries, dict):
            return {}
        return {key: places for key, places in entries.items() if isinstance(places, list)}


def _of_this_size(folder: Path, file: RemoteFile) -> list[Path]:
    """Weights among the models and not among what is hidden there, those of the same name first."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(parent, name) for name in names if name.endswith(WEIGHTS_SUFFIX)):
            with suppress(OSError):
                if path.stat().st_size == file.size_bytes:
                    found.append(path)
    name = file.name.rpartition("/")[2]
    return sorted(found, key=lambda path: path.name != name)[:_MAX_GUESSES]


def _is(path: Path, file: RemoteFile, stop: Stop) -> bool:
    """Whether it holds these bytes."""
    try:
        with open(path, "rb", buffering=0) as found, Hasher(file.digest()) as hasher:
            while count := found.readinto(hasher.buffer()):
                stop.check()
                hasher.feed(count)
            return file.is_right(hasher.finish())
    except OSError as error:
        _log.info("cannot read %s: %s", path, error)
        return False


def _link(path: Path, to: Path) -> None:
    try:
        os.link(path, to)
    except OSError:  # another volume, or one without hard links
        os.symlink(path, to)
