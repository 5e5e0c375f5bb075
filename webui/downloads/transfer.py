"""Fetches one file: into a part that outlives the program, from where the last attempt ended, and checked by its hash.

A part is named by the hash of what it is to become, so that two downloads of one file have one part. It lies in a
hidden folder below the models and is renamed when it is whole. Knows no downloads.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Set
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from webui.downloads.addresses import read_address
from webui.downloads.files import WEIGHTS_SUFFIX, Digest, RemoteFile
from webui.downloads.hashing import Hasher
from webui.downloads.pace import Pace
from webui.downloads.refusals import check_status
from webui.downloads.stopping import Stop
from webui.downloads.web import Answer, Login, Web
from webui.errors import DarkroomError, DownloadDamaged, SourceBusy, SourceUnreachable
from webui.storage.files import naming_refusals

PART_SUFFIX = ".part"
STAGING_SUFFIX = ".new"  # of a folder that is put together
_UNWRITTEN_SECONDS = 0.1
KEPT_SECONDS = 14 * 24 * 3600
WAITS_SECONDS = (1, 2, 4, 8, 15, 30, 60, 60, 60, 60)  # between attempts that brought nothing
_HEADER_BYTES = 9  # of a safetensors file: the length of its header, and the brace that it begins with
_MAX_HEADER_BYTES = 100 * 2**20
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_log = logging.getLogger(__name__)
Report = Callable[[DarkroomError | None], None]


class Transfer:
    """Fetches files into one folder, one at a time."""

    def __init__(self, folder: Path, web: Web, pace: Pace) -> None:
        self.folder = folder
        self._web = web
        self._pace = pace

    def whole(self, file: RemoteFile) -> Path:
        """Where the file is once it is whole."""
        return self.folder / file.key

    def part(self, file: RemoteFile) -> Path:
        """Where as much of it is as has come."""
        return self.folder / f"{file.key}{PART_SUFFIX}"

    def bytes_here(self, file: RemoteFile) -> int:
        """How much of it has come."""
        for path in (self.whole(file), self.part(file)):
            try:
                return min(path.stat().st_size, file.size_bytes)
            except OSError:
                continue
        return 0

    def sweep(self, needed: Set[str]) -> None:
        """Removes what no download needs and nobody has touched for long. Fresh parts may be another program's, which
        has another data folder and the same models."""
        oldest = time.time() - KEPT_SECONDS
        with suppress(OSError):
            for path in self.folder.iterdir():
                key = path.name.removesuffix(PART_SUFFIX).removesuffix(STAGING_SUFFIX)
                if key not in needed and path.lstat().st_mtime < oldest:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def fetch(self, file: RemoteFile, login: Login | None, stop: Stop, report: Report) -> Path:
        """The whole file. Waits and tries again where the line breaks off or the server is busy, which `report` hears.

        Raises Stopped, DownloadDamaged, DiskFull, FolderNotWritable, and what the server's refusal means; what has come
        stays for the next time.
        """
        whole = self.whole(file)
        if whole.exists():
            return whole
        attempts, before = 0, self.bytes_here(file)
        may_begin_anew = self.part(file).exists()  # what is wrong may be what was there before
        while True:
            try:
                self._attempt(file, login, stop, report)
                with naming_refusals(self.folder):
                    os.replace(self.part(file), whole)
                return whole
            except SourceBusy as error:
                report(error)
                stop.wait(float(error.details["retry_after_seconds"]))
            except SourceUnreachable as error:
                here = self.bytes_here(file)
                attempts, before = (0, here) if here > before else (attempts + 1, here)
                if attempts >= len(WAITS_SECONDS) or _is_final(error):
                    raise
                report(error)
                self._pace.restart()
                stop.wait(WAITS_SECONDS[attempts])
            except DownloadDamaged:
                self.part(file).unlink(missing_ok=True)
                if not may_begin_anew:
                    raise
                _log.warning("%s was not what it should be; fetching it anew", file.name)
                may_begin_anew = False

    def _attempt(self, file: RemoteFile, login: Login | None, stop: Stop, report: Report) -> None:
        """1. what is there already; 2. the rest; 3. the hash of it all."""
        with naming_refusals(self.folder), open(self.part(file), "a+b", buffering=0) as part:
            with Hasher(file.digest()) as hasher:
                have = _hash_what_is_there(part, file, hasher, stop)
                if have < file.size_bytes:
                    self._fetch_rest(part, have, file, login, hasher, stop, report)
                digest = hasher.finish()
            os.fsync(part.fileno())
        _check(file, digest)

    def _fetch_rest(
        self,
        part: BinaryIO,
        have: int,
        file: RemoteFile,
        login: Login | None,
        hasher: Hasher,
        stop: Stop,
        report: Report,
    ) -> None:
        headers = {"Range": f"bytes={have}-"} if have else {}
        try:
            with self._web.get(read_address(file.address), headers=headers, login=login, stop=stop) as answer:
                if answer.status == 416:
                    raise DownloadDamaged(file=file.name, reason="size_differs")
                check_status(answer, file)
                if have and answer.status != 206:  # it does not go on where we ended
                    said = answer.headers.get("Content-Length")
                    if said is not None and said.strip() != str(file.size_bytes):  # another page, such as a login's
                        raise SourceUnreachable(host=answer.address.host, reason="source_not_understood")
                    part.truncate(0)
                    have = 0
                    hasher.restart(file.digest())
                _check_length(answer, have, file)
                report(None)
                self._receive(answer, part, have, file, hasher, stop)
        except SourceUnreachable:
            stop.check()  # a stop cuts the line
            raise
        finally:
            stop.hold_nothing()

    def _receive(self, answer: Answer, part: BinaryIO, have: int, file: RemoteFile, hasher: Hasher, stop: Stop) -> None:
        """Fills a buffer before it is written, since a line brings many small pieces; of a slow one, a tenth of a
        second at most is in memory alone."""
        buffer, filled, kept = hasher.buffer(), 0, time.monotonic()
        try:
            while have + filled < file.size_bytes:
                room = min(len(buffer) - filled, file.size_bytes - have - filled)
                count = answer.read_into(buffer[filled : filled + self._pace.most_at_once(room)])
                stop.check()
                if count == 0:
                    raise SourceUnreachable(host=answer.address.host, reason="line_broke")
                filled += count
                if filled == len(buffer) or time.monotonic() - kept > _UNWRITTEN_SECONDS:
                    _keep(part, buffer[:filled], have, file, hasher)
                    have, filled, buffer, kept = have + filled, 0, hasher.buffer(), time.monotonic()
                self._pace.spend(count, stop)
        finally:
            _keep(part, buffer[:filled], have, file, hasher)


def _keep(part: BinaryIO, content: memoryview, have: int, file: RemoteFile, hasher: Hasher) -> None:
    """Writes what has come and gives it to be hashed. Raises DownloadDamaged where it cannot become weights."""
    if not content:
        return
    _write(part, content)
    hasher.feed(len(content))
    if file.name.endswith(WEIGHTS_SUFFIX) and have < _HEADER_BYTES <= have + len(content):
        _check_beginning(part, file)


def _is_final(error: SourceUnreachable) -> bool:
    """Whether a status will be the same next time: all of 4xx but a time-out."""
    status = int(error.details.get("status", 0))
    return 400 <= status < 500 and status != 408


def _hash_what_is_there(part: BinaryIO, file: RemoteFile, hasher: Hasher, stop: Stop) -> int:
    """Bytes that are there. A part that is longer than the file is none of it."""
    size = os.fstat(part.fileno()).st_size
    if size > file.size_bytes:
        part.truncate(0)
        return 0
    part.seek(0)
    while count := _read_into(part, hasher.buffer()):
        stop.check()
        hasher.feed(count)
    return size


def _read_into(part: BinaryIO, buffer: memoryview) -> int:
    return int(part.readinto(buffer) or 0)  # type: ignore[attr-defined]


def _write(part: BinaryIO, content: memoryview) -> None:
    while content:
        content = content[part.write(content) :]


def _check_length(answer: Answer, have: int, file: RemoteFile) -> None:
    """What the server is about to send is what the repository said. Raises DownloadDamaged."""
    if answer.status == 206:
        found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != have or found[2] not in ("*", str(file.size_bytes)):
            raise DownloadDamaged(file=file.name, reason="size_differs")
    said = answer.headers.get("Content-Length")
    if said is not None and said.strip() != str(file.size_bytes - have):
        raise DownloadDamaged(file=file.name, reason="size_differs")


def _check_beginning(part: BinaryIO, file: RemoteFile) -> None:
    """Whether it can be a safetensors file at all, before the other gigabytes come. Raises DownloadDamaged."""
    part.seek(0)
    start = part.read(_HEADER_BYTES)
    part.seek(0, os.SEEK_END)
    if not 2 <= int.from_bytes(start[:8], "little") <= min(_MAX_HEADER_BYTES, file.size_bytes) or start[8:] != b"{":
        raise DownloadDamaged(file=file.name, reason="not_safetensors")


def _check(file: RemoteFile, digest: Digest) -> None:
    if not file.is_right(digest):
        raise DownloadDamaged(file=file.name, reason="hash_differs")
