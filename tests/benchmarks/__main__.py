"""`python launch.py bench`: measures one thing after the other and prints each figure as soon as it is there."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from tests.benchmarks.delivery import measure_delivery
from tests.benchmarks.downloads import measure_downloads
from tests.benchmarks.engine import measure_engine, measure_strip, measure_swaps
from tests.benchmarks.figures import Figure
from tests.benchmarks.gallery import measure_gallery
from tests.benchmarks.instant import measure_instant
from tests.benchmarks.models import measure_models
from tests.benchmarks.page import measure_page
from tests.benchmarks.processor import measure_processor
from tests.benchmarks.start import measure_start
from tests.benchmarks.style import measure_large, measure_style


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python launch.py bench", description="Prints how fast this machine is.")
    parser.add_argument("--quick", action="store_true", help="each thing once or twice only, and no baseline of others")
    parser.add_argument("--only", metavar="PART", choices=PARTS, help=f"one part: {', '.join(PARTS)}")
    parser.add_argument(
        "--curves", metavar="FILE", type=Path, help="where to draw the courses of style transfers (WebP)"
    )
    asked = parser.parse_args(arguments)
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    _say(f"{platform.platform()} · {os.cpu_count()} cores · {load}")
    for name, measure in PARTS.items():
        if asked.only in (None, name):
            for figure in measure(asked.quick, asked.curves):
                _say(figure.line())


def _style(quick: bool, curves: Path | None) -> Iterator[Figure]:
    if not quick:
        yield from measure_style(3, curves)
    yield from measure_large((512,) if quick else (512, 1024, 4096))


# By name: what measures, with `quick` and where curves go.
PARTS: dict[str, Callable[[bool, Path | None], Iterator[Figure]]] = {
    "start": lambda quick, _: measure_start(1 if quick else 3),
    "page": lambda quick, _: chain(measure_delivery(1 if quick else 3), measure_page(2 if quick else 6)),
    "engine": lambda quick, _: measure_engine(2 if quick else 6),
    "strip": lambda quick, _: measure_strip(2 if quick else 6),
    "swaps": lambda quick, _: measure_swaps(1 if quick else 4),
    "gallery": lambda quick, _: measure_gallery(2 if quick else 10),
    "models": lambda quick, _: measure_models(2 if quick else 10),
    "processor": lambda quick, _: measure_processor(quick=quick),
    "downloads": lambda quick, _: measure_downloads(1 if quick else 3, 10**8 if quick else 2 * 10**9),
    "instant": lambda quick, _: measure_instant(2 if quick else 6),
    "style": _style,
}


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
