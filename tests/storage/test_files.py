"""Whole files or none, whatever fails and whenever the process dies."""

from __future__ import annotations

import builtins
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from webui.errors import DiskFull, FolderNotWritable
from webui.storage import files
from webui.storage.files import make_folder, sweep_temporary, write_atomically

WRITE_FOR_EVER = """
import sys
from pathlib import Path
from webui.storage.files import write_atomically
number = 0
while True:
    number += 1
    write_atomically(Path(sys.argv[1]), bytes([number % 256]) * 200_000)
    print(number, flush=True)
"""


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "file"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("failing", ["open", "fsync", "replace", "sync_folder"])
def test_every_call_may_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EIO, "the disk is broken")

    with monkeypatch.context() as patch:
        target = {"open": builtins, "sync_folder": files}.get(failing, os)
        patch.setattr(target, failing, fail)
        with pytest.raises(OSError, match="broken"):
            write_atomically(path, b"new")
    assert path.read_bytes() == (b"new" if failing == "sync_folder" else b"old")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EROFS, FolderNotWritable),
        (errno.EACCES, FolderNotWritable),
    ],
)
def test_refusals_have_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    def fail(_: int) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(error) as caught:
        write_atomically(tmp_path / "file", b"new")
    assert caught.value.details == {"folder": str(tmp_path)}  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(FolderNotWritable):
        make_folder(tmp_path / "taken")
    with pytest.raises(FolderNotWritable):
        make_folder(tmp_path / "taken" / "below")


@pytest.mark.skipif(os.name == "nt", reason="kills with SIGKILL")
def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for attempt in range(4):
        writer = subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.013 * attempt)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        content = path.read_bytes()
        assert len(content) == 200_000
        assert len(set(content)) == 1
    sweep_temporary(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_sweeps_only_what_was_left_over(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / ".tmp-0123").write_text("half")
    (tmp_path / "day" / "picture.png").write_text("whole")
    (tmp_path / "day" / ".tmp-folder").mkdir()
    (tmp_path / "day" / ".tmp-folder" / "picture").write_text("half")
    assert sweep_temporary(tmp_path, is_deep=False) == 0
    assert sweep_temporary(tmp_path) == 2
    assert [p.name for p in (tmp_path / "day").iterdir()] == ["picture.png"]
    (tmp_path / ".tmp-4567").write_text("half")
    assert sweep_temporary(tmp_path, is_deep=False) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["day"]
