"""The converted copies of old pickled files: kept in the data folder, so that the originals stay as they are.

Each copy is named by where the original lies, its size and its time, so that it is made once and again only when the
original changes. One process makes them, in the background; every other one only looks. What is wrong with a file is
kept beside the copies; what went wrong otherwise is forgotten when the process ends. Knows no torch.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import secrets
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from webui.checkpoints.places import Kind
from webui.checkpoints.refusals import Refusal, Unfinished, Unrecognised
from webui.checkpoints.replacing import replace_text
from webui.settings import Settings

FOLDER = "converted"  # below the data folder
SUFFIXES = (".pt", ".pth", ".bin")
KINDS: tuple[Kind, ...] = ("embedding", "upscaler")
WAITING = "convert_waiting"  # the reason of one that is still to be converted
_REFUSED = ".refused"
_PARTS = ".tmp-"
_NICENESS = 10
_LEAVING_SECONDS = 5.0
_log = logging.getLogger(__name__)
Convert = Callable[[BinaryIO, Path], Kind]  # raises Refusal, OSError


@dataclass(frozen=True)
class Converted:
    """Where a copy is, or the code of a reason why there is none (yet)."""

    path: Path | None
    reason: str | None = None


class ConvertedFiles:
    """Looks for copies. Thread-safe."""

    def __init__(self, folder: Path | None = None) -> None:
        """Without a folder nothing is converted."""
        self._folder = folder
        self._convert: Convert | None = None
        self._look: Callable[[], object] = tuple
        self._changed = threading.Condition()
        self._due: dict[Path, Kind] = {}
        self._failed: dict[str, str] = {}  # reasons that say nothing about the file, by its key
        self._is_closing = False
        self._thread = threading.Thread(target=self._work, name="converting", daemon=True)

    def of(self, path: Path, kind: Kind) -> Converted | None:
        """The copy of a pickled file of this kind, which is made from now on if it is not there; None for a file that
        is none of those. Raises OSError where the original cannot be looked at."""
        if self._folder is None or kind not in KINDS or path.suffix.casefold() not in SUFFIXES:
            return None
        key = _key(path)
        copy = self._folder / f"{key}.safetensors"
        if copy.exists():
            return Converted(copy)
        with suppress(OSError):
            return Converted(None, copy.with_suffix(_REFUSED).read_text(encoding="utf-8")[:100])
        if key in self._failed:
            return Converted(None, self._failed[key])
        self._want(path, kind)
        return Converted(None, WAITING)

    def start(self, convert: Convert, look: Callable[[], object] = tuple) -> None:
        """From now on this process makes the copies that are looked for in vain; `look` looks for all of them once."""
        self._convert, self._look = convert, look
        self._thread.start()

    def close(self) -> None:
        """Ends after the copy that is being made: whoever makes it has been told to stop."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(_LEAVING_SECONDS)

    def _want(self, path: Path, kind: Kind) -> None:
        if self._convert is not None:
            with self._changed:
                self._due[path] = kind
                self._changed.notify_all()

    def _work(self) -> None:
        for begin in (_give_way, self._sweep, self._look):
            try:
                begin()
            except Exception:  # noqa: BLE001  (the files that are asked for can be converted all the same)
                _log.exception("the conversion of old files did not begin as it should")
        while (due := self._take()) is not None:
            path, kind = due
            with suppress(OSError):  # it has gone, or cannot be looked at
                self._make(path, kind, _key(path))

    def _sweep(self) -> None:
        """Removes what a process that was killed has left."""
        for part in self._folder.glob(f"{_PARTS}*") if self._folder is not None else ():
            try:
                part.unlink(missing_ok=True)
            except OSError as error:
                _log.warning("%s could not be removed: %s", part.name, error)

    def _take(self) -> tuple[Path, Kind] | None:
        with self._changed:
            while not self._is_closing:
                if self._due:
                    path = next(iter(self._due))
                    return path, self._due.pop(path)
                self._changed.wait()
        return None

    def _make(self, path: Path, kind: Kind, key: str) -> None:
        """Leaves a copy, or the reason why there is none."""
        if self._folder is None or self._convert is None:
            return
        copy = self._folder / f"{key}.safetensors"
        if key in self._failed or copy.exists() or copy.with_suffix(_REFUSED).exists():
            return  # it was asked for again while it was made
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                self._write(self._convert, path, kind, copy)
                _log.info("%s was converted", path.name)
            except Unfinished as error:
                self._failed[key] = error.reason
            except Refusal as error:
                _log.info("%s cannot be converted: %s", path.name, error.reason)
                replace_text(copy.with_suffix(_REFUSED), error.reason)
        except Exception as error:  # noqa: BLE001  (one file must not keep the others from being converted)
            if path.exists():
                _log.exception("%s could not be converted", path.name)
                self._failed[key] = _why(error)

    def _write(self, convert: Convert, path: Path, kind: Kind, copy: Path) -> None:
        """Raises Refusal, OSError."""
        part = copy.with_name(f"{_PARTS}{secrets.token_hex(8)}")
        try:
            with path.open("rb") as source:
                found = convert(source, part)
            if found != kind:
                raise Unrecognised(f"convert_is_{found}")
            os.replace(part, copy)
        finally:
            part.unlink(missing_ok=True)


def converted_files(settings: Settings) -> ConvertedFiles:
    """Those of one run."""
    return ConvertedFiles(settings.data_dir / FOLDER)


def _key(path: Path) -> str:
    status = path.stat()
    said = f"{os.path.realpath(path)}\0{status.st_size}\0{status.st_mtime_ns}"
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _why(error: Exception) -> str:
    is_full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    return "convert_no_room" if is_full else "unreadable"


def _give_way() -> None:
    """Pictures go first, where threads have a priority of their own; the process that converts has it from here."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
