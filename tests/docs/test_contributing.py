"""Following “How to add a scheduler” word for word adds one, in a copy of the project."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from webui.docs.manual import FOLDER
from webui.docs.tables import rows_of
from webui.settings import ROOT

PAGE = (FOLDER / "en" / "contributing.md").read_text(encoding="utf-8")
(SECTION,) = re.findall(r"## How to add a scheduler\n(.*?)\n## ", PAGE, re.DOTALL)
STEP = re.compile(r"at the end of `(?P<name>\w+)` in `(?P<file>[\w/.]+)`:\n\n   ```\n(?P<row>.*?)   ```", re.DOTALL)
COMMAND = re.compile(r"   ```\n   python launch\.py (.*?)\n   ```")
LEFT_OUT = ("models", "outputs", "browser", "screenshots", "__pycache__")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What of the project the page names, to be changed."""
    for name in ("webui", "tests", "presets"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for name in ("launch.py", "pyproject.toml", "LICENSE", "README.md"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def add_row(file: Path, name: str, row: str) -> None:
    """The row before the end of the literal that `name` is assigned to."""
    text = file.read_text(encoding="utf-8")
    (literal,) = (
        node.value
        for node in ast.parse(text).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name
    )
    assert literal is not None
    lines = text.splitlines(keepends=True)
    lines.insert((literal.end_lineno or 0) - 1, textwrap.indent(textwrap.dedent(row), "    "))
    file.write_text("".join(lines), encoding="utf-8")


def test_every_file_that_the_steps_name_is_there() -> None:
    named = re.findall(r"`((?:webui|tests)/[\w./-]+)`", SECTION)
    assert len(named) >= 5
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.slow
def test_following_the_steps_adds_a_scheduler(copy: Path) -> None:
    steps = list(STEP.finditer(SECTION))
    assert [step["name"] for step in steps] == ["SCHEDULERS", "UPDATE_RULES"]
    for step in steps:
        add_row(copy / step["file"], step["name"], step["row"])
    commands = COMMAND.findall(SECTION)
    assert [shlex.split(command)[0] for command in commands] == ["test", "docs"]
    for command in commands:
        line = [sys.executable, "launch.py", *shlex.split(command)]
        done = subprocess.run(line, cwd=copy, capture_output=True, text=True, timeout=110, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    for language in ("en", "zh-CN"):
        page = (copy / "webui" / "docs" / language / "sampling.md").read_text(encoding="utf-8")
        assert ["DPM++ 3M", "`dpmpp_3m`", "`k_dpmpp_3m`"] in [row[:3] for row in rows_of(page, "schedulers")]
