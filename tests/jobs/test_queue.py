"""The queue with a worker that the test moves by hand: order, ends, owners, bounds, a full disk."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.jobs.conftest import House, eventually
from tests.jobs.hand_worker import HandWorker
from tests.owners import ANN, BOB
from webui.errors import DiskFull, JobNotFound, QueueFull, WorkerUnavailable
from webui.events import Cancelled, Failed, Finished, Loading, Queued, Started, Step
from webui.jobs import JobState, Retries, broadcast
from webui.jobs import queue as queue_module
from webui.requests.diffusion import TextToImage
from webui.storage.owners import Owner
from webui.worker.messages import RawImage


def test_a_job_from_submit_to_pictures(house: House, hand: HandWorker) -> None:
    job = house.submit("a lake", num_images=2, seed=5)
    assert job.request.seed == 5
    hand.load()
    hand.step(1, 1, b"jpeg")
    hand.finish()
    ended = house.ended(job)
    assert ended.state is JobState.FINISHED
    assert [image.seed for image in ended.images] == [5, 6]
    assert ended.timings["running_seconds"] >= ended.timings["loading_seconds"]
    assert [picture.info for picture in house.storage.pictures.list(ANN)] == list(reversed(ended.images))
    events = [event for _, event in house.events(job)]
    assert [type(event) for event in events] == [Queued, Started, Loading, Step, Finished]
    assert events[-1] == Finished(images=ended.images, seconds=events[-1].seconds)  # type: ignore[union-attr]


def test_the_row_is_there_before_submit_returns(house: House, hand: HandWorker) -> None:
    job = house.submit("a lake")
    other = sqlite3.connect(house.storage.database.path)
    assert other.execute("SELECT id FROM jobs").fetchall() == [(job.id,)]
    other.close()


def test_finished_is_said_after_everything_is_saved(house: House, hand: HandWorker) -> None:
    job = house.submit()

    async def look() -> None:
        async for _, event in house.queue.watch(ANN, job.id):
            if isinstance(event, Started):
                hand.finish()
            if isinstance(event, Finished):
                assert house.state(job) is JobState.FINISHED
                assert house.storage.pictures.get(ANN, event.images[0].id).path.exists()
                return
        raise AssertionError("no Finished")

    asyncio.run(look())


def test_owners_take_turns(house: House, hand: HandWorker) -> None:
    for number in range(3):
        house.submit(f"ann {number}", ANN)
    for number in range(2):
        house.submit(f"bob {number}", BOB)
    cleo = house.submit("cleo 0", Owner("cleo"))
    assert house.queue.position(cleo.id) == 2
    for _ in range(6):
        before = len(hand.runs)
        hand.finish()
        eventually(lambda before=before: len(hand.runs) > before or before == 6)
    assert hand.prompts == ["ann 0", "bob 0", "cleo 0", "ann 1", "bob 1", "ann 2"]


def test_everybody_hears_when_their_place_changes(house: House, hand: HandWorker) -> None:
    house.submit("runs")
    first, second = house.submit("first"), house.submit("second")
    assert house.queue.position(second.id) == 2
    house.queue.cancel(ANN, first.id)
    assert house.queue.position(second.id) == 1
    assert house.queue.position(first.id) == 0
    hand.finish()
    eventually(lambda: hand.prompts == ["runs", "second"])
    hand.finish()
    queued = [event for _, event in house.events(second) if isinstance(event, Queued)]
    assert queued[-1].position == 1


def test_the_wait_is_guessed_from_what_was_measured(house: House, hand: HandWorker) -> None:
    job = house.submit("first")
    hand.step(1)
    hand.finish()
    house.ended(job)
    house.submit("second")
    third = house.submit("third")

    async def look() -> Queued:
        stream = house.queue.watch(ANN, third.id)
        event = (await anext(stream))[1]
        await stream.aclose()
        assert isinstance(event, Queued)
        return event

    queued = asyncio.run(look())
    assert queued.position == 1
    assert queued.eta_seconds is not None
    assert 0.0 <= queued.eta_seconds < 5.0


def test_stopping_a_waiting_job(house: House, hand: HandWorker) -> None:
    house.submit("runs")
    job = house.submit("waits")
    for _ in range(3):
        house.queue.cancel(ANN, job.id)
    assert house.state(job) is JobState.CANCELLED
    assert [type(event) for _, event in house.events(job)] == [Queued, Cancelled]
    assert hand.cancels == []


def test_stopping_the_running_job(house: House, hand: HandWorker) -> None:
    job = house.submit("runs")
    house.queue.cancel(ANN, job.id)
    assert hand.cancels == [job.id]
    assert house.state(job) is JobState.RUNNING  # until the worker says so
    hand.listener.cancelled(job.id)
    assert house.ended(job).state is JobState.CANCELLED
    house.queue.cancel(ANN, job.id)
    assert hand.cancels == [job.id]


def test_stopping_at_the_very_end_still_stops(house: House, hand: HandWorker) -> None:
    job = house.submit("runs")
    house.queue.cancel(ANN, job.id)
    hand.finish()
    assert house.ended(job).state is JobState.CANCELLED
    assert house.storage.pictures.list(ANN) == []


def test_a_failure_goes_to_the_log_in_full_and_to_people_in_short(
    house: House, hand: HandWorker, caplog: pytest.LogCaptureFixture
) -> None:
    job = house.submit("too large")
    hand.fail()
    failed = house.ended(job).error
    assert failed is not None
    assert failed.kind == "out_of_memory"
    assert failed.details["width"] == 8
    assert "Traceback: x" in caplog.text
    assert failed.log_id in caplog.text
    assert "Traceback" not in repr(failed)


def test_the_next_job_starts_after_any_end(house: House, hand: HandWorker) -> None:
    for number in range(4):
        house.submit(f"job {number}")
    hand.fail()
    eventually(lambda: len(hand.runs) == 2)
    hand.listener.cancelled(hand.current)
    eventually(lambda: len(hand.runs) == 3)
    hand.finish()
    eventually(lambda: len(hand.runs) == 4)


def test_a_job_whose_worker_died_runs_once_more_and_first(house: House, hand: HandWorker) -> None:
    job, other = house.submit("poison"), house.submit("other", BOB)
    hand.listener.died(job.id, -9)
    assert house.queue.position(job.id) == 1
    assert house.state(job) is JobState.WAITING
    hand.listener.ready()
    assert hand.prompts == ["poison", "poison"]
    hand.listener.died(job.id, -9)
    hand.listener.ready()
    failed = house.ended(job).error
    assert failed == Failed(kind="worker_died", details={"exit_code": -9})
    eventually(lambda: hand.prompts == ["poison", "poison", "other"])
    hand.finish()
    assert house.ended(other).state is JobState.FINISHED


def test_a_worker_that_dies_idle_costs_nobody_anything(house: House, hand: HandWorker) -> None:
    hand.listener.died(None, -9)
    job = house.submit("waits for the next worker")
    assert hand.runs == []
    hand.listener.ready()
    hand.finish()
    assert house.ended(job).state is JobState.FINISHED


def test_nobody_waits_for_a_worker_that_does_not_start(house: House, hand: HandWorker) -> None:
    hand.listener.died(None, 1)
    jobs = [house.submit(f"job {number}") for number in range(3)]
    hand.listener.unavailable(WorkerUnavailable(reason="no torch"))
    for job in jobs:
        error = house.ended(job).error
        assert error is not None
        assert (error.kind, error.details["reason"]) == ("worker_unavailable", "no torch")
    hand.listener.ready()
    job = house.submit("now it works")
    hand.finish()
    assert house.ended(job).state is JobState.FINISHED


def test_what_a_finished_worker_says_late_is_ignored(house: House, hand: HandWorker) -> None:
    job = house.submit("one")
    hand.finish()
    house.ended(job)
    hand.step(1)
    hand.finish()
    hand.fail()
    hand.listener.cancelled(job.id)
    hand.listener.died(job.id, 1)
    assert house.state(job) is JobState.FINISHED
    assert len(house.storage.pictures.list(ANN)) == 1


def test_nobody_sees_anothers_job(house: House, hand: HandWorker) -> None:
    job = house.submit("private", ANN)
    for refused in (
        lambda: house.queue.get(BOB, job.id),
        lambda: house.queue.cancel(BOB, job.id),
        lambda: house.queue.get(ANN, "unknown"),
        lambda: house.queue.get(ANN, "%"),
        lambda: house.events(job.__class__(**{**vars(job), "owner": BOB})),
    ):
        with pytest.raises(JobNotFound):
            refused()
    assert house.queue.list(BOB) == []
    assert [found.id for found in house.queue.list(ANN)] == [job.id]
    assert hand.cancels == []


def test_jobs_are_listed_newest_first(house: House, hand: HandWorker) -> None:
    jobs = [house.submit(f"{number}") for number in range(4)]
    assert [job.id for job in house.queue.list(ANN, 3)] == [job.id for job in jobs[:0:-1]]


def test_the_line_is_bounded_for_each_and_for_all(
    house: House, hand: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "MAX_WAITING_OF_OWNER", 3)
    monkeypatch.setattr(queue_module, "MAX_WAITING", 5)
    for _ in range(4):  # one runs
        house.submit(owner=ANN)
    with pytest.raises(QueueFull) as caught:
        house.submit(owner=ANN)
    assert caught.value.details["waiting"] == 3
    assert caught.value.details["retry_after_seconds"]
    house.submit(owner=BOB)
    house.submit(owner=Owner("cleo"))
    with pytest.raises(QueueFull):
        house.submit(owner=Owner("dora"))
    assert len(house.queue.list(Owner("dora"))) == 0


def test_previews_are_asked_for_while_somebody_watches(house: House, hand: HandWorker) -> None:
    job = house.submit("watched")
    assert hand.watched[job.id] is False

    async def look() -> None:
        stream = house.queue.watch(ANN, job.id)
        await anext(stream)
        assert hand.watched[job.id] is True
        await stream.aclose()

    asyncio.run(look())
    assert hand.watched[job.id] is False


def test_a_job_that_is_watched_before_it_starts(house: House, hand: HandWorker) -> None:
    house.submit("runs")
    job = house.submit("waits")

    async def look() -> None:
        async for _, event in house.queue.watch(ANN, job.id):
            if isinstance(event, Queued) and len(hand.runs) == 1:
                hand.finish()
            if isinstance(event, Started):
                assert hand.watched[job.id] is True
                return

    asyncio.run(look())


def test_events_of_an_old_job_are_replayed_without_previews(
    house: House, hand: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = house.submit("old")
    hand.step(1, 1, b"jpeg")
    hand.finish()
    fresh = house.events(job)
    monkeypatch.setattr(broadcast, "ENDED_IN_MEMORY", 1)
    newer = house.submit("newer")
    hand.finish()
    house.events(newer)
    old = house.events(job)
    assert [id for id, _ in old] == [id for id, _ in fresh]
    assert [event.preview for _, event in fresh if isinstance(event, Step)] == [b"jpeg"]
    assert [event.preview for _, event in old if isinstance(event, Step)] == [None]
    assert house.events(job, after=old[-2][0]) == old[-1:]


def test_loading_is_told_by_the_per_cent(house: House, hand: HandWorker) -> None:
    job = house.submit()

    async def look() -> list[float]:
        told = []
        stream = house.queue.watch(ANN, job.id)
        for thousandth in range(1001):
            hand.listener.emitted(job.id, Loading(checkpoint="starter", fraction=thousandth / 1000))
            if thousandth % 100 == 0:
                told += [event.fraction for event in [(await anext(stream))[1]] if isinstance(event, Loading)]
        hand.finish()
        return told + [event.fraction async for _, event in stream if isinstance(event, Loading)]

    told = asyncio.run(look())
    assert told[-1] == 1.0
    assert told == sorted(told)
    assert house.events(job)[-1][0] < 110


def test_status_tells_what_goes_on(house: House, hand: HandWorker) -> None:
    assert (house.queue.status().waiting, house.queue.status().running) == (0, 0)
    house.submit()
    house.submit()
    assert (house.queue.status().waiting, house.queue.status().running) == (1, 1)


def test_pictures_wait_for_room_on_the_disk(house: House, hand: HandWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    save = house.storage.pictures.save
    is_full = True

    def save_if_there_is_room(*values: object) -> object:
        if is_full:
            raise DiskFull(folder="data")
        return save(*values)  # type: ignore[arg-type]

    monkeypatch.setattr(house.storage.pictures, "save", save_if_there_is_room)
    job = house.submit("precious")
    hand.finish()
    eventually(lambda: isinstance(house.queue.status().problem, DiskFull))
    assert house.state(job) is JobState.RUNNING
    is_full = False
    assert house.ended(job).state is JobState.FINISHED
    assert house.queue.status().problem is None
    assert len(house.storage.pictures.list(ANN)) == 1


def test_at_last_a_full_disk_is_a_failure(tmp_path: Path, hand: HandWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path / "data", hand, retries=Retries(every_seconds=0.01, give_up_seconds=0.05))
    house.queue.start()
    hand.listener.ready()

    def full(*_: object) -> None:
        raise DiskFull(folder="data")

    monkeypatch.setattr(house.storage.pictures, "save", full)
    job = house.submit("precious")
    hand.finish()
    assert house.ended(job).error == Failed(kind="disk_full", details={"folder": "data"})
    house.close()


def test_what_was_stopped_on_a_full_disk_stays_stopped(
    tmp_path: Path, hand: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path / "data", hand)
    house.queue.start()
    hand.listener.ready()

    def full(*_: object) -> None:
        raise DiskFull(folder="data")

    job = house.submit("unwanted")
    house.queue.cancel(ANN, job.id)
    with monkeypatch.context() as patch:
        patch.setattr(house.storage.jobs, "end", full)
        hand.listener.cancelled(job.id)
        assert isinstance(house.events(job)[-1][1], Cancelled)
        eventually(lambda: isinstance(house.queue.status().problem, DiskFull))
        assert house.state(job) is JobState.RUNNING  # as far as anybody could write it down
    eventually(lambda: house.state(job) is JobState.CANCELLED)
    eventually(lambda: house.queue.status().problem is None)
    house.close()

    again = House(tmp_path / "data", HandWorker())
    again.queue.start()
    assert again.state(job) is JobState.CANCELLED
    assert again.queue.status().waiting == 0
    again.close()


def test_a_picture_that_cannot_be_encoded_fails_its_job_and_no_other(house: House, hand: HandWorker) -> None:
    broken, fine = house.submit("broken"), house.submit("fine")
    hand.listener.done(broken.id, (RawImage(width=8, height=8, rgb=b"short", seed=1),))
    error = house.ended(broken).error
    assert error is not None
    assert error.kind == "internal"
    eventually(lambda: len(hand.runs) == 2)
    hand.finish()
    assert house.ended(fine).state is JobState.FINISHED


def test_a_submit_that_cannot_be_written_is_no_job(
    house: House, hand: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise DiskFull(folder="data")

    with monkeypatch.context() as patch:
        patch.setattr(house.storage.jobs, "insert", full)
        with pytest.raises(DiskFull):
            house.submit("lost")
    assert house.queue.list(ANN) == []
    assert hand.runs == []


def test_a_job_that_cannot_be_marked_as_running_starts_later(
    house: House, hand: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = house.storage.jobs.start
    tries = []

    def start_the_third_time(*values: str) -> None:
        tries.append(values)
        if len(tries) < 3:
            raise DiskFull(folder="data")
        start(*values)

    monkeypatch.setattr(house.storage.jobs, "start", start_the_third_time)
    job = house.submit("patient")
    assert hand.runs == []
    eventually(lambda: len(hand.runs) == 1)
    hand.finish()
    assert house.ended(job).state is JobState.FINISHED


def test_text_is_clean_before_it_gets_anywhere(house: House, hand: HandWorker) -> None:
    job = house.queue.submit(ANN, TextToImage(prompt="a\ud800 lake\0 \x07e\u0301"))
    hand.finish()
    ended = house.ended(job)
    assert getattr(ended.request, "prompt", None) == "a lake é"
    assert house.storage.pictures.list(ANN)[0].request["prompt"] == "a lake é"
