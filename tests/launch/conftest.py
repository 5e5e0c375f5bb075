"""A project folder of its own, and an interpreter in its `.venv` that plays pip by a script."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from webui.launch.environment import Environment

PYPROJECT = """
[project]
dependencies = ["torch==2.13.0", "pillow>=12.3,<13"]
[project.optional-dependencies]
test = ["pytest>=8.4,<10"]
"""

# Plays `python -m pip …`: writes down how it was called, says its lines, ends as it is told.
_FAKE_PYTHON = """#!{interpreter}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
arguments = sys.argv[1:]
if arguments[:1] == ["-c"]:
    sys.exit(0)
if arguments == ["-m", "pip", "--version"]:
    sys.stdout.write("pip {version} from here (python 3.11)\\n")
    sys.exit(0)
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(arguments) + "\\n")
script = json.loads((here / "script").read_text())
lines, code = script.pop(0) if script else ([], 0)
(here / "script").write_text(json.dumps(script))
sys.stdout.write("".join(line + "\\n" for line in lines))
sys.exit(code)
"""


@dataclass(frozen=True)
class FakePip:
    """The pip of one environment: what it shall say and how it shall end, call by call; and how it was called."""

    folder: Path

    def will(self, *calls: tuple[list[str], int]) -> None:
        (self.folder / "script").write_text(json.dumps(list(calls)))

    @property
    def calls(self) -> list[list[str]]:
        file = self.folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture(autouse=True)
def nothing_was_installed_just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The launcher's note to the process that it becomes: not there at first, and gone after each test."""
    monkeypatch.setenv("DARKROOM_LAUNCH_INSTALLED", "1")  # so that it is taken back, whoever sets it meanwhile
    monkeypatch.delenv("DARKROOM_LAUNCH_INSTALLED")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project folder that asks for three packages."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    return tmp_path


@pytest.fixture
def environment(root: Path) -> Environment:
    return Environment(root)


@pytest.fixture
def pip(environment: Environment) -> FakePip:
    """A `.venv` whose interpreter plays a pip that is new enough and succeeds."""
    environment.python.parent.mkdir(parents=True)
    environment.python.write_text(_FAKE_PYTHON.format(interpreter=sys.executable, version="26.3"))
    environment.python.chmod(0o755)
    fake = FakePip(environment.python.parent)
    fake.will()
    return fake
