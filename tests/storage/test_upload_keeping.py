"""Unused uploads are deleted after a while; whatever somebody may still need stays."""

from __future__ import annotations

import io
import os
import sqlite3
import threading
import time
from collections import namedtuple
from pathlib import Path

import pytest
from PIL import Image

from tests.owners import ANN, BOB
from tests.storage.conftest import raw
from webui.errors import DiskFull, UploadsFull
from webui.requests import to_dict
from webui.requests.diffusion import ImageToImage
from webui.storage import Storage
from webui.storage.housekeeping import Housekeeper
from webui.storage.owners import Owner
from webui.storage.upload_keeping import Limits, UploadKeeper

DAY = 24 * 3600.0
LIMITS = Limits(newest_kept=0)


def png(number: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (8, 8), (number % 256, number // 256, 7)).save(content, "PNG")
    return content.getvalue()


def keeper(storage: Storage, limits: Limits = LIMITS) -> UploadKeeper:
    return UploadKeeper(storage.data_dir / "uploads", storage.database, storage.uploads, storage.thumbnails, limits)


def upload(storage: Storage, number: int = 1, owner: Owner = ANN) -> str:
    return storage.uploads.add(owner, png(number), 8, 8)


def job(storage: Storage, reference: str, id: str = "job", owner: Owner = ANN) -> ImageToImage:
    request = ImageToImage(init_image=reference, checkpoint="starter", steps=1, seed=1, width=64, height=64)
    storage.jobs.insert(id, owner, to_dict(request), "waiting")
    return request


def end(storage: Storage, id: str = "job", days_ago: float = 0.0) -> None:
    storage.jobs.end(id, "cancelled", [(1, "cancelled", {})], {})
    with storage.database.transaction() as connection:
        connection.execute("UPDATE jobs SET finished = finished - ? WHERE id = ?", (days_ago * DAY, id))


def in_days(days: float) -> float:
    return time.time() + days * DAY


def test_what_nobody_used_for_a_day_goes_with_file_and_thumbnails(storage: Storage) -> None:
    reference = upload(storage)
    path = storage.uploads.path(ANN, reference)
    small = storage.thumbnails.path(path.stem, path, 128)
    assert keeper(storage).collect(in_days(0.9)) == 0
    assert keeper(storage).collect(in_days(1.1)) == 1
    assert not storage.uploads.has(ANN, reference)
    assert not path.exists()
    assert not small.exists()
    assert keeper(storage).collect(in_days(99)) == 0
    assert upload(storage) == reference
    assert storage.uploads.read(ANN, reference) == png(1)


def test_what_a_job_needs_stays_until_long_after_its_end(storage: Storage) -> None:
    reference = upload(storage)
    job(storage, reference)
    assert keeper(storage).collect(in_days(400)) == 0  # it waits, or runs, however long
    end(storage)
    assert keeper(storage).collect(in_days(29)) == 0
    assert keeper(storage).collect(in_days(31)) == 1


def test_what_a_picture_was_made_of_stays_for_ever(storage: Storage) -> None:
    reference = upload(storage)
    request = job(storage, reference)
    picture = storage.pictures.save(ANN, "job", request, raw())
    end(storage)
    assert keeper(storage).collect(in_days(4000)) == 0
    storage.pictures.delete(ANN, picture.id)
    assert keeper(storage).collect(in_days(4000)) == 0  # it can still be brought back
    storage.pictures.purge(older_than_seconds=-1)
    assert keeper(storage).collect(in_days(4000)) == 1


def test_a_file_goes_with_its_last_owner(storage: Storage) -> None:
    reference = upload(storage, owner=ANN)
    job(storage, upload(storage, owner=BOB), owner=BOB)
    assert keeper(storage).collect(in_days(2)) == 1
    assert not storage.uploads.has(ANN, reference)
    assert storage.uploads.read(BOB, reference) == png(1)


def test_the_newest_few_stay_for_the_page_that_remembers_them(storage: Storage) -> None:
    references = [upload(storage, number) for number in range(5)]
    with storage.database.transaction() as connection:
        for age, reference in enumerate(references):
            connection.execute(
                "UPDATE uploads SET used = used - ? WHERE hex = ?", (age, reference.removeprefix("sha256:"))
            )
    assert keeper(storage, Limits(newest_kept=3)).collect(in_days(400)) == 2
    assert [storage.uploads.has(ANN, reference) for reference in references] == [True, True, True, False, False]


def test_a_picture_that_is_looked_at_is_in_use(storage: Storage) -> None:
    reference = upload(storage)
    with storage.database.transaction() as connection:
        connection.execute("UPDATE uploads SET used = used - ?", (2 * DAY,))
    assert storage.uploads.use(ANN, reference)
    assert keeper(storage).collect() == 0
    assert not storage.uploads.use(BOB, reference)


def test_a_job_that_comes_while_it_is_collected_keeps_its_picture(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = upload(storage)
    with storage.database.transaction() as connection:
        connection.execute("UPDATE uploads SET used = used - ?", (2 * DAY,))
    remove = storage.uploads.remove

    def late(owner: Owner, digest: str, unused_since: float) -> bool:
        assert storage.uploads.use(owner, reference)  # as `resolve` does, after the collector looked for jobs
        return remove(owner, digest, unused_since)

    monkeypatch.setattr(storage.uploads, "remove", late)
    assert keeper(storage).collect() == 0
    assert storage.uploads.read(ANN, reference) == png(1)


def test_adding_and_collecting_at_the_same_time_lose_nothing(storage: Storage) -> None:
    done = threading.Event()

    def collect() -> None:
        while not done.is_set():
            keeper(storage).collect(in_days(2))

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        for _ in range(30):
            digest = upload(storage).removeprefix("sha256:")
            with storage.database.transaction():  # nobody collects in here
                file = storage.uploads.folder / digest[:2] / f"{digest}.png"
                assert file.is_file() == storage.uploads.is_anybodys(digest)
    finally:
        done.set()
        collector.join()
    last = upload(storage)
    assert storage.uploads.read(ANN, last) == png(1)


def test_files_without_a_row_are_kept_for_a_month_and_longer_where_a_request_names_them(storage: Storage) -> None:
    kept, lost = upload(storage, 1), upload(storage, 2)
    job(storage, kept)
    paths = [storage.uploads.path(ANN, reference) for reference in (kept, lost)]
    with storage.database.transaction() as connection:
        connection.execute("DELETE FROM uploads")
    assert keeper(storage).collect(in_days(29)) == 0
    assert keeper(storage).collect(in_days(31)) == 1
    assert [path.exists() for path in paths] == [True, False]


def test_what_pictures_were_made_of_is_found_again_without_the_database(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    reference, unused = upload(storage, 1), upload(storage, 2)
    storage.pictures.save(ANN, "job", job(storage, reference), raw())
    storage.close()
    (tmp_path / "darkroom.sqlite3").write_bytes(os.urandom(8192))
    storage = Storage(tmp_path)
    assert len(storage.pictures.list(ANN)) == 1
    assert storage.uploads.has(ANN, reference)
    assert storage.uploads.size(reference) == (8, 8)
    assert not storage.uploads.has(ANN, unused)
    assert not storage.uploads.has(BOB, reference)
    storage.close()


@pytest.mark.parametrize("limits", [Limits(unneeded_count=3), Limits(unneeded_bytes=3 * len(png(1)))])
def test_one_person_cannot_fill_the_disk_with_what_nothing_is_made_of(storage: Storage, limits: Limits) -> None:
    bounded = keeper(storage, limits)
    references = []
    for number in range(3):
        bounded.check_room(ANN)
        references.append(upload(storage, number))
    with pytest.raises(UploadsFull) as full:
        bounded.check_room(ANN)
    assert full.value.details["retry_after_seconds"] == 3600
    bounded.check_room(BOB)
    request = job(storage, references[0])
    with pytest.raises(UploadsFull):  # a job alone is soon made and soon stopped
        bounded.check_room(ANN)
    storage.pictures.save(ANN, "job", request, raw())
    bounded.check_room(ANN)


def test_a_disk_that_is_nearly_full_takes_no_more_uploads(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage(2**40, 2**40 - 2**20, 2**20))
    with pytest.raises(DiskFull):
        keeper(storage).check_room(ANN)


def test_the_housekeeper_works_at_once_and_again_and_survives_trouble(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rounds = threading.Semaphore(0)

    def collect() -> int:
        rounds.release()
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(storage.upload_keeper, "collect", collect)
    housekeeper = Housekeeper(storage, every_seconds=0.01)
    housekeeper.start()
    for _ in range(3):
        assert rounds.acquire(timeout=20)
    housekeeper.close()
    assert "clean up" in caplog.text
