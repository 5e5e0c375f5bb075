"""What pyproject.toml asks for, and whether it is there."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from webui.launch.requirements import Requirement, fingerprint, missing, read

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_projects_own_requirements_can_be_read() -> None:
    found = {r.name: r.specifier for r in read(ROOT / "pyproject.toml")}
    assert found["torch"] == "==2.13.0"
    assert "torchvision" not in found
    assert "pytest" in {r.name for r in read(ROOT / "pyproject.toml", "test")}


def test_the_running_interpreter_has_the_projects_requirements() -> None:
    assert missing(read(ROOT / "pyproject.toml") + read(ROOT / "pyproject.toml", "test")) == ()


@pytest.mark.parametrize(
    ("specifier", "version", "admitted"),
    [
        ("==2.13.0", "2.13.0", True),
        ("==2.13.0", "2.13.0+cu130", True),
        ("==2.13.0", "2.13.1", False),
        ("==2.13.0", "2.13", True),
        (">=1.10,<2", "1.9", False),
        (">=1.10,<2", "1.10.0", True),
        (">=1.10,<2", "2.0.0", False),
        (">=0.0.30,<0.1", "0.0.34", True),
        (">=0.0.30,<0.1", "0.0.4", False),
        ("!=3,>2", "3.0", False),
        ("<=3", "3.0.1", False),
        ("", "0.1", True),
        ("~=1.0", "1.0", False),  # a clause that cannot be read holds for nothing, so that pip decides
    ],
)
def test_versions(specifier: str, version: str, admitted: bool) -> None:
    assert Requirement("x", specifier).admits(version) is admitted


def test_absent_and_wrong_packages_are_missing() -> None:
    wanted = (
        Requirement("pytest", ">=1"),
        Requirement("pytest", ">=999"),
        Requirement("no-such-package-as-this", ""),
    )
    assert missing(wanted) == wanted[1:]
    assert metadata.version("pytest")


@pytest.mark.parametrize("line", ["torch==2.13.0; sys_platform == 'linux'", "uvicorn[standard]>=0.40"])
def test_requirements_beyond_name_and_range_are_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(f'[project]\ndependencies = ["{line}"]\n')
    with pytest.raises(ValueError, match="name and a range"):
        read(file)


def test_the_fingerprint_changes_with_the_requirements_only() -> None:
    one, two = Requirement("a", "==1"), Requirement("b", "")
    assert fingerprint((one, two)) == fingerprint((two, one))
    assert fingerprint((one, two)) != fingerprint((one,))
    assert fingerprint((one,)) != fingerprint((Requirement("a", "==2"),))
