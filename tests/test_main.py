"""What `launch.py test` makes of the outcomes of its parts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests import __main__ as suite

AGAIN = "--last-failed"


@pytest.mark.parametrize(
    ("codes", "calls", "code"),
    [
        ((0, 0), ["not browser", "browser"], 0),
        ((0, 1, 0), ["not browser", "browser", "browser again"], 0),
        ((0, 1, 1), ["not browser", "browser", "browser again"], 1),
        ((1, 0, 0), ["not browser", "not browser again", "browser"], 0),
        ((1, 1, 0), ["not browser", "not browser again", "browser"], 1),
        ((2, 0), ["not browser", "browser"], 2),  # it could not be collected
        ((0, 1, 5), ["not browser", "browser", "browser again"], 5),  # nothing was there to run again
    ],
)
def test_what_failed_is_run_once_more_and_counts(
    monkeypatch: pytest.MonkeyPatch, codes: tuple[int, ...], calls: list[str], code: int
) -> None:
    left: Iterator[int] = iter(codes)
    made: list[str] = []

    def run(command: list[str], *, check: bool) -> subprocess.CompletedProcess[bytes]:
        marker = command[command.index("-m", 2) + 1]  # the first is the interpreter's
        made.append(f"{marker}{' again' if AGAIN in command else ''}")
        return subprocess.CompletedProcess(command, next(left))

    monkeypatch.setattr(subprocess, "run", run)
    assert suite.main() == code
    assert made == calls
