"""The database made again from the pictures alone: everything that they and what lies beside them can tell."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.metadata.files import png_with
from tests.owners import ANN, BOB
from tests.storage.conftest import raw
from webui.errors import FolderInUse
from webui.requests import to_dict
from webui.requests.diffusion import TextToImage
from webui.storage import Storage
from webui.storage.formats import in_format
from webui.storage.listing import Wanted
from webui.storage.owners import LOCAL, Owner
from webui.storage.pictures import OWNER_FILE
from webui.storage.reindexing import reindex

VERDICT = {"critic": "clip/toy", "score": 0.12, "rank": 2, "kept": False}


@pytest.fixture
def folder(tmp_path: Path, request_: TextToImage) -> Path:
    """Three people's pictures, a judged one, stars, a board; and what else may lie about."""
    storage = Storage(tmp_path)
    for owner in (ANN, BOB, LOCAL):
        for n in range(3):
            image = dataclasses.replace(raw(n), info=raw(n).info | (VERDICT if n == 1 else {}))
            storage.pictures.save(owner, f"{owner.name}-{n}", request_, image)
    ids = [picture.id for picture in storage.pictures.list(ANN)]
    storage.pictures.star(ANN, ids[:2])
    storage.pictures.keep(ANN, ids[1])
    board = storage.boards.create(ANN, "Boats")
    storage.boards.change(ANN, board.id, add=ids[1:])
    storage.pictures.thumbnail(ANN, ids[0], 128)
    storage.close()
    return tmp_path


def told(storage: Storage, owner: Owner) -> list[object]:
    """All that is known of an owner's pictures but the ids, and the moment to the millisecond."""
    assert all(abs(picture.created - time.time()) < 60 for picture in storage.pictures.list(owner))
    return [dataclasses.replace(picture, id="", created=0.0) for picture in storage.pictures.list(owner)]


@pytest.mark.parametrize("loss", ["nothing", "rows", "file", "damaged", "newer"])
def test_everything_is_there_again(folder: Path, loss: str) -> None:
    storage = Storage(folder)
    before = {owner: told(storage, owner) for owner in (ANN, BOB, LOCAL)}
    storage.close()
    database = folder / "darkroom.sqlite3"
    match loss:
        case "rows":
            storage = Storage(folder)
            with storage.database.transaction() as connection:
                connection.execute("DELETE FROM pictures WHERE owner = 'bob'")
            storage.close()
        case "file":
            database.unlink()
        case "damaged":
            database.write_bytes(b"nonsense" * 1000)
        case "newer":
            storage = Storage(folder)
            with storage.database.transaction() as connection:
                connection.execute("PRAGMA user_version = 999")
            storage.close()
    looked: list[int] = []
    done = reindex(folder, (LOCAL,), looked.append)
    assert (done.rebuilt.pictures, done.rebuilt.owners, done.rebuilt.boards) == (9, 3, 1)
    assert (done.rebuilt.unreadable, done.rebuilt.ownerless, done.rebuilt.foreign) == ([], [], 0)
    assert looked[-1] == 9
    assert (done.kept is None) == (loss == "file")
    assert done.kept is None or done.kept.is_file()
    storage = Storage(folder)
    assert {owner: told(storage, owner) for owner in before} == before
    assert storage.pictures.count(ANN, Wanted(starred=True, query="lake")) == 2
    (board,) = storage.boards.list(ANN)
    assert (board.name, board.count) == ("Boats", 2)
    assert storage.pictures.thumbnail(ANN, storage.pictures.list(ANN)[0].id, 128).is_file()
    storage.close()


def test_jpeg_webp_copies_and_what_is_not_ours(folder: Path) -> None:
    (ann,) = [path.parent for path in folder.glob(f"pictures/*/{OWNER_FILE}") if path.read_text() == ANN.name]
    first = sorted(ann.glob("*/*.png"))[0]
    day = ann / "2024-02-29"
    day.mkdir()
    for suffix, form in ((".jpg", "jpeg"), (".webp", "webp")):
        (day / f"mine{suffix}").write_bytes(in_format(first, form).content)  # type: ignore[arg-type]
    shutil.copy(first, day / first.name)
    shutil.copy(first, day / "a copy.PNG")
    (day / "a1111.png").write_bytes(png_with(parameters="a lake\nSteps: 3, Seed: 5"))
    Image.new("RGB", (4, 4)).save(day / "plain.png")
    (day / "120000-2-job-8.png").write_bytes(first.read_bytes()[:-40])  # cut off among its pixels, says what it is
    (day / "empty.webp").write_bytes(b"")
    for name, text in {
        "nan": '{"request": {"prompt": NaN}, "seed": 1}',
        "inf": '{"request": {"steps": 1e999}, "seed": 1}',
        "seed": '{"request": {}, "seed": 1e5}',
        "huge": '{"request": {"schema_version": "x"}, "seed": 1' + "0" * 30 + "}",
        "deep": '{"request": {"a": ' + "[" * 5000 + "]" * 5000 + '}, "seed": 1}',
        "list": "[]",
    }.items():
        (day / f"{name}.png").write_bytes(png_with(darkroom=text))
    os.utime(day / first.name, (1e9, 1e9))
    done = reindex(folder, (), lambda looked: None)
    assert done.rebuilt.pictures == 9 + 5
    storage = Storage(folder)
    found = {picture.path.name: picture for picture in storage.pictures.list(ANN)}
    assert {"mine.jpg", "mine.webp", "a copy.PNG", "120000-2-job-8.png"} <= found.keys()
    assert found["mine.jpg"].request == found["mine.webp"].request == found[first.name].request
    json.dumps([picture.request for picture in found.values()], allow_nan=False)
    for picture in (found["mine.jpg"], found["mine.webp"]):
        assert storage.pictures.thumbnail(ANN, picture.id, 128).is_file()
        assert in_format(picture.path, "webp").content
    storage.close()
    assert reindex(folder, (), lambda looked: None).rebuilt.pictures == done.rebuilt.pictures


def test_whose_they_are_is_guessed_from_the_logins_alone(folder: Path, request_: TextToImage) -> None:
    for path in folder.glob(f"pictures/*/{OWNER_FILE}"):
        path.unlink()
    (folder / "pictures" / "empty").mkdir()
    done = reindex(folder, (LOCAL, ANN), lambda looked: None)
    assert (done.rebuilt.pictures, done.rebuilt.owners, len(done.rebuilt.ownerless)) == (6, 2, 1)
    assert len(list(folder.glob("pictures/*/*/*.png"))) == 9, "nothing is lost"
    assert reindex(folder, (ANN, BOB, LOCAL), lambda looked: None).rebuilt.pictures == 9
    assert to_dict(request_)["prompt"]


def test_not_while_a_darkroom_works_on_it(folder: Path) -> None:
    storage = Storage(folder)
    with pytest.raises(FolderInUse):
        reindex(folder, (), lambda looked: None)
    assert len(storage.pictures.list(ANN)) == 3
    storage.close()
