"""Hashes bytes on a thread of its own while more of them come: both take about as long as the disk."""

from __future__ import annotations

import queue
import threading

from webui.downloads.files import Digest

BUFFER_BYTES = 4 * 2**20
_BUFFERS = 3  # one comes in, one waits, one is hashed


class Hasher:
    """Lends buffers, and hashes what was put into them, in order. A context: its thread ends with it."""

    def __init__(self, digest: Digest) -> None:
        self._digest = digest
        self._free: queue.SimpleQueue[bytearray] = queue.SimpleQueue()
        self._full: queue.SimpleQueue[tuple[bytearray, int] | None] = queue.SimpleQueue()
        for _ in range(_BUFFERS):
            self._free.put(bytearray(BUFFER_BYTES))
        self._lent: bytearray | None = None
        self._thread = threading.Thread(target=self._work, name="hasher", daemon=True)

    def buffer(self) -> memoryview:
        """An empty one, to be filled from its start. The same one until `feed`."""
        if self._lent is None:
            self._lent = self._free.get()
        return memoryview(self._lent)

    def feed(self, count: int) -> None:
        """The first `count` bytes of the buffer are there."""
        if self._lent is not None:
            self._full.put((self._lent, count))
            self._lent = None

    def restart(self, digest: Digest) -> None:
        """Forgets what was fed so far."""
        self._drain()
        self._digest = digest

    def finish(self) -> Digest:
        """What all that was fed hashes to."""
        self._drain()
        return self._digest

    def _drain(self) -> None:
        buffers = [self._free.get() for _ in range(_BUFFERS - (self._lent is not None))]
        for buffer in buffers:
            self._free.put(buffer)

    def _work(self) -> None:
        while (fed := self._full.get()) is not None:
            buffer, count = fed
            with memoryview(buffer) as view:
                self._digest.update(view[:count])
            self._free.put(buffer)

    def __enter__(self) -> Hasher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._full.put(None)
        self._thread.join()
