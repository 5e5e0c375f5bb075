"""The gallery: pages, owners, undo, damage."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from tests.owners import ANN, BOB
from tests.storage.conftest import raw
from webui.errors import DiskFull, PictureNotFound
from webui.requests.diffusion import TextToImage
from webui.storage import Storage
from webui.storage.adoption import adopt_job, rebuild
from webui.storage.owners import Owner


def save(storage: Storage, request: TextToImage, count: int, owner: Owner = ANN) -> list[str]:
    return [storage.pictures.save(owner, f"{owner.name}-{n}", request, raw(n)).id for n in range(count)]


def test_a_picture_is_an_ordinary_file(storage: Storage, request_: TextToImage) -> None:
    info = storage.pictures.save(ANN, "job", request_, raw(7))
    picture = storage.pictures.get(ANN, info.id)
    assert (info.seed, info.width, info.height) == (7, 128, 64)
    assert picture.info == info
    assert picture.request["prompt"] == request_.prompt
    assert picture.path.parent.parent == storage.pictures.owner_folder(ANN)
    with Image.open(picture.path) as image:
        assert image.size == (128, 64)
        assert image.getpixel((0, 0)) == (7, 100, 200)


def test_a_file_names_nobody(storage: Storage, request_: TextToImage) -> None:
    sarah = Owner("sarah.connor")
    picture = storage.pictures.get(sarah, storage.pictures.save(sarah, "job", request_, raw()).id)
    assert b"connor" not in picture.path.read_bytes()
    assert "connor" not in str(picture.path)
    assert str(storage.data_dir).encode() not in picture.path.read_bytes()


def test_pages_newest_first(storage: Storage, request_: TextToImage) -> None:
    ids = save(storage, request_, 7)
    pages, before = [], None
    while page := storage.pictures.list(ANN, before, 3):
        pages.append([picture.id for picture in page])
        before = page[-1].id
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [id for page in pages for id in page] == ids[::-1]


def test_a_new_picture_does_not_move_the_pages(storage: Storage, request_: TextToImage) -> None:
    ids = save(storage, request_, 4)
    first = storage.pictures.list(ANN, None, 2)
    storage.pictures.save(ANN, "new", request_, raw(200))
    second = storage.pictures.list(ANN, first[-1].id, 2)
    assert [picture.id for picture in (*first, *second)] == ids[::-1]


@pytest.mark.parametrize("limit", [-1, 0, 1, 10**9])
def test_a_page_has_at_least_one_and_at_most_two_hundred(storage: Storage, request_: TextToImage, limit: int) -> None:
    save(storage, request_, 3)
    assert len(storage.pictures.list(ANN, limit=limit)) == (3 if limit > 1 else 1)


def test_nobody_sees_anothers(storage: Storage, request_: TextToImage) -> None:
    (mine,), (theirs,) = save(storage, request_, 1, ANN), save(storage, request_, 1, BOB)
    assert [picture.id for picture in storage.pictures.list(ANN)] == [mine]
    for refused in (
        lambda: storage.pictures.get(ANN, theirs),
        lambda: storage.pictures.delete(ANN, theirs),
        lambda: storage.pictures.restore(ANN, theirs),
        lambda: storage.pictures.thumbnail(ANN, theirs, 128),
        lambda: storage.pictures.list(ANN, before=theirs),
    ):
        with pytest.raises(PictureNotFound):
            refused()
    assert storage.pictures.get(BOB, theirs).id == theirs


@pytest.mark.parametrize("id", ["%", "*", "' OR 1=1 --", "../../etc/passwd", "", "x" * 10_000, "a\0b"])
def test_odd_ids_find_nothing(storage: Storage, request_: TextToImage, id: str) -> None:
    save(storage, request_, 2)
    with pytest.raises(PictureNotFound):
        storage.pictures.get(ANN, id)
    with pytest.raises(PictureNotFound):
        storage.pictures.delete(ANN, id)
    assert len(storage.pictures.list(ANN)) == 2


def test_deleting_can_be_undone(storage: Storage, request_: TextToImage) -> None:
    ids = save(storage, request_, 3)
    for _ in range(2):
        storage.pictures.delete(ANN, ids[1])
    assert [picture.id for picture in storage.pictures.list(ANN)] == [ids[2], ids[0]]
    with pytest.raises(PictureNotFound):
        storage.pictures.get(ANN, ids[1])
    for _ in range(2):
        storage.pictures.restore(ANN, ids[1])
    assert [picture.id for picture in storage.pictures.list(ANN)] == ids[::-1]


def test_purging_takes_the_file_and_its_thumbnails(storage: Storage, request_: TextToImage) -> None:
    keep, drop = save(storage, request_, 2)
    path, small = storage.pictures.get(ANN, drop).path, storage.pictures.thumbnail(ANN, drop, 128)
    storage.pictures.delete(ANN, drop)
    assert storage.pictures.purge() == 0  # there is an hour to change one's mind
    assert path.exists()
    assert storage.pictures.purge(older_than_seconds=-1) == 1
    assert not path.exists()
    assert not small.exists()
    with pytest.raises(PictureNotFound):
        storage.pictures.restore(ANN, drop)
    assert [picture.id for picture in storage.pictures.list(ANN)] == [keep]


def test_missing_and_damaged_files_hide_nothing_else(storage: Storage, request_: TextToImage) -> None:
    ids = save(storage, request_, 6)
    storage.pictures.get(ANN, ids[5]).path.unlink()
    storage.pictures.get(ANN, ids[3]).path.unlink()
    storage.pictures.get(ANN, ids[2]).path.write_bytes(b"\x89PNG\r\n\x1a\n nonsense")
    assert [picture.id for picture in storage.pictures.list(ANN, limit=3)] == [ids[4], ids[2], ids[1]]
    with pytest.raises(PictureNotFound):
        storage.pictures.thumbnail(ANN, ids[2], 128)
    assert storage.pictures.thumbnail(ANN, ids[1], 128).exists()


def test_thumbnails_are_made_once_and_keep_the_aspect(storage: Storage, request_: TextToImage) -> None:
    id = storage.pictures.save(ANN, "job", request_, raw(1, 640, 320)).id
    path = storage.pictures.thumbnail(ANN, id, 200)
    before = os.stat(path).st_mtime_ns
    assert storage.pictures.thumbnail(ANN, id, 256) == path
    assert os.stat(path).st_mtime_ns == before
    with Image.open(path) as image:
        assert (image.format, image.size) == ("WEBP", (256, 128))
    with Image.open(storage.pictures.thumbnail(ANN, id, 10**9)) as image:
        assert image.size == (640, 320)  # never enlarged


def test_saving_a_place_again_replaces_it(storage: Storage, request_: TextToImage) -> None:
    first = storage.pictures.save(ANN, "job", request_, raw(1))
    path = storage.pictures.get(ANN, first.id).path
    second = storage.pictures.save(ANN, "job", request_, raw(2))
    assert second.id == first.id
    assert [picture.seed for picture in storage.pictures.list(ANN)] == [2]
    assert not path.exists()
    assert storage.pictures.of_job("job") == (second,)


def test_a_file_without_a_row_is_adopted(storage: Storage, request_: TextToImage) -> None:
    storage.pictures.save(ANN, "my-job_x", request_, raw(1), 0)
    storage.pictures.save(ANN, "my-job_x", request_, raw(2), 1)
    with storage.database.transaction() as connection:
        connection.execute("DELETE FROM pictures WHERE position = 1")
    assert adopt_job(storage.pictures, ANN, "my-job_x") == 1
    assert adopt_job(storage.pictures, ANN, "my-job_x") == 0
    assert [info.seed for info in storage.pictures.of_job("my-job_x")] == [1, 2]


def test_rebuilding_leaves_foreign_files_alone(storage: Storage, request_: TextToImage) -> None:
    id = storage.pictures.save(ANN, "job", request_, raw(1)).id
    folder = storage.pictures.get(ANN, id).path.parent
    Image.new("RGB", (4, 4)).save(folder / "120000-1-job-9.png")
    (folder / "120000-2-job-8.png").write_bytes(b"nonsense")
    (folder / "holiday.png").write_bytes(b"nonsense")
    with storage.database.transaction() as connection:
        connection.execute("DELETE FROM pictures")
    assert rebuild(storage.pictures, storage.boards, storage.database).pictures == 1
    assert [picture.seed for picture in storage.pictures.list(ANN)] == [1]
    assert len(list(folder.iterdir())) == 4


def test_no_room_leaves_nothing_behind(
    storage: Storage, request_: TextToImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.pictures.save(ANN, "first", request_, raw(1))

    def full(*_: object) -> None:
        raise DiskFull(folder="data")

    monkeypatch.setattr(storage.pictures, "insert", full)
    with pytest.raises(DiskFull):
        storage.pictures.save(ANN, "second", request_, raw(2))
    assert len(list(Path(storage.pictures.folder).rglob("*.png"))) == 1
    assert len(storage.pictures.list(ANN)) == 1
