"""How fast a model comes over a Hub on this machine, beside the disk's speed, and what a picture loses meanwhile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.engine import steps_of
from tests.benchmarks.figures import Figure, ratio
from tests.settling import SettlingEngine
from webui.requests.diffusion import TextToImage
from webui.settings import ROOT, Settings

_CHUNK_BYTES = 4 * 2**20
_LINE_BYTES_PER_SECOND = 12.5e6  # 100 Mbit/s
_PICTURE = TextToImage(prompt="a white lighthouse on the coast at night", checkpoint="starter", seed=1, steps=20)


def measure_downloads(repeats: int, size: int) -> Iterator[Figure]:
    """Each repeat writes that many bytes to the disk as fast as it goes, then downloads as many."""
    with tempfile.TemporaryDirectory(dir=ROOT) as home, _hub(size) as hub:
        pairs = [(_download(Path(home), hub), _write(Path(home) / "written", size)) for _ in range(repeats)]
        loads, writes = zip(*pairs, strict=True)
        yield Figure("disk, written and flushed", tuple(size / 1e6 / seconds for seconds in writes), "MB/s")
        yield Figure("download over a Hub on this machine", tuple(size / 1e6 / one for one in loads), "MB/s")
        shares = tuple(100 * write / load for load, write in pairs)
        yield Figure("the same, as a share of the disk", shares, "%", "goal: 80 %")
        yield from _lost(Path(home), hub, repeats)


def _lost(home: Path, hub: str, repeats: int) -> Iterator[Figure]:
    """Steps of the starter beside a download over a line of 100 Mbit/s, against those before it."""
    engine = SettlingEngine(Settings(strip_memory_mb=0))
    _seconds(engine)  # loads and warms up
    alone, beside = [], []
    for _ in range(2 * repeats):
        alone.append(_seconds(engine))
        with _downloading(home, hub, "--speed", str(_LINE_BYTES_PER_SECOND)):
            _await_part(home)
            beside.append(_seconds(engine))
    yield ratio("a picture during a download at 100 Mbit/s", beside, alone, "goal: at most 3 %")


def _seconds(engine: SettlingEngine) -> float:
    start = time.perf_counter()
    steps_of(engine, _PICTURE)
    return time.perf_counter() - start


@contextmanager
def _hub(size: int) -> Iterator[str]:
    """Its address. In a process of its own, as the real one is."""
    line = [sys.executable, "-m", "tests.downloads.small_hub", str(size)]
    with subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def _download(home: Path, hub: str) -> float:
    """Seconds from the first byte to the file in its place."""
    with _downloading(home, hub) as process:
        _await_part(home)
        start = time.perf_counter()
        assert process.wait() == 0
        return time.perf_counter() - start


def _await_part(home: Path) -> None:
    while not list((home / "models").glob(".downloads/*.part")):
        time.sleep(0.001)


@contextmanager
def _downloading(home: Path, hub: str, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that downloads; it is ended, and what it brought is gone, afterwards."""
    folders = [str(home / "models"), str(home / "data")]
    line = [sys.executable, "-m", "tests.downloads.killable", *folders, hub, "anna/one", *more]
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def _write(path: Path, size: int) -> float:
    content = os.urandom(_CHUNK_BYTES)
    start = time.perf_counter()
    with open(path, "wb", buffering=0) as file:
        for _ in range(size // _CHUNK_BYTES):
            file.write(content)
        os.fsync(file.fileno())
    seconds = time.perf_counter() - start
    path.unlink()
    return seconds
