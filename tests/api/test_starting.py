"""The app starts whatever the packages around it say of themselves."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from tests.api.conftest import serving


def test_a_torch_that_states_no_version_keeps_nothing_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.metadata.distribution

    def without_torch(name: str) -> importlib.metadata.Distribution:
        if name == "torch":
            raise importlib.metadata.PackageNotFoundError(name)
        return find(name)

    monkeypatch.setattr(importlib.metadata, "distribution", without_torch)
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("torch")
    with serving(tmp_path, device="auto") as server, server.client() as client:
        assert client.get("/healthz").status_code == 200
