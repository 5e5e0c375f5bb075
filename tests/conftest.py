"""What tests of every part share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before torch is loaded: its threads spin while they wait, which is dear where tests share cores with others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "PYTEST_XDIST_WORKER" in os.environ:  # as many tests as cores run at a time
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out what is too large for bf16 on a CPU that does not multiply it; later one may pretend that it does."""
    large = [item for item in items if item.get_closest_marker("native_bf16") and _is_in_bf16(item)]
    if large:
        from webui.engine.device import cpu_multiplies_bf16  # loads torch, which most tests never need

        if not cpu_multiplies_bf16():
            for item in large:
                item.add_marker(pytest.mark.skip(reason="takes minutes in bf16 on a CPU that does not multiply it"))


def _is_in_bf16(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    return call is not None and bool(call.params.get("multiplies_bf16"))


def pytest_collection_finish() -> None:
    """What was imported stays: the collector, which some tests call and all of them pay for, need not look at it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def toy_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with every toy checkpoint (`tests/toys.py`). For all tests of a run: copy what you change."""
    from tests.toys import save_all  # loads torch, which most tests never need

    return save_all(tmp_path_factory.mktemp("toys") / "models")


@pytest.fixture(scope="module", params=[pytest.param(True, id="bf16"), pytest.param(False, id="fp32")])
def multiplies_bf16(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether the CPU multiplies bf16. What uses this runs with a CPU that does, and with one that does not."""
    from tests.number_types import a_cpu  # loads torch, which most tests never need

    with a_cpu(multiplies_bf16=request.param):
        yield request.param
