"""Pictures that people bring are opened in a process of their own: the web process never decodes a stranger's bytes.

There is one short-lived process for each picture (about 0.15 s to start), a few at a time, one at a time for each
person.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

from anyio import CapacityLimiter, to_thread

from webui.api.http_errors import Busy
from webui.errors import DiskFull, ImageTooLarge, NotAnImage
from webui.storage.files import TEMPORARY
from webui.storage.owners import Owner
from webui.storage.paths import StoredPath

LIMIT_MEGAPIXELS = 64
MAX_WAITING = 16  # uploads of one person in line; a page sends a handful at most
_PARALLEL = 2  # each may take a core and, at 64 megapixels, a gigabyte
_TIMEOUT_SECONDS = 60.0
_RETRY_AFTER_SECONDS = 5
_COPY_BYTES = 2**20
_PIPE = "-"  # as the process calls it

_WORKER = Path(__file__).with_name("decode_worker.py")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """A normalised PNG, RGB or RGBA, width × height pixels."""

    png: bytes = field(repr=False)
    width: int
    height: int


class Decoder:
    """Decodes one picture after the other for each owner, and at most `_PARALLEL` at a time."""

    def __init__(self, folder: Path, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        """`folder` is for what is under way; it is made when first needed."""
        self._folder = folder
        self._timeout_seconds = timeout_seconds
        self._limiter = CapacityLimiter(_PARALLEL)
        self._locks: dict[Owner, asyncio.Lock] = {}
        self._waiting: Counter[Owner] = Counter()

    @property
    def people_served(self) -> int:
        """How many people have a picture being decoded or waiting."""
        return len(self._locks)

    async def decode(self, owner: Owner, source: BinaryIO) -> Decoded:
        """The picture in `source`, normalised. Raises NotAnImage, ImageTooLarge, Busy, DiskFull."""
        async with self._turn(owner):
            decode = self._decode_in_memory if owner.is_private else self._decode
            return await to_thread.run_sync(decode, source, limiter=self._limiter)

    def shrink(self, picture: StoredPath, size: int) -> bytes:
        """A WebP of a picture from `decode`, with at most `size` pixels on its longest side.

        This waits. The page's own pictures, which are never large, need no process for this. Raises NotAnImage.
        """
        with picture.open("rb") as source, self._target() as target:
            self._run(source, target, str(size))
            return target.read_bytes()

    async def decode_bytes(self, owner: Owner, content: bytes) -> Decoded:
        """The same as `decode`, for bytes."""
        return await self.decode(owner, io.BytesIO(content))

    @asynccontextmanager
    async def _turn(self, owner: Owner) -> AsyncIterator[None]:
        if self._waiting[owner] >= MAX_WAITING:
            raise Busy(retry_after_seconds=_RETRY_AFTER_SECONDS)
        lock = self._locks.setdefault(owner, asyncio.Lock())
        self._waiting[owner] += 1
        try:
            async with lock:
                yield
        finally:
            self._waiting[owner] -= 1
            if not self._waiting[owner]:
                del self._waiting[owner], self._locks[owner]

    def _decode(self, source: BinaryIO) -> Decoded:
        with self._target() as target:
            width, height = self._run(source, target)
            return Decoded(png=target.read_bytes(), width=width, height=height)

    def _decode_in_memory(self, source: BinaryIO) -> Decoded:
        """The same through pipes, for somebody in private mode: nothing touches the disk."""
        source.seek(0)
        said, _, png = self._call(_PIPE, input=source.read()).partition(b"\n")
        width, height = self._size(said)
        return Decoded(png=png, width=width, height=height)

    @contextmanager
    def _target(self) -> Iterator[Path]:
        """A path where a process may write its picture, removed afterwards."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=TEMPORARY) as folder:
            yield Path(folder) / "picture"

    def _run(self, source: BinaryIO, target: Path, *options: str) -> tuple[int, int]:
        """Width and height of what the process wrote to `target`."""
        with _as_file(source) as file:
            return self._size(self._call(str(target), *options, stdin=file))

    def _call(self, *arguments: str, **source: Any) -> bytes:
        """The output of the process. Raises NotAnImage, DiskFull."""
        # -I: the process takes nothing from the environment or from the folder it was started in
        command = [sys.executable, "-I", str(_WORKER), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, timeout=self._timeout_seconds, check=False, **source)
        except subprocess.TimeoutExpired as error:
            _log.warning("gave up on a picture after %.0f s", self._timeout_seconds)
            raise NotAnImage from error
        if done.returncode != 0:
            reason = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            _log.info("a picture could not be opened (status %d): %.200s", done.returncode, reason)
            if "No space left on device" in reason:
                raise DiskFull(folder=str(self._folder))
            raise NotAnImage
        said: bytes = done.stdout
        return said

    def _size(self, line: bytes) -> tuple[int, int]:
        """Width and height from the process's line. Raises ImageTooLarge."""
        said = json.loads(line)
        if said.get("error") == ImageTooLarge.kind:
            raise ImageTooLarge(width=said["width"], height=said["height"], limit_megapixels=LIMIT_MEGAPIXELS)
        return said["width"], said["height"]


@contextmanager
def _as_file(source: BinaryIO) -> Iterator[IO[bytes]]:
    """`source` from its beginning as a file of the operating system; small uploads exist only in memory at first."""
    with tempfile.TemporaryFile() as file:
        source.seek(0)
        shutil.copyfileobj(source, file, _COPY_BYTES)
        file.flush()
        file.seek(0)
        yield file
