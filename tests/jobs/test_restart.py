"""The program ends, in every way it can, and starts again: no job that was acknowledged is lost, none runs for ever."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image

from tests.jobs.conftest import House, eventually
from tests.jobs.hand_worker import HandWorker, images_for
from tests.owners import ANN, BOB
from tests.settled_requests import stored
from webui.errors import JobNotFound, JobUnreadable, WorkerDied
from webui.events import Failed, Finished, Queued
from webui.jobs import JobState, UnreadableJob
from webui.jobs.event_log import EPOCH_IDS
from webui.requests.diffusion import TextToImage
from webui.storage import Storage
from webui.storage.job_rows import Once

PROGRAM = """
import sys, threading, time
from pathlib import Path
from tests.jobs.conftest import House
from tests.jobs.hand_worker import HandWorker, images_for


class QuickWorker(HandWorker):
    def run(self, job_id, request, *, is_watched, read_pictures):
        super().run(job_id, request, is_watched=is_watched, read_pictures=read_pictures)
        threading.Thread(target=self.work, args=(job_id, request)).start()

    def work(self, job_id, request):
        time.sleep(0.01)
        self.listener.done(job_id, images_for(request))


house = House(Path(sys.argv[1]), QuickWorker())
house.queue.start()
house.worker.listener.ready()
while True:
    print(house.submit("a lake", num_images=2).id, flush=True)
    time.sleep(0.005)
"""


def restarted(data_dir: Path) -> tuple[House, HandWorker]:
    hand = HandWorker()
    house = House(data_dir, hand)
    house.queue.start()
    hand.listener.ready()
    return house, hand


def test_what_waited_and_what_ran_goes_on_in_order(house: House, hand: HandWorker) -> None:
    jobs = [house.submit(f"job {number}", seed=number) for number in range(3)]
    hand.step(1)
    house.close()

    again, other = restarted(house.storage.data_dir)
    assert other.prompts == ["job 0"]
    assert other.runs[0][1] == jobs[0].request
    for job in jobs:
        other.finish()
        assert again.ended(job).state is JobState.FINISHED
    assert other.prompts == ["job 0", "job 1", "job 2"]
    again.close()


def test_closing_is_no_fault_of_the_running_job(tmp_path: Path) -> None:
    house, _ = restarted(tmp_path)
    job = house.submit("patient")
    for _ in range(4):
        house.close()
        house, hand = restarted(tmp_path)
        assert hand.prompts == ["patient"]
    hand.finish()
    assert house.ended(job).state is JobState.FINISHED
    house.close()


def test_who_watched_before_gets_all_that_comes_after(house: House, hand: HandWorker) -> None:
    job = house.submit("watched")
    for index in range(1, 20):
        hand.step(index)
    seen = 21
    house.close()

    again, other = restarted(house.storage.data_dir)
    other.finish()
    events = again.events(job, after=seen)
    assert isinstance(events[0][1], Queued)
    assert events[0][0] == EPOCH_IDS + 1
    assert isinstance(events[-1][1], Finished)
    again.close()


def left_running(data_dir: Path, attempts: int) -> str:
    """A data folder as a program leaves it that is killed during a job."""
    storage = Storage(data_dir)
    storage.jobs.insert("the-job", ANN, stored(steps=2, seed=4, num_images=2), JobState.WAITING)
    for _ in range(attempts):
        storage.jobs.start("the-job", JobState.RUNNING)
    storage.close()
    return "the-job"


def test_a_job_that_was_running_runs_once_more(tmp_path: Path) -> None:
    id = left_running(tmp_path, attempts=1)
    house, hand = restarted(tmp_path)
    assert hand.current == id
    hand.listener.died(id, -9)
    eventually(lambda: house.queue.get(ANN, id).state is JobState.FAILED)
    house.close()


def test_a_job_that_ran_twice_is_given_up(tmp_path: Path) -> None:
    id = left_running(tmp_path, attempts=2)
    house, hand = restarted(tmp_path)
    job = house.queue.get(ANN, id)
    assert job.error == Failed(kind=WorkerDied.kind, details={"exit_code": -1})
    assert [type(event) for _, event in house.events(job)] == [Failed]
    assert hand.runs == []
    house.close()


def test_pictures_that_were_saved_finish_their_job(tmp_path: Path) -> None:
    id = left_running(tmp_path, attempts=1)
    storage = Storage(tmp_path)
    row = storage.jobs.get(id)
    assert row is not None
    request = TextToImage(**row.request)
    for position, image in enumerate(images_for(request)):
        storage.pictures.save(ANN, id, request, image, position)
    with storage.database.transaction() as connection:  # the program was killed between the file and its row
        connection.execute("DELETE FROM pictures WHERE position = 1")
    storage.close()

    house, hand = restarted(tmp_path)
    job = house.queue.get(ANN, id)
    assert job.state is JobState.FINISHED
    assert [image.seed for image in job.images] == [4, 5]
    assert hand.runs == []
    house.close()


def test_half_the_pictures_are_made_again_without_doubles(tmp_path: Path) -> None:
    id = left_running(tmp_path, attempts=1)
    storage = Storage(tmp_path)
    row = storage.jobs.get(id)
    assert row is not None
    request = TextToImage(**row.request)
    storage.pictures.save(ANN, id, request, images_for(request)[0], 0)
    storage.close()

    house, hand = restarted(tmp_path)
    hand.finish()
    job = house.ended(house.queue.get(ANN, id))
    assert [image.seed for image in job.images] == [4, 5]
    assert len(house.storage.pictures.list(ANN)) == 2
    house.close()


NEWER = {"task": "text_to_video", "schema_version": 9}


def stored_rows(storage: Storage) -> list[tuple[object, ...]]:
    return [tuple(row) for row in storage.database.rows("SELECT * FROM jobs ORDER BY number")]


@pytest.mark.parametrize("state", ["waiting", "running", "finished", "paused"])
def test_a_job_of_another_version_is_listed_and_its_row_left_alone(tmp_path: Path, state: str) -> None:
    storage = Storage(tmp_path)
    created = storage.jobs.insert("odd", ANN, NEWER, state, Once(key="a key", digest="of it")).created
    before = stored_rows(storage)
    storage.close()

    house, hand = restarted(tmp_path)
    assert hand.runs == []
    odd = UnreadableJob(id="odd", owner=ANN, created=created)
    assert house.queue.list(ANN) == [odd]
    assert house.queue.look(ANN, "odd") == odd
    assert (odd.state, odd.error) == (JobState.FAILED, Failed(kind="job_unreadable"))
    assert house.queue.submitted(ANN, Once(key="a key", digest="of it")) == odd
    for needs_request in (house.queue.get, lambda owner, id: house.queue.strip(owner, id, 0)):
        with pytest.raises(JobUnreadable):
            needs_request(ANN, "odd")
    with pytest.raises(JobNotFound):
        house.queue.look(BOB, "odd")
    house.queue.cancel(ANN, "odd")

    job = house.submit("fine")
    hand.finish()
    assert house.ended(job).state is JobState.FINISHED
    assert [found.id for found in house.queue.list(ANN)] == [job.id, "odd"]
    assert stored_rows(house.storage)[0] == before[0]
    house.close()


def test_whoever_watched_a_job_hears_that_it_cannot_be_read_and_later_how_it_goes_on(tmp_path: Path) -> None:
    id = left_running(tmp_path, attempts=1)
    storage = Storage(tmp_path)
    (readable,) = (row[0] for row in storage.database.rows("SELECT request FROM jobs"))

    def write(request: str) -> None:
        with storage.database.transaction() as connection:
            connection.execute("UPDATE jobs SET request = ?", (request,))

    write(readable.replace('"seed"', '"seed_of_tomorrow"'))
    storage.close()
    house, _ = restarted(tmp_path)
    ((told, event),) = house.events(house.queue.look(ANN, id), after=EPOCH_IDS - 1)  # the last that anybody saw
    assert event == Failed(kind="job_unreadable")
    house.close()

    storage = Storage(tmp_path)
    write(readable)
    storage.close()
    house, hand = restarted(tmp_path)
    hand.finish()
    events = [event for _, event in house.events(house.queue.get(ANN, id), after=told)]
    assert isinstance(events[0], Queued)
    assert isinstance(events[-1], Finished)
    house.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("request", text) for text in ("", "{", "null", "[]", '"x"', "[" * 100_000, '{"task": ["x"]}')),
        *(("timings", text) for text in ("", "[]", '{"waited_seconds": "long"}', '{"waited_seconds": null}')),
        *(("outcome", text) for text in ("{", "7", "[]", '[1, "step", {}]', '[1, "finished"]', '[1, ["x"], {}]')),
        ("outcome", '[1, "finished", {"images": 1, "seconds": 1}]'),
        ("outcome", '[1, "finished", {"images": [{"id": [], "seed": 1, "width": 8, "height": 8}], "seconds": 1}]'),
        ("outcome", '[1, "finished", {"images": [], "seconds": 1, "of_tomorrow": 1}]'),
        ("outcome", '[1, "failed", {"kind": "internal", "details": {"a": []}}]'),
        ("outcome", '[1, "paused", {}]'),
        ("state", "paused"),
    ],
)
def test_a_damaged_row_hides_nothing_and_stays(tmp_path: Path, column: str, value: str) -> None:
    house, hand = restarted(tmp_path)
    jobs = [house.submit(f"job {number}") for number in range(2)]
    for job in jobs:
        hand.finish()
        house.ended(job)
    house.close()
    storage = Storage(tmp_path)
    with storage.database.transaction() as connection:
        connection.execute(f"UPDATE jobs SET {column} = ? WHERE id = ?", (value, jobs[0].id))
    before = stored_rows(storage)
    storage.close()

    house, hand = restarted(tmp_path)
    found = house.queue.list(ANN)
    assert [job.state for job in found] == [JobState.FINISHED, JobState.FAILED]
    assert found[1] == UnreadableJob(id=jobs[0].id, owner=ANN, created=jobs[0].created)
    assert [event for _, event in house.events(jobs[0])] == [Failed(kind="job_unreadable")]
    assert stored_rows(house.storage) == before
    assert len(house.storage.pictures.list(ANN)) == 2
    house.close()


@pytest.mark.parametrize("events", [b"", b"nonsense", zlib.compress(b"["), zlib.compress(b'[[1, "paused", {}]]')])
def test_damaged_events_leave_the_last_one(tmp_path: Path, events: bytes) -> None:
    house, hand = restarted(tmp_path)
    job = house.submit()
    hand.finish()
    last = house.events(job)[-1]
    house.close()
    storage = Storage(tmp_path)
    with storage.database.transaction() as connection:
        connection.execute("UPDATE jobs SET events = ?", (events,))
    storage.close()

    house, _ = restarted(tmp_path)
    assert house.events(job) == [last]
    house.close()


@pytest.mark.skipif(os.name == "nt", reason="kills with SIGKILL")
def test_killed_again_and_again_at_random_moments(tmp_path: Path) -> None:
    moments = random.Random(20)
    root = Path(__file__).resolve().parents[2]
    data_dir = tmp_path / "data"
    acknowledged: list[str] = []
    for _ in range(5):
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(data_dir)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        assert program.stdout is not None
        acknowledged.append(program.stdout.readline().strip())
        time.sleep(moments.random() * 0.3)
        program.kill()
        acknowledged += program.communicate()[0].split()

    house, hand = restarted(data_dir)
    assert house.storage.database.set_aside is None

    def work() -> bool:
        if house.queue.status().running:
            hand.finish()
        return not house.storage.jobs.in_states((JobState.WAITING, JobState.RUNNING))

    eventually(work)
    states = {id: house.queue.get(ANN, id).state for id in acknowledged}
    assert set(states.values()) <= {JobState.FINISHED, JobState.FAILED}
    assert list(states.values()).count(JobState.FAILED) <= 4  # those that two kills in a row hit
    for id, state in states.items():
        images = house.queue.get(ANN, id).images
        assert len(images) == (2 if state is JobState.FINISHED else 0)
        for image in images:
            with Image.open(house.storage.pictures.get(ANN, image.id).path) as picture:
                picture.load()
    assert not list(data_dir.rglob(".tmp-*"))
    house.close()
