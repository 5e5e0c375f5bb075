"""Things in memory: bounded, forgotten in time, and never on the disk."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.storage.conftest import raw
from webui.errors import PictureNotFound, PrivateMemoryFull
from webui.requests import to_dict
from webui.requests.diffusion import TextToImage
from webui.storage import Storage, private
from webui.storage.listing import Wanted
from webui.storage.memory import MemoryFiles
from webui.storage.owners import Owner, PrivateOwner
from webui.storage.private import PrivateSessions

ANN = PrivateOwner("ann", "session-of-anns-browser")
REQUEST = TextToImage(prompt="a secret lake", seed=1)


def test_everything_works_in_memory(storage: Storage) -> None:
    before = {path: path.stat().st_mtime_ns for path in storage.data_dir.rglob("*")}
    stores = storage.of(ANN)
    ids = [stores.pictures.save(ANN, f"job{n}", REQUEST, raw(n)).id for n in range(3)]
    assert [picture.id for picture in stores.pictures.list(ANN, wanted=Wanted(query="secret"))] == ids[::-1]
    stores.pictures.star(ANN, ids[:1])
    board = stores.boards.create(ANN, "Secret board")
    assert stores.boards.change(ANN, board.id, add=ids).count == 3
    stores.pictures.delete(ANN, ids[1])
    stores.pictures.restore(ANN, ids[1])
    assert stores.pictures.thumbnail(ANN, ids[0], 128).read_bytes().startswith(b"RIFF")
    reference = stores.uploads.add(ANN, b"png", 3, 2)
    assert stores.uploads.read(ANN, reference) == b"png"
    stores.upload_keeper.check_room(ANN)
    stores.jobs.insert("job", ANN, to_dict(REQUEST), "waiting")
    assert stores.pictures.purge(older_than_seconds=-1) == 0
    assert {path: path.stat().st_mtime_ns for path in storage.data_dir.rglob("*")} == before
    assert storage.private.used_bytes(ANN) > 3 * 1000
    assert storage.of(Owner("ann")).pictures.list(Owner("ann")) == []
    assert storage.of(PrivateOwner("ann", "another")).pictures.list(ANN) == []


def test_the_disk_takes_nothing_private(storage: Storage) -> None:
    for write in (
        lambda: storage.pictures.save(ANN, "job", REQUEST, raw()),
        lambda: storage.uploads.add(ANN, b"png", 3, 2),
        lambda: storage.jobs.insert("job", ANN, to_dict(REQUEST), "waiting"),
    ):
        with pytest.raises(RuntimeError, match="private mode"):
            write()
    assert not list(storage.data_dir.rglob("*.png"))
    assert ANN.is_private
    assert not Owner("ann").is_private


def test_the_oldest_goes_where_it_is_too_much() -> None:
    sessions = PrivateSessions(session_bytes=60_000, all_bytes=90_000)
    stores = sessions.of(ANN)
    ids = [stores.pictures.save(ANN, f"job{n}", REQUEST, raw(n, 512, 512)).id for n in range(40)]
    found = [picture.id for picture in stores.pictures.list(ANN)]
    assert 0 < len(found) < 40
    assert found == ids[::-1][: len(found)]
    assert sessions.used_bytes(ANN) <= 60_000
    with pytest.raises(PictureNotFound):
        stores.pictures.get(ANN, ids[0])
    others = [PrivateOwner("ann", f"session-number-{n}-of-ann") for n in range(3)]
    for other in others:
        for n in range(10):
            sessions.of(other).pictures.save(other, f"job{n}", REQUEST, raw(n, 512, 512))
    sessions.of(ANN)
    assert sum(sessions.used_bytes(one) for one in (ANN, *others)) <= 90_000
    assert all(sessions.of(other).pictures.list(other) for other in others)
    with pytest.raises(PrivateMemoryFull):
        stores.uploads.add(ANN, bytes(60_001), 3, 2)


def test_it_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = PrivateSessions(idle_seconds=0.05)
    stores = sessions.of(ANN)
    stores.pictures.save(ANN, "job", REQUEST, raw())
    stores.jobs.insert("job", ANN, to_dict(REQUEST), "running")
    time.sleep(0.1)
    assert sessions.expire() == [], "a job goes on"
    stores.jobs.end("job", "finished", [(1, "cancelled", {})], {})
    assert sessions.expire() == [ANN]
    assert sessions.of(ANN).pictures.list(ANN) == []
    sessions.forget(ANN)
    sessions.of(ANN).pictures.save(ANN, "late", REQUEST, raw())
    assert (sessions.of(ANN).pictures.list(ANN), sessions.used_bytes(ANN)) == ([], 0), "what ends late keeps nothing"
    bob = PrivateOwner("bob", "session-of-bobs-browser")
    sessions.of(bob).pictures.save(bob, "job", REQUEST, raw())
    many = [PrivateOwner("ann", f"session-{n}") for n in range(20)]
    for owner in many:
        sessions.of(owner).pictures.save(owner, "job", REQUEST, raw())
    assert sum(sessions.used_bytes(owner) > 0 for owner in (*many, bob)) == private.MAX_OF_ONE + 1
    assert len(sessions.of(bob).pictures.list(bob)) == 1, "nobody pushes others out"
    monkeypatch.setattr(private, "MAX_SESSIONS", 3)
    carl = PrivateOwner("carl", "session")
    sessions.of(carl).pictures.save(carl, "job", REQUEST, raw())
    assert sum(sessions.used_bytes(owner) > 0 for owner in (*many, bob, carl)) == private.MAX_OF_ONE + 1


def test_paths_in_memory_behave() -> None:
    folder = MemoryFiles(10).folder("a")
    path = folder / "b" / "c.png"
    assert (path.name, path.stem, path.suffix, path.relative_to(folder).as_posix()) == ("c.png", "c", ".png", "b/c.png")
    assert not path.is_file()
    for missing in (path.read_bytes, path.unlink, path.stat, lambda: path.open("rb")):
        with pytest.raises(FileNotFoundError):
            missing()
    path.unlink(missing_ok=True)
    path.write_bytes(b"12345")
    assert (path.stat().st_size, path.open("rb").read(), path == folder / "b" / "c.png") == (5, b"12345", True)
    with pytest.raises(ValueError, match="wb"):
        path.open("wb")
    assert not isinstance(path, Path)
