"""The files of one kind below some folders, by the names that prompts call them. Reads what has changed."""

from __future__ import annotations

import logging
import os
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Generic, TypeVar

from webui.checkpoints.models_folder import PICKLE_SUFFIXES
from webui.checkpoints.refusals import Refusal

MAX_FILES = 5_000  # in one folder
_log = logging.getLogger(__name__)
File = TypeVar("File")


class FilesOfKind(Generic[File]):
    """The files of one kind in some folders and below them."""

    def __init__(
        self,
        folders: Callable[[], Iterable[tuple[Path, Path]]],
        read: Callable[[str, Path, tuple[int, int]], File],
        copy_of: Callable[[Path], Path | None] | None = None,
    ) -> None:
        """`folders`: (root, a folder that is or lies in it); paths of files are said from the root on. `copy_of` is
        what is read in the place of a pickled file, if there is anything; it raises OSError.
        """
        self._folders = folders
        self._read = read
        self._copy_of = copy_of
        self._lock = threading.Lock()
        self._known: dict[Path, tuple[tuple[int, int], File | None]] = {}
        self._seen: dict[str, File] = {}

    def look(self, former: Mapping[str, str] = MappingProxyType({})) -> dict[str, File]:
        """By name, and by path below the folder where that is more; of two with one name the first. `former`: the
        present path by a former one, which means the same as long as nothing else is called so."""
        found: dict[str, File] = {}
        by_path: dict[str, File] = {}
        with self._lock:
            for root, folder in self._folders():
                for path, item in self._items(folder):
                    found.setdefault(in_prompts(path.stem), item)
                    by_path.setdefault(in_prompts(path.relative_to(root).with_suffix("").as_posix()), item)
        for old, new in former.items():
            if new in by_path:
                found.setdefault(in_prompts(Path(old).name), by_path[new])
                by_path.setdefault(in_prompts(old), by_path[new])
        self._seen = found | by_path
        return dict(self._seen)

    def last_seen(self) -> dict[str, File]:
        """What the last look found; nothing before the first has ended. Answers at once."""
        return dict(self._seen)

    def files(self, suffixes: tuple[str, ...]) -> Iterator[Path]:
        """All of them with one of these suffixes."""
        for _, folder in self._folders():
            yield from model_files(folder, suffixes)

    def _items(self, folder: Path) -> Iterator[tuple[Path, File]]:
        """Those of one folder, the pickled ones last."""
        for path in model_files(folder, (".safetensors",)):
            if (item := self._item(path, path)) is not None:
                yield path, item
        if self._copy_of is None:
            return
        for path in model_files(folder, PICKLE_SUFFIXES):
            with suppress(OSError):
                copy = self._copy_of(path)
                if copy is not None and (item := self._item(path, copy)) is not None:
                    yield path, item

    def _item(self, path: Path, read_from: Path) -> File | None:
        try:
            status = path.stat()
            stamp = status.st_mtime_ns, status.st_size
            known = self._known.get(path)
            if known is None or known[0] != stamp:
                known = stamp, self._read_safely(path, read_from, stamp)
                self._known[path] = known
            return known[1]
        except OSError as error:
            _log.warning("cannot read %s: %s", path.name, error)
            return None

    def _read_safely(self, path: Path, read_from: Path, stamp: tuple[int, int]) -> File | None:
        try:
            return self._read(path.stem, read_from, stamp)
        except Refusal as error:
            _log.warning("ignoring %s: %s", path.name, error.reason)
            return None


def model_files(root: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """The files below a folder, in order; hidden ones are left out, links to folders not followed."""
    count = 0
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.startswith(".") or Path(name).suffix.casefold() not in suffixes or not name.isprintable():
                continue
            count += 1
            if count > MAX_FILES:
                _log.warning("more than %d files in %s; ignoring the others", MAX_FILES, root.name)
                return
            yield Path(folder) / name


def in_prompts(name: str) -> str:
    """A file's name as a prompt gives it: macOS may take its accents apart, which prompts never have."""
    return unicodedata.normalize("NFC", name)
