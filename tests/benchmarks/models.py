"""How long the list of 500 models takes: the first time, when every header is read, and from then on."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.model_files import fill
from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.library import Library

COUNT = 500


def measure_models(repeats: int) -> Iterator[Figure]:
    """Tiny files: it is names and headers that are read of large ones, too."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), COUNT)
        library = Library(Catalogue(Path(folder)))
        yield Figure(f"{COUNT} models listed first", (_seconds(library),))
        yield Figure(f"{COUNT} models listed again", tuple(_seconds(library) for _ in range(repeats)), "goal: 300 ms")


def _seconds(library: Library) -> float:
    start = time.perf_counter()
    if len(library.look()) != COUNT:
        raise RuntimeError("some of the models are missing")
    return time.perf_counter() - start
