"""A model's folder in the file manager of each system."""

from __future__ import annotations

from pathlib import Path

import pytest

from webui.api.desktop import show_command, show_in_folder

FILE = Path("/models/a b.safetensors")


def test_each_system_has_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    assert show_command(FILE, "linux") == ["xdg-open", "/models"]
    assert show_command(FILE, "darwin") == ["open", "-R", "/models/a b.safetensors"]
    assert show_command(FILE, "win32") == ["explorer", "/select,/models/a b.safetensors"]


def test_without_a_screen_or_a_file_manager_nothing_opens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert show_command(FILE, "linux") is None
    assert not show_in_folder(tmp_path)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not show_in_folder(tmp_path / "x")
