"""What one call of launch.py does: which interpreter goes on, with which arguments."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

import launch
from tests.launch.conftest import FakePip
from webui.launch import command
from webui.launch.environment import Environment
from webui.launch.torch_wheel import TorchWheel


class BecomeError(Exception):
    """Stands for the process that would have taken over."""


@pytest.fixture(autouse=True)
def _nothing_leaves_this_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    def become(line: list[str]) -> NoReturn:
        raise BecomeError(line)

    monkeypatch.setattr(command, "become", become)
    monkeypatch.setattr(command, "choose", lambda: TorchWheel("CPU", None, 1))
    monkeypatch.setattr(command.webbrowser, "open", lambda url: None)
    monkeypatch.delenv(command.INSTALLED, raising=False)
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def outcome(root: Path, *arguments: str) -> list[str]:
    """The command line that the process becomes."""
    with pytest.raises(BecomeError) as raised:
        command.run(root, list(arguments))
    return list(raised.value.args[0])


def needs_an_environment(root: Path) -> None:
    (root / "pyproject.toml").write_text(
        '[project]\ndependencies = ["torch==2.13.0", "no-such-package-as-this>=1"]\n'
        '[project.optional-dependencies]\ntest = ["pytest>=8.4,<10"]\n'
    )


def test_tests_and_benchmarks_run_here_if_everything_is_here(root: Path) -> None:
    assert outcome(root, "test") == [sys.executable, "-m", "tests"]
    assert outcome(root, "test", "-q", "-k", "x") == [sys.executable, "-m", "pytest", "-q", "-k", "x"]
    assert outcome(root, "bench", "--help") == [sys.executable, "-m", "tests.benchmarks", "--help"]


def test_the_app_is_served_here_if_everything_is_here(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from webui.launch import serve

    monkeypatch.setattr(serve, "serve", lambda arguments, console: len(arguments))
    assert command.run(root, ["--port", "1"]) == 2


@pytest.mark.parametrize("arguments", [["--help"], ["test"], ["bench", "x"]])
def test_what_is_missing_is_installed_first(root: Path, pip: FakePip, arguments: list[str]) -> None:
    needs_an_environment(root)
    python = Environment(root).python
    assert outcome(root, *arguments) == [str(python), str(root / "launch.py"), *arguments]
    assert len(pip.calls) == 2
    assert Environment(root, "test" if arguments[0] != "--help" else None).is_installed()


def test_a_second_start_installs_nothing(root: Path, pip: FakePip) -> None:
    needs_an_environment(root)
    Environment(root).mark_installed()
    assert outcome(root, "--port", "0")[2:] == ["--port", "0"]
    assert pip.calls == []


def test_the_browser_is_opened_once(root: Path, pip: FakePip, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_an_environment(root)
    monkeypatch.setenv("DISPLAY", ":0")
    opened: list[str] = []
    monkeypatch.setattr(command.webbrowser, "open", opened.append)
    assert outcome(root, "--port", "18765")[2:] == ["--port", "18765", "--no-browser"]
    assert opened == ["http://127.0.0.1:18765"]


def test_no_browser_is_no_browser(root: Path, pip: FakePip, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_an_environment(root)
    monkeypatch.setenv("DISPLAY", ":0")
    opened: list[str] = []
    monkeypatch.setattr(command.webbrowser, "open", opened.append)
    assert outcome(root, "--port", "18766", "--no-browser")[2:] == ["--port", "18766", "--no-browser"]
    assert opened == []


def test_a_package_that_pip_does_not_bring_ends_it(
    root: Path, pip: FakePip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    needs_an_environment(root)
    outcome(root, "--help")
    monkeypatch.setattr(sys, "prefix", str(root / ".venv"))
    assert command.run(root, ["--help"]) == 1
    assert "no-such-package-as-this" in capsys.readouterr().err


def test_a_failure_is_a_sentence(root: Path, pip: FakePip, capsys: pytest.CaptureFixture[str]) -> None:
    needs_an_environment(root)
    pip.will((["ERROR: Failed to establish a new connection"], 1))
    assert command.run(root, ["--help"]) == 1
    said = capsys.readouterr().err
    assert "Check the network" in said
    assert "Traceback" not in said


def test_an_older_python_is_told_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    assert launch.main([]) == 1
    assert "needs Python 3.11 or later; this is 3.10.4" in capsys.readouterr().err
