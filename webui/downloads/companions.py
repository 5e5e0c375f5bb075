"""What lies beside a file of this computer and is about it alone, taken along under the name that the file gets here.

All of it is ready in the hidden folder before the file gets its name, and the originals go last. A large file is linked
where that is possible; what is small is copied, so that a change here never changes what another program reads.
"""

from __future__ import annotations

import logging
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from webui.checkpoints.model_files import beside
from webui.downloads.files import WEIGHTS_SUFFIX
from webui.downloads.space import Space
from webui.errors import FileRefused
from webui.storage.files import sync_folder

Way = Literal["link", "move"]
_Stamp = tuple[tuple[str, int, int], ...]  # (path below it, time in nanoseconds, bytes) of all that it is
_COPY_BYTES = 4 * 2**20
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Companion:
    """`ending` is what follows the model's name in its own; `staged` what will get the new name."""

    original: Path
    ending: str
    staged: Path
    stamp: _Stamp


@contextmanager
def staged_companions(path: Path, way: Way, hidden: Callable[[], Path], space: Space) -> Iterator[list[Companion]]:
    """Those of the file `path`, each under a new name that `hidden` gives. What was not placed is gone afterwards.

    Raises FileRefused, DiskSpaceShort, OSError.
    """
    companions = [
        Companion(original=one, ending=ending, staged=hidden(), stamp=_stamp(one))
        for ending, one in beside(path)
        if one.is_file() or one.is_dir()
    ]
    try:
        for one in companions:
            try:
                _stage(one, way, space)
            except (shutil.Error, PermissionError) as error:  # the first lists those of a folder's files
                raise FileRefused(file=one.original.name, reason="unreadable") from error
        yield companions
    finally:
        for one in companions:
            _remove(one.staged)


def place_companions(companions: list[Companion], target: Path) -> None:
    """Gives them their names beside the model `target`: all, or none. Raises FileExistsError and other OSErrors."""
    placed: list[Path] = []
    try:
        for one in companions:
            place = target.with_name(target.stem + one.ending)
            _place(one.staged, place)
            placed.append(place)
    except BaseException:
        for place in placed:
            _remove(place)
        raise


def remove_originals(companions: list[Companion], target: Path) -> None:
    """Once the model is safe at `target`. What has changed since, or did not come as a whole, stays."""
    for one in companions:
        place = target.with_name(target.stem + one.ending)
        try:
            is_whole = [name for name, *_ in one.stamp] == [name for name, *_ in _stamp(place)]
            if is_whole and _stamp(one.original) == one.stamp:
                _remove(one.original)
        except OSError as error:
            _log.warning("cannot remove %s, which was copied: %s", one.original, error)


def hard_link(path: Path, target: Path) -> bool:
    """Whether there could be one. Raises FileExistsError."""
    try:
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:
        return False
    return True


def _stage(one: Companion, way: Way, space: Space) -> None:
    if one.original.is_dir():
        space.check(sum(size for _, _, size in one.stamp))
        shutil.copytree(one.original, one.staged, ignore=_foreign, copy_function=_copy)
        for folder, _, _ in os.walk(one.staged):
            sync_folder(Path(folder))
        return
    real = one.original.resolve()
    if one.ending.endswith(WEIGHTS_SUFFIX):
        if not one.original.is_symlink() and hard_link(real, one.staged):
            return
        if one.original.is_symlink() or way == "link":
            try:
                os.symlink(real, one.staged)
            except OSError as error:
                raise FileRefused(file=one.original.name, reason="no_links") from error
            return
    space.check(real.stat().st_size)
    _copy(real, one.staged)


def _foreign(folder: str | os.PathLike[str], names: list[str]) -> list[str]:
    """What is not copied: links to folders, which could lead in a circle, and what is no file."""
    paths = {name: Path(folder, name) for name in names}
    return [name for name, path in paths.items() if not (path.is_file() or (path.is_dir() and not path.is_symlink()))]


def _copy(source: str | Path, target: str | Path) -> None:
    """A copy that is on the disk, with the same time. Raises OSError."""
    with open(source, "rb") as read, open(target, "xb") as written:
        shutil.copyfileobj(read, written, _COPY_BYTES)
        written.flush()
        os.fsync(written.fileno())
    status = os.stat(source)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _place(staged: Path, place: Path) -> None:
    if staged.is_symlink():
        os.symlink(os.readlink(staged), place)
        return
    if staged.is_dir() or not hard_link(staged, place):
        if os.path.lexists(place):
            raise FileExistsError(place)
        os.rename(staged, place)


def _stamp(path: Path) -> _Stamp:
    """Of the file, or of all that lies in the folder. Raises OSError."""
    if not stat.S_ISDIR(path.lstat().st_mode):
        return (_entry(path, ""),)
    entries = (Path(folder, name) for folder, folders, names in os.walk(path) for name in (*folders, *names))
    return tuple(sorted(_entry(one, one.relative_to(path).as_posix()) for one in entries))


def _entry(path: Path, name: str) -> tuple[str, int, int]:
    status = path.stat() if path.exists() else path.lstat()
    return name, status.st_mtime_ns, 0 if path.is_dir() else status.st_size


def _remove(path: Path) -> None:
    """Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
