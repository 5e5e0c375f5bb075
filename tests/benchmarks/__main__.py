"""`python launch.py bench`: measures one thing after the other and prints each figure as soon as it is there."""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import sys

from tests.benchmarks.engine import measure_engine, measure_strip, measure_swaps
from tests.benchmarks.gallery import measure_gallery
from tests.benchmarks.page import measure_page
from tests.benchmarks.start import measure_start


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python launch.py bench", description="Prints how fast this machine is.")
    parser.add_argument("--quick", action="store_true", help="each thing once or twice only")
    quick = parser.parse_args(arguments).quick
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    _say(f"{platform.platform()} · {os.cpu_count()} cores · {load}")
    figures = itertools.chain(
        measure_start(1 if quick else 3),
        measure_page(2 if quick else 6),
        measure_engine(2 if quick else 6),
        measure_strip(2 if quick else 6),
        measure_swaps(1 if quick else 4),
        measure_gallery(2 if quick else 10),
    )
    for figure in figures:
        _say(figure.line())


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
