"""A data folder that version 0.1 left behind, killed while it drew: nothing in it disappears, and all of it can be made
again.

It was drawn by `tests.toys.save_sd15_file` in fp32 on a CPU. Beside it lies what the browser kept.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.jobs.conftest import FixedCatalogue, checkpoint
from tests.jobs.hand_worker import HandWorker
from webui.engine.context import Context
from webui.jobs import Job, JobQueue, JobState
from webui.storage import Storage
from webui.storage.job_rows import Once
from webui.storage.listing import Wanted
from webui.storage.owners import LOCAL
from webui.worker.pool import WorkerPool

KEPT = Path(__file__).parent / "data_v1"
OWNER = LOCAL
FINISHED = {  # what was made, by prompt or task: how many pictures
    "a calm (lake:1.2) at night": 1, "a forest in the snow": 1, "{a lake|a forest} and __animals__": 2, "a lake": 2,
    "a calm++ lake": 1, "asked twice": 1, "a red boat": 1, "a boat": 1, "style_transfer": 2, "step 2": 1,
    "a calm lake at noon": 2, "walk": 3,
}  # fmt: skip
ROUNDING = {"text_to_image": 2, "image_to_image": 2, "style_transfer": 12}  # of 255: an optimisation amplifies it


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A copy, in which what was deleted was deleted just now."""
    folder = shutil.copytree(KEPT, tmp_path / "data")
    with sqlite3.connect(folder / "darkroom.sqlite3") as database:
        database.execute("UPDATE pictures SET deleted = ? WHERE deleted IS NOT NULL", (time.time(),))
    database.close()
    return folder


@pytest.fixture
def storage(data_dir: Path) -> Iterator[Storage]:
    opened = Storage(data_dir)
    yield opened
    opened.close()


@pytest.fixture
def queue(storage: Storage) -> Iterator[JobQueue]:
    """With a worker that draws nothing by itself."""
    worker = HandWorker()
    made = JobQueue(storage, FixedCatalogue(checkpoint("toy"), checkpoint("broken")), WorkerPool([worker]))
    made.start()
    worker.listener.ready()
    yield made
    made.close()


def name_of(job: Job) -> str:
    request = job.request
    if request.task == "style_transfer":
        return request.task
    if request.task == "text_to_image" and request.walk_to is not None:
        return "walk"
    return "step 2" if request.stop_after == 2 else request.prompt


def test_every_job_is_there_and_what_was_not_over_goes_on(queue: JobQueue) -> None:
    jobs = queue.list(OWNER)
    assert Counter(job.state for job in jobs) == {
        JobState.FINISHED: 14, JobState.FAILED: 1, JobState.CANCELLED: 1, JobState.RUNNING: 1, JobState.WAITING: 1,
    }  # fmt: skip
    drawn = Counter[str]()
    for job in jobs:
        drawn[name_of(job)] += len(job.images)
    deleted = Counter({"asked twice": 1})
    assert +drawn == Counter(FINISHED) - deleted
    assert {job.request.prompt for job in jobs if job.state in (JobState.RUNNING, JobState.WAITING)} == {
        "running", "waiting",
    }  # fmt: skip


def test_pictures_boards_stars_and_what_was_deleted_are_there(storage: Storage) -> None:
    pictures = storage.pictures.list(OWNER, limit=100)
    assert len(pictures) == sum(FINISHED.values()) - 1
    assert [picture.request["prompt"] for picture in pictures if picture.starred] == ["a forest in the snow"]
    (board,) = storage.boards.list(OWNER)
    assert (board.name, board.count) == ("Lakes & 湖", 2)
    (deleted,) = storage.database.rows("SELECT id FROM pictures WHERE deleted IS NOT NULL")
    storage.pictures.restore(OWNER, deleted["id"])
    assert storage.pictures.get(OWNER, deleted["id"]).request["prompt"] == "asked twice"


def test_its_pictures_are_found_by_words_and_emoji(data_dir: Path) -> None:
    with closing(sqlite3.connect(data_dir / "darkroom.sqlite3")) as database, database:
        database.execute(
            "UPDATE pictures SET request = json_set(request, '$.prompt', 'a boat ⛵️') WHERE request LIKE '%a red boat%'"
        )
    with closing(Storage(data_dir)) as storage:
        for query, count in (("lake", 12), ("boat", 2), ("⛵", 1)):
            assert storage.pictures.count(OWNER, Wanted(query=query)) == count


def test_a_lost_database_is_made_again_from_the_files(data_dir: Path) -> None:
    (data_dir / "darkroom.sqlite3").unlink()
    with closing(Storage(data_dir)) as storage:
        pictures = storage.pictures.list(OWNER, limit=100)
        assert len(pictures) == sum(FINISHED.values()) - 1
        assert [board.name for board in storage.boards.list(OWNER)] == ["Lakes & 湖"]


def test_everything_made_again_has_the_same_pixels(storage: Storage, queue: JobQueue, tmp_path: Path) -> None:
    from tests.toys import save_sd15_file
    from webui.engine.engine import Engine
    from webui.settings import Settings

    models = tmp_path / "models"
    models.mkdir()
    save_sd15_file(models / "toy.safetensors")
    engine = Engine(Settings(models_dir=models, data_dir=tmp_path / "engine", device="cpu", precision="fp32"))
    context = Context(lambda _event: None, lambda: None, lambda: False, lambda ref: storage.uploads.read(OWNER, ref))
    compared = 0
    for job in queue.list(OWNER):
        if job.state is JobState.FINISHED and job.images:
            again = engine.run(job.request, context)
            for drawn, image in zip(again, job.images, strict=True):
                kept = storage.pictures.get(OWNER, image.id)
                assert drawn.seed == kept.seed
                with Image.open(kept.path) as picture:
                    before = np.asarray(picture.convert("RGB"), np.int16)
                after = np.frombuffer(drawn.rgb, np.uint8).reshape(before.shape).astype(np.int16)
                assert np.abs(after - before).max() <= ROUNDING[job.request.task], name_of(job)
                assert np.abs(after - before).mean() < 1, name_of(job)
                compared += 1
    assert compared == sum(FINISHED.values()) - 1


def test_the_browser_kept_what_was_typed() -> None:
    kept = json.loads((KEPT / "browser.json").read_text(encoding="utf-8"))
    controls = json.loads(kept["darkroom.controls"])
    assert (controls["prompt"], controls["look"], controls["steps"]) == ("a lake kept by the browser", "watercolour", 7)


def test_a_call_that_is_repeated_finds_the_job_of_then(storage: Storage, queue: JobQueue) -> None:
    (row,) = storage.database.rows("SELECT id, once_key, once_digest FROM jobs WHERE once_key IS NOT NULL")
    job = queue.submitted(OWNER, Once(key=row["once_key"], digest=row["once_digest"]))
    assert isinstance(job, Job)
    assert (job.id, job.request.schema_version) == (row["id"], 2)


def test_what_comes_back_is_of_this_version_and_keeps_its_sigmas(storage: Storage, queue: JobQueue) -> None:
    for job in queue.list(OWNER):
        assert isinstance(job, Job)
        assert job.request.schema_version == 2
        if job.request.task == "style_transfer":
            continue
        chain = [job.request]
        while (branch := chain[-1].branch_from) is not None:
            chain.append(branch.origin)
        assert {one.sigma_range for one in chain} == {"timesteps"}
    stored = [json.loads(row["request"]) for row in storage.database.rows("SELECT request FROM jobs")]
    assert {one["schema_version"] for one in stored} == {1}  # reading changes nothing
