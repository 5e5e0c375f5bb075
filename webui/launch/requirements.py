"""Which packages the project needs, according to `pyproject.toml`, and whether the running interpreter has them.

Standard library only, and fast: this runs at every start. Knows only plain requirements, `name>=1,<2`, without extras
or markers; a test checks `pyproject.toml` for that. Does not know how packages are installed.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tomllib
from dataclasses import dataclass
from importlib import metadata
from itertools import zip_longest
from pathlib import Path

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?P<specifier>[^;\[\]]*)")
_CLAUSE = re.compile(r"(?P<operator>==|!=|>=|<=|<|>)\s*(?P<version>[0-9][0-9.]*)")


@dataclass(frozen=True)
class Requirement:
    """One package and the versions that will do, such as `torch` and `==2.13.0`."""

    name: str
    specifier: str

    def __str__(self) -> str:
        return f"{self.name}{self.specifier}"

    def admits(self, version: str) -> bool:
        """Whether this version will do. A local part is ignored: `==2.13.0` admits `2.13.0+cu130`."""
        clauses = [_CLAUSE.fullmatch(clause.strip()) for clause in self.specifier.split(",") if clause.strip()]
        return all(clause is not None and _holds(version, clause["operator"], clause["version"]) for clause in clauses)


def _holds(version: str, operator: str, bound: str) -> bool:
    difference = _compare(version, bound)
    return {
        "==": difference == 0,
        "!=": difference != 0,
        ">=": difference >= 0,
        "<=": difference <= 0,
        ">": difference > 0,
        "<": difference < 0,
    }[operator]


def _compare(left: str, right: str) -> int:
    """-1, 0 or 1, by the release numbers only."""
    pairs = zip_longest(_release(left), _release(right), fillvalue=0)
    return next(((a > b) - (a < b) for a, b in pairs if a != b), 0)


def _release(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def read(pyproject: Path, extra: str | None = None) -> tuple[Requirement, ...]:
    """The project's dependencies, or those of one of its extras.

    Raises ValueError for a requirement that is more than a name and a range.
    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    return tuple(map(_parse, lines))


def _parse(line: str) -> Requirement:
    found = _REQUIREMENT.fullmatch(line.strip())
    if found is None:
        raise ValueError(f"launch.py can only read a name and a range, not {line!r}")
    return Requirement(found["name"], found["specifier"].strip())


def missing(requirements: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
    """The requirements that the running interpreter does not have, or not in a version that will do."""
    return tuple(r for r in requirements if (found := _installed_version(r.name)) is None or not r.admits(found))


def _installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def fingerprint(requirements: tuple[Requirement, ...]) -> str:
    """A digest that changes with the requirements, and with the Python that they are installed for."""
    lines = sorted(map(str, requirements))
    return hashlib.sha256("\n".join([*lines, f"python {sys.version_info[:2]}"]).encode()).hexdigest()
