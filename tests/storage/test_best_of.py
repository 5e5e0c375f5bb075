"""What the gallery knows of pictures of which the best were kept: scores, the fold, and that nothing gets lost."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.owners import ANN, BOB
from tests.storage.conftest import raw
from webui.errors import PictureNotFound
from webui.events import Finished, PictureInfo, from_dict, to_dict
from webui.requests.diffusion import TextToImage
from webui.storage import Storage
from webui.storage.adoption import rebuild
from webui.storage.database import MIGRATIONS, Database
from webui.storage.metadata import read_darkroom
from webui.storage.owners import Owner
from webui.storage.pictures import encode_png, verdict_of
from webui.worker.messages import RawImage

VERDICTS: list[dict[str, Any]] = [
    {"critic": "clip/toy", "score": 0.12, "rank": 2, "kept": False},
    {"critic": "clip/toy", "score": 0.31, "rank": 1, "kept": True},
]


def judged(number: int) -> RawImage:
    return dataclasses.replace(raw(number), info=raw(number).info | VERDICTS[number])


def save(storage: Storage, request: TextToImage, owner: Owner = ANN) -> list[PictureInfo]:
    return [storage.pictures.save(owner, f"{owner.name}-job", request, judged(n), n) for n in range(2)]


def test_score_rank_and_critic_are_kept_with_the_picture(storage: Storage, request_: TextToImage) -> None:
    infos = save(storage, request_)
    assert [(info.critic, info.score, info.rank, info.kept) for info in infos] == [tuple(v.values()) for v in VERDICTS]
    assert storage.pictures.of_job("ann-job") == tuple(infos)
    assert [picture.info for picture in storage.pictures.list(ANN)] == infos[::-1]
    plain = storage.pictures.save(ANN, "plain", request_, raw())
    assert (plain.critic, plain.score, plain.rank, plain.kept) == (None, None, None, True)


def test_the_file_says_so_too(request_: TextToImage) -> None:
    said = read_darkroom(Image.open(io.BytesIO(encode_png(request_, judged(0)))))
    assert said is not None
    assert VERDICTS[0].items() <= said["info"].items()


def test_one_that_fits_less_can_be_kept_and_put_back(storage: Storage, request_: TextToImage) -> None:
    worse, best = save(storage, request_)
    assert storage.pictures.keep(ANN, worse.id).info == dataclasses.replace(worse, kept=True)
    assert storage.pictures.left_of([worse.id, best.id, "other"]) == {worse.id: True, best.id: True}
    assert not storage.pictures.keep(ANN, worse.id, kept=False).kept
    assert storage.pictures.left_of([worse.id, best.id]) == {worse.id: False, best.id: True}
    plain = storage.pictures.save(ANN, "plain", request_, raw())
    assert storage.pictures.keep(ANN, plain.id, kept=False).kept, "nobody judged it, so there is no fold to put it in"


def test_only_by_whom_it_belongs_to_and_only_what_is_there(storage: Storage, request_: TextToImage) -> None:
    worse, best = save(storage, request_)
    with pytest.raises(PictureNotFound):
        storage.pictures.keep(BOB, worse.id)
    storage.pictures.delete(ANN, worse.id)
    with pytest.raises(PictureNotFound):
        storage.pictures.keep(ANN, worse.id)
    storage.pictures.restore(ANN, worse.id)
    assert storage.pictures.left_of([worse.id, best.id]) == {worse.id: False, best.id: True}


def test_a_database_made_again_from_the_files_knows_it_all(tmp_path: Path, request_: TextToImage) -> None:
    storage = Storage(tmp_path)
    infos = save(storage, request_)
    with storage.database.transaction() as connection:
        connection.execute("DELETE FROM pictures")
    assert rebuild(storage.pictures, storage.boards, storage.database).pictures == 2
    found = [dataclasses.replace(picture.info, id="") for picture in storage.pictures.list(ANN)]
    assert sorted(found, key=lambda info: info.seed) == [dataclasses.replace(info, id="") for info in infos]
    storage.close()


def test_pictures_of_before_were_all_kept(tmp_path: Path, request_: TextToImage) -> None:
    path = tmp_path / "darkroom.sqlite3"
    old = Database(path, MIGRATIONS[:3])
    with old.transaction() as connection:
        connection.execute(
            "INSERT INTO pictures (id, owner, job_id, position, path, task, request, schema_version, seed, width,"
            " height, sha256, created)"
            " VALUES ('old', 'ann', 'job', 0, 'a.png', 'text_to_image', '{}', 1, 7, 3, 2, '', 1)"
        )
    old.close()
    storage = Storage(tmp_path)
    (storage.pictures.folder / "a.png").write_bytes(b"")
    assert storage.pictures.get(ANN, "old").info == PictureInfo(id="old", seed=7, width=3, height=2)
    storage.close()


def test_an_event_of_before_reads_as_kept_and_numbers_its_images() -> None:
    old = [{"id": id, "seed": 7, "width": 3, "height": 2} for id in ("first", "second")]
    event = from_dict("finished", {"images": old, "seconds": 1.0})
    first = PictureInfo(id="first", seed=7, width=3, height=2)
    assert event == Finished(images=(first, dataclasses.replace(first, id="second", image=1)), seconds=1.0)
    assert from_dict("finished", to_dict(event)) == event


@pytest.mark.parametrize(
    "info",
    [{}, {"score": 0.3}, {"score": "0.3", "rank": 1, "critic": "x"}, {"score": 0.3, "rank": 1.5, "critic": "x"}],
)
def test_what_is_no_verdict_is_none(info: dict[str, Any]) -> None:
    assert verdict_of(info) == {}
