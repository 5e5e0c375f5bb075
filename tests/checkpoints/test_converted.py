"""Which results of a conversion are kept, and which are forgotten when the program ends."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.jobs.conftest import eventually
from webui.checkpoints.converted import WAITING, Converted, ConvertedFiles
from webui.checkpoints.places import Kind
from webui.checkpoints.refusals import Broken, Unfinished


def succeed(source: BinaryIO, target: Path) -> Kind:
    target.write_bytes(source.read())
    return "embedding"


@contextmanager
def started(
    folder: Path, convert: Callable[[BinaryIO, Path], Kind], look: Callable[[], object] = tuple
) -> Iterator[ConvertedFiles]:
    copies = ConvertedFiles(folder)
    copies.start(convert, look)
    try:
        yield copies
    finally:
        copies.close()


def outcome(copies: ConvertedFiles, path: Path, kind: Kind = "embedding") -> Converted | None:
    """What is found once the file waits no longer."""
    eventually(lambda: (found := copies.of(path, kind)) is not None and found.reason != WAITING)
    return copies.of(path, kind)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.pt"
    path.write_bytes(b"old")
    return path


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Unfinished("convert_stopped"), "convert_stopped"),
        (PermissionError(errno.EACCES, "no"), "unreadable"),
        (FileNotFoundError(errno.ENOENT, "no interpreter"), "unreadable"),
        (OSError(errno.ENOSPC, "full"), "convert_no_room"),
        (ValueError("a mistake of ours"), "unreadable"),
    ],
    ids=["stopped", "forbidden", "missing", "full", "mistake"],
)
def test_what_is_not_the_files_fault_is_tried_once_a_run(
    tmp_path: Path, old: Path, error: Exception, reason: str
) -> None:
    calls = []

    def fail(source: BinaryIO, target: Path) -> Kind:
        calls.append(source.read())
        raise error

    folder = tmp_path / "converted"
    with started(folder, fail) as copies:
        assert outcome(copies, old) == Converted(None, reason)
        other = tmp_path / "other.pt"
        other.write_bytes(b"other")
        assert outcome(copies, other) == Converted(None, reason)  # the first one would have come before
        assert calls == [b"old", b"other"]
    assert list(folder.iterdir()) == []
    with started(folder, succeed) as copies:
        found = outcome(copies, old)
        assert found is not None
        assert found.path is not None


def test_a_folder_that_cannot_be_made_is_no_reason_to_try_for_ever(tmp_path: Path, old: Path) -> None:
    (tmp_path / "file").touch()
    with started(tmp_path / "file" / "converted", succeed) as copies:
        assert outcome(copies, old) == Converted(None, "unreadable")


def test_what_the_file_is_stays_known(tmp_path: Path, old: Path) -> None:
    def refuse(source: BinaryIO, target: Path) -> Kind:
        raise Broken("convert_code")

    with started(tmp_path / "converted", refuse) as copies:
        assert outcome(copies, old) == Converted(None, "convert_code")
    assert ConvertedFiles(tmp_path / "converted").of(old, "embedding") == Converted(None, "convert_code")


def test_what_lies_in_the_wrong_folder_is_told_what_it_is(tmp_path: Path, old: Path) -> None:
    with started(tmp_path / "converted", succeed) as copies:
        assert outcome(copies, old, "upscaler") == Converted(None, "convert_is_embedding")
    assert [path.suffix for path in (tmp_path / "converted").iterdir()] == [".refused"]


def test_errors_at_the_beginning_keep_nothing_from_being_converted(tmp_path: Path, old: Path) -> None:
    left = tmp_path / "converted" / ".tmp-folder"
    left.mkdir(parents=True)  # which cannot be removed as a file

    def look() -> None:
        raise OSError("the disk has gone")

    with started(tmp_path / "converted", succeed, look) as copies:
        found = outcome(copies, old)
    assert found is not None
    assert found.path is not None
