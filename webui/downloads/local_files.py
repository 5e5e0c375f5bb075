"""A file of this computer as a model: looked at first, then linked or moved into the folder of its kind.

A link is a hard one where both lie on one volume, so that either name can go without the other; else a symbolic one.
Nothing is ever replaced. What is looked at is what is taken: the file is opened once, and where another one lies under
its name afterwards, nothing has happened. Pickled files are converted (`webui/checkpoints/converting.py`), and stay.
What lies beside the file and is about it alone comes along (`webui/downloads/companions.py`).
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal

from webui.checkpoints.converted import SUFFIXES, Convert
from webui.checkpoints.kinds import kind_in
from webui.checkpoints.other_folders import OtherFolders
from webui.checkpoints.refusals import Refusal
from webui.checkpoints.safetensors_header import header_in
from webui.downloads.companions import (
    Companion,
    Way,
    hard_link,
    place_companions,
    remove_originals,
    staged_companions,
)
from webui.downloads.downloads import HIDDEN
from webui.downloads.files import WEIGHTS_SUFFIX, plain_name
from webui.downloads.placing import free_place
from webui.downloads.plan import FOLDERS, Kind
from webui.downloads.space import Space
from webui.downloads.transfer import STAGING_SUFFIX
from webui.errors import FileRefused
from webui.storage.files import make_folder, naming_refusals, sync_folder

How = Literal["hard_link", "symbolic_link", "moved", "copied", "converted"]
MAX_PATH_CHARACTERS = 4096
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_Stamp = tuple[int, int]  # time in nanoseconds, bytes
_COPY_BYTES = 4 * 2**20
_ATTEMPTS = 5  # at a name that somebody else takes meanwhile


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a file is. `converts`: it is pickled, and a converted copy would be taken."""

    name: str
    kind: Kind
    family: str | None
    size_bytes: int
    converts: bool


@dataclass(frozen=True, kw_only=True)
class Taken:
    """`place` is the path below models/; `how` it got there."""

    place: str
    kind: Kind
    how: How


class LocalFiles:
    """Takes files that a path names. Thread-safe, as names are only ever taken once."""

    def __init__(self, models_dir: Path, others: OtherFolders, space: Space, convert: Convert) -> None:
        self._models_dir = models_dir
        self._others = others
        self._space = space
        self._convert = convert

    def look(self, text: str) -> Looked:
        """Raises FileRefused; and DiskSpaceShort, DiskFull, FolderNotWritable where it has to be converted to tell."""
        with self._opened(text) as (path, file), naming_refusals(self._models_dir):
            size = os.fstat(file.fileno()).st_size
            if _is_pickled(path):
                with self._converted(path, file) as copy:
                    found = known_file(copy, path)
            else:
                found = known_file(file, path)
            kind, family = found
            return Looked(name=path.name, kind=kind, family=family, size_bytes=size, converts=_is_pickled(path))

    def take(self, text: str, way: Way) -> Taken:
        """Raises FileRefused, DiskSpaceShort, DiskFull, FolderNotWritable."""
        with self._opened(text) as (path, file), naming_refusals(self._models_dir):
            stamp = _stamp(os.fstat(file.fileno()))
            if _is_pickled(path):
                with self._converted(path, file) as copy, self._companions(path, "link") as beside:
                    return self._put(path, known_file(copy, path)[0], partial(self._convert_to, copy), beside)
            kind, _ = known_file(file, path)
            with self._companions(path, way) as beside:
                if way == "link":
                    return self._put(path, kind, partial(_link, path, file), beside)
                taken = self._put(path, kind, partial(self._move, path, file, stamp), beside)
                if not _take_away(path, file, stamp):
                    return replace(taken, how="copied")
                remove_originals(beside, self._models_dir / taken.place)
                return taken

    @contextmanager
    def _opened(self, text: str) -> Iterator[tuple[Path, BinaryIO]]:
        """The file, under its own path. Raises FileRefused."""
        path = self._checked(text)
        try:
            descriptor = os.open(path, _OPEN)
        except OSError as error:
            raise FileRefused(file=path.name, reason="unreadable") from error
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileRefused(file=path.name, reason="special_file")
            yield path, file

    def _checked(self, text: str) -> Path:
        said = text.strip().strip("\"'")
        shown = said[-100:]
        if not said.isprintable() or len(said) > MAX_PATH_CHARACTERS or ".." in Path(said).parts:
            raise FileRefused(file=shown, reason="path_whole")
        try:
            given = Path(said).expanduser()
            if not given.is_absolute():
                raise FileRefused(file=shown, reason="path_whole")
            path = Path(os.path.realpath(given.parent), given.name)
            mode = path.lstat().st_mode
        except (OSError, ValueError, RuntimeError) as error:
            raise FileRefused(file=shown, reason="no_such_file") from error
        if reason := self._why_not(path, mode):
            raise FileRefused(file=path.name, reason=reason)
        return path

    def _why_not(self, path: Path, mode: int) -> str | None:
        if stat.S_ISLNK(mode):
            return "is_link"
        if stat.S_ISDIR(mode):
            return "is_folder"
        if not stat.S_ISREG(mode):
            return "special_file"
        if path.suffix.casefold() != WEIGHTS_SUFFIX and not _is_pickled(path):
            return "not_weights"
        if path.is_relative_to(os.path.realpath(self._models_dir)):
            return "here_already"
        folders = (root.folder for place in self._others.places() for root in place.roots)
        return "read_already" if any(path.is_relative_to(os.path.realpath(one)) for one in folders) else None

    @contextmanager
    def _converted(self, path: Path, file: BinaryIO) -> Iterator[BinaryIO]:
        """A copy as safetensors, which is about as large. Raises FileRefused, DiskSpaceShort, OSError."""
        copy = self._hidden()
        self._space.check(os.fstat(file.fileno()).st_size)
        try:
            try:
                self._convert(file, copy)
            except Refusal as error:
                raise FileRefused(file=path.name, reason=error.reason, **error.details) from error
            with copy.open("rb") as converted:
                yield converted
        finally:
            copy.unlink(missing_ok=True)

    def _hidden(self) -> Path:
        """A new name in the hidden folder below models/, which is swept."""
        make_folder(self._models_dir / HIDDEN)
        return self._models_dir / HIDDEN / f"{secrets.token_hex(8)}{STAGING_SUFFIX}"

    def _companions(self, path: Path, way: Way) -> AbstractContextManager[list[Companion]]:
        return staged_companions(path, way, self._hidden, self._space)

    def _put(self, path: Path, kind: Kind, put: Callable[[Path], How], companions: list[Companion]) -> Taken:
        """`put` gives the file a name below models/; it raises FileExistsError where that is taken."""
        name, endings = plain_name(path.stem, kind), [one.ending for one in companions]
        for _ in range(_ATTEMPTS):
            place = free_place(self._models_dir, FOLDERS[kind], name, WEIGHTS_SUFFIX, endings)
            target = self._models_dir / place
            make_folder(target.parent)
            with suppress(FileExistsError):
                how = put(target)
                try:
                    place_companions(companions, target)
                except BaseException:
                    target.unlink()
                    raise
                sync_folder(target.parent)
                return Taken(place=place, kind=kind, how=how)
        raise FileRefused(file=path.name, reason="changed")

    def _move(self, path: Path, file: BinaryIO, stamp: _Stamp, target: Path) -> How:
        """A second name or a copy; the first one is taken away once this is safe. Raises as `_copy`."""
        if hard_link(path, target):
            _check_same(path, file, target)
        else:
            self._copy(file, target)
            if _stamp(os.fstat(file.fileno())) != stamp:  # somebody still writes it: the copy may be half of each
                target.unlink()
                raise FileRefused(file=path.name, reason="changed")
        return "moved"

    def _convert_to(self, copy: BinaryIO, target: Path) -> How:
        self._copy(copy, target)
        return "converted"

    def _copy(self, file: BinaryIO, target: Path) -> None:
        """Under a hidden name first. Raises FileExistsError, FileRefused, DiskSpaceShort."""
        size = os.fstat(file.fileno()).st_size
        self._space.check(size)
        copy = self._hidden()
        try:
            file.seek(0)
            with open(copy, "xb") as written:
                shutil.copyfileobj(file, written, _COPY_BYTES)
                written.flush()
                os.fsync(written.fileno())
            if copy.stat().st_size != size:
                raise FileRefused(file=target.name, reason="changed")
            if not hard_link(copy, target):
                if os.path.lexists(target):
                    raise FileExistsError(target)
                os.replace(copy, target)
        finally:
            copy.unlink(missing_ok=True)


def _link(path: Path, file: BinaryIO, target: Path) -> How:
    """Raises FileExistsError, FileRefused."""
    how: How = "hard_link" if hard_link(path, target) else "symbolic_link"
    if how == "symbolic_link":
        try:
            os.symlink(path, target)
        except FileExistsError:
            raise
        except OSError as error:
            raise FileRefused(file=path.name, reason="no_links") from error
    _check_same(path, file, target)
    return how


def _take_away(path: Path, file: BinaryIO, stamp: _Stamp) -> bool:
    """Removes the first name of what is safe under another. Not where another file lies there by now, or this one has
    changed since it was looked at, or it cannot be removed."""
    try:
        found = path.lstat()
        if not os.path.samestat(found, os.fstat(file.fileno())) or _stamp(found) != stamp:
            return False
        path.unlink()
    except OSError:
        return False
    return True


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_mtime_ns, status.st_size


def _check_same(path: Path, file: BinaryIO, target: Path) -> None:
    """The new name is that of the file that was looked at. Raises FileRefused, and then the name is gone."""
    try:
        is_same = os.path.samestat(target.stat(), os.fstat(file.fileno()))
    except OSError:
        is_same = False
    if not is_same:
        target.unlink(missing_ok=True)
        raise FileRefused(file=path.name, reason="changed")


def _is_pickled(path: Path) -> bool:
    return path.suffix.casefold() in SUFFIXES


def known_file(file: BinaryIO, path: Path) -> tuple[Kind, str | None]:
    """Kind and family by the header. Raises FileRefused."""
    file.seek(0)
    try:
        known = kind_in(header_in(file), path)
    except Refusal as error:
        raise FileRefused(file=path.name, reason=error.reason, **error.details) from error
    except OSError as error:
        raise FileRefused(file=path.name, reason="unreadable") from error
    for kind in FOLDERS:
        if kind == known.kind:
            return kind, known.family
    raise FileRefused(file=path.name, reason="foreign")
