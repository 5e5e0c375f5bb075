"""What tests of every part share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before torch is loaded: its threads spin while they wait, which is dear where tests share cores with others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(scope="session")
def toy_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with every toy checkpoint (`tests/toys.py`). For all tests of a run: copy what you change."""
    from tests.toys import save_all  # loads torch, which most tests never need

    return save_all(tmp_path_factory.mktemp("toys") / "models")
