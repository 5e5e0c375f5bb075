"""Lint, formatting and types, as `pyproject.toml` sets them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from webui.settings import ROOT


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)],
    ids=["lint", "format", "types"],
)
def test_the_code_is_clean(arguments: tuple[str, ...]) -> None:
    line = [sys.executable, "-m", *arguments]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
