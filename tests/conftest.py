"""What tests of every part share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BROWSER = Path(__file__).parent / "browser"

# Before torch is loaded: its threads spin while they wait, which is dear where tests share cores with others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where two tests run at a time: those of one file stay together, and no two of them drive a browser."""
    for item in items:
        is_of_browser = BROWSER in item.path.parents
        item.add_marker(pytest.mark.xdist_group("browser" if is_of_browser else item.path.as_posix()))


@pytest.fixture(scope="session")
def toy_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with every toy checkpoint (`tests/toys.py`). For all tests of a run: copy what you change."""
    from tests.toys import save_all  # loads torch, which most tests never need

    return save_all(tmp_path_factory.mktemp("toys") / "models")
