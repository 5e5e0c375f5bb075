"""How fast bytes come: held below a limit, and measured over the last seconds."""

from __future__ import annotations

import threading
import time
from collections import deque

from webui.downloads.stopping import Stop

_WINDOW_SECONDS = 5.0
_TICK_SECONDS = 0.2  # bytes of this long are counted as one
_LONGEST_WAIT_SECONDS = 0.5  # then the limit is looked at again


class Pace:
    """One for all downloads, since one runs at a time. Thread-safe."""

    def __init__(self, bytes_per_second: float | None = None) -> None:
        self._lock = threading.Lock()
        self._limit = bytes_per_second
        self._counts: deque[list[float]] = deque()  # [moment, bytes] by tick
        self._free_at = 0.0  # when the limit allows the next byte

    def set_limit(self, bytes_per_second: float | None) -> None:
        """None: as fast as it goes. Holds from now on."""
        with self._lock:
            self._limit, self._free_at = bytes_per_second, 0.0

    @property
    def limit(self) -> float | None:
        """Bytes a second at most."""
        return self._limit

    def restart(self) -> None:
        """Forgets what came before a break."""
        with self._lock:
            self._counts.clear()

    def most_at_once(self, wanted: int) -> int:
        """How many bytes to take in one piece, so that a limit is kept evenly."""
        limit = self._limit
        return wanted if limit is None else max(1, min(wanted, int(limit * _TICK_SECONDS) or 1))

    def spend(self, count: int, stop: Stop) -> None:
        """`count` bytes have come; waits until the limit allows more. Raises Stopped."""
        now = time.monotonic()
        with self._lock:
            if self._counts and now - self._counts[-1][0] < _TICK_SECONDS:
                self._counts[-1][1] += count
            else:
                self._counts.append([now, count])
            while self._counts and now - self._counts[0][0] > _WINDOW_SECONDS:
                self._counts.popleft()
            if self._limit is None:
                return
            self._free_at = max(now, self._free_at) + count / self._limit
        while (left := self._free_at - time.monotonic()) > 0:
            stop.wait(min(left, _LONGEST_WAIT_SECONDS))

    def speed(self) -> float | None:
        """Bytes a second over the last five; None before there is anything to measure."""
        now = time.monotonic()
        with self._lock:
            recent = [entry for entry in self._counts if now - entry[0] <= _WINDOW_SECONDS]
        if len(recent) < 2:
            return None
        return sum(count for _, count in recent[1:]) / (now - recent[0][0])  # the first came before the clock ran
