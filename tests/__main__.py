"""The whole suite: first what drives no browser, two tests at a time, then what does, one at a time and undisturbed.

A file's tests stay together, for what they share. What fails is run once more, by itself: on a machine that is busy
with other things, a browser may be late once. Both outcomes are printed, and a test that fails twice fails the suite.
"""

from __future__ import annotations

import subprocess
import sys

PARTS = (
    ("-m", "not browser", "-n", "2", "--dist", "loadfile"),
    ("-m", "browser"),
)
AGAIN = ("--last-failed", "--last-failed-no-failures", "none")
TESTS_FAILED = 1  # pytest's code for that; what cannot even be collected has another


def main() -> int:
    """The exit code of the first part that fails, after all have run; 0 if none does."""
    codes = [_outcome(part) for part in PARTS]
    return next((code for code in codes if code), 0)


def _outcome(part: tuple[str, ...]) -> int:
    code = _pytest(*part)
    if code != TESTS_FAILED:
        return code
    sys.stdout.write("What failed is run once more, by itself.\n")
    sys.stdout.flush()
    marker = part[:2]
    return _pytest(*marker, *AGAIN)


def _pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
