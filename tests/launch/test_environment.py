"""When `.venv` stands, and when it has to be filled again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.launch.conftest import PYPROJECT, FakePip
from webui.launch.environment import Environment


def test_nothing_is_installed_at_first(environment: Environment) -> None:
    assert not environment.is_installed()
    assert not environment.is_running()


def test_a_filled_environment_stands(environment: Environment, pip: FakePip) -> None:
    assert not environment.is_installed()
    environment.mark_installed()
    assert environment.is_installed()


def test_other_requirements_make_it_fall(root: Path, environment: Environment, pip: FakePip) -> None:
    environment.mark_installed()
    (root / "pyproject.toml").write_text(PYPROJECT.replace("12.3", "12.4"))
    assert not environment.is_installed()


def test_the_extra_is_a_thing_of_its_own(root: Path, environment: Environment, pip: FakePip) -> None:
    tests = Environment(root, "test")
    environment.mark_installed()
    assert not tests.is_installed()
    tests.mark_installed()
    assert tests.is_installed()
    assert environment.is_installed()
    environment.mark_installed()
    assert tests.is_installed(), "the same packages: the extra's are still there"


def test_the_extra_falls_with_the_packages_below_it(root: Path, environment: Environment, pip: FakePip) -> None:
    Environment(root, "test").mark_installed()
    (root / "pyproject.toml").write_text(PYPROJECT.replace("12.3", "12.4"))
    environment.mark_installed()
    assert not Environment(root, "test").is_installed()


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"'])
def test_a_broken_mark_counts_as_none(environment: Environment, pip: FakePip, content: str) -> None:
    environment.marker.write_text(content)
    assert not environment.is_installed()


def test_a_lost_interpreter_counts_as_none(environment: Environment, pip: FakePip) -> None:
    environment.mark_installed()
    environment.python.unlink()
    assert not environment.is_installed()


def test_the_running_interpreter_will_do_if_it_has_everything(root: Path, environment: Environment) -> None:
    assert environment.is_met_here()
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["no-such-package-as-this>=1"]\n')
    assert not environment.is_met_here()


def test_a_half_filled_environment_will_not_do(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    environment.folder.mkdir()
    monkeypatch.setattr(sys, "prefix", str(environment.folder))
    assert environment.is_running()
    assert not environment.is_met_here()
