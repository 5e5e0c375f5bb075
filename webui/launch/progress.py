"""The progress of the installation, read from pip's lines. Standard library only; knows neither console nor page."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

Stage = Literal["preparing", "torch", "packages", "installing", "starting"]

_SPEED_WINDOW_SECONDS = 5.0
_UNPACK_BYTES_PER_SECOND = 25_000_000  # what pip wrote on a two-core machine with an ordinary disk
_REST_BYTES = 220_000_000  # everything but torch, wheels of autumn 2026
_TEST_BYTES = 140_000_000

_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_DOWNLOADING = re.compile(r"\s*Downloading (\S+)")
_PROCESSING = re.compile(r"(?:Processing|\s*Using cached) (?:\S*[/\\])?([^/\\\s]+)")
_COLLECTING = re.compile(r"Collecting ([A-Za-z0-9._-]+)")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The installation at one moment. `seconds_left` is None until it can be estimated; bytes are
    of this installation.
    """

    stage: Stage = "preparing"
    file: str = ""
    file_bytes: int = 0
    file_total_bytes: int = 0
    fetched_bytes: int = 0
    bytes_per_second: float = 0.0
    fraction: float = 0.0
    seconds_left: float | None = None


class ProgressMeter:
    """Receives pip's lines from one thread, and is read from others."""

    def __init__(self, torch_bytes: int, *, with_tests: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._torch_bytes = torch_bytes
        self._expected_bytes = torch_bytes + _REST_BYTES + (_TEST_BYTES if with_tests else 0)
        self._now = Progress()
        self._finished_bytes = 0  # of files that are done
        self._recent: deque[tuple[float, int]] = deque()

    def enter(self, stage: Stage) -> None:
        """Begins another stage; what was expected of the one before counts as done."""
        with self._lock:
            if stage == "packages":
                self._finished_bytes = max(self._finished_bytes, self._torch_bytes)
            self._now = replace(self._now, stage=stage, file="", file_bytes=0, file_total_bytes=0)
            self._estimate()

    def feed(self, line: str) -> None:
        """Takes one line of pip's output."""
        with self._lock:
            if found := _PROGRESS.match(line):
                self._advance(int(found[1]), int(found[2]))
            elif found := _DOWNLOADING.match(line) or _PROCESSING.match(line) or _COLLECTING.match(line):
                self._now = replace(
                    self._now, file=found[1].removesuffix(".metadata"), file_bytes=0, file_total_bytes=0
                )
            elif line.startswith("Installing collected packages"):
                self._now = replace(self._now, file="", file_bytes=0, file_total_bytes=0, bytes_per_second=0.0)
                self._recent.clear()
            self._estimate()

    def snapshot(self) -> Progress:
        """The progress at this moment."""
        with self._lock:
            return self._now

    def _advance(self, done_bytes: int, total_bytes: int) -> None:
        now = self._clock()
        fetched = self._finished_bytes + done_bytes
        self._recent.append((now, fetched))
        while now - self._recent[0][0] > _SPEED_WINDOW_SECONDS:
            self._recent.popleft()
        (start, start_bytes) = self._recent[0]
        speed = (fetched - start_bytes) / (now - start) if now > start else self._now.bytes_per_second
        if done_bytes >= total_bytes:
            self._finished_bytes += total_bytes
        self._now = replace(
            self._now,
            file_bytes=done_bytes,
            file_total_bytes=total_bytes,
            fetched_bytes=fetched,
            bytes_per_second=speed,
        )

    def _estimate(self) -> None:
        """Fraction and time left, from the usual size of this kind of installation."""
        fetched = max(self._finished_bytes, self._now.fetched_bytes)
        remaining = max(self._expected_bytes - fetched, self._now.file_total_bytes - self._now.file_bytes, 0)
        fraction = max(self._now.fraction, min(0.97, fetched / (fetched + remaining) if fetched else 0.0))
        if self._now.stage in ("installing", "starting"):
            fraction, remaining = max(fraction, 0.97), 0
        speed = self._now.bytes_per_second
        fetching = remaining / speed if speed > 0 else None
        unpacking = self._expected_bytes * (1 - fraction) / _UNPACK_BYTES_PER_SECOND
        left = None if fetching is None else fetching + unpacking
        self._now = replace(self._now, fraction=fraction, seconds_left=left)
