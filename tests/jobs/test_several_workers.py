"""The queue with two workers: two jobs at a time, and neither costs the other anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.conftest import QUICK, House, eventually
from tests.jobs.hand_worker import HandWorker
from tests.owners import ANN, BOB
from webui.errors import WorkerUnavailable
from webui.events import Failed, Started
from webui.jobs import JobState
from webui.requests.style_transfer import StyleTransfer
from webui.settings import Settings
from webui.storage.owners import PrivateOwner
from webui.worker.local_worker import LocalWorker

Two = tuple[House, HandWorker, HandWorker]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    left, right = HandWorker(), HandWorker()
    house = House(tmp_path / "data", left, right)
    house.queue.start()
    left.listener.ready()
    right.listener.ready()
    yield house, left, right
    house.close()


def test_two_people_s_jobs_run_at_once(two: Two) -> None:
    house, left, right = two
    ann, bob, next_one = house.submit("a", ANN), house.submit("b", BOB), house.submit("c", ANN)
    assert (left.prompts, right.prompts) == (["a"], ["b"])
    assert (house.queue.status().running, house.queue.status().waiting) == (2, 1)
    right.step(1)
    right.finish()
    assert house.ended(bob).state is JobState.FINISHED
    assert house.state(ann) is JobState.RUNNING
    eventually(lambda: right.prompts == ["b", "c"])
    left.finish()
    right.finish()
    assert [house.ended(job).state for job in (ann, next_one)] == [JobState.FINISHED] * 2
    assert [len(house.storage.pictures.list(owner)) for owner in (ANN, BOB)] == [2, 1]


def test_stop_reaches_the_worker_that_has_the_job(two: Two) -> None:
    house, left, right = two
    ann, bob = house.submit("a", ANN), house.submit("b", BOB)
    house.queue.cancel(BOB, bob.id)
    assert (left.cancels, right.cancels) == ([], [bob.id])
    right.listener.cancelled(bob.id)
    assert house.ended(bob).state is JobState.CANCELLED
    assert house.state(ann) is JobState.RUNNING


def test_a_worker_that_dies_takes_only_its_own_job_with_it(two: Two) -> None:
    house, left, right = two
    ann, bob = house.submit("a", ANN), house.submit("b", BOB)
    left.listener.died(ann.id, -9)
    assert house.queue.position(ann.id) == 1
    assert house.state(bob) is JobState.RUNNING
    right.finish()
    assert house.ended(bob).state is JobState.FINISHED
    eventually(lambda: right.prompts == ["b", "a"])  # again, on the one that lives
    left.listener.ready()
    right.finish()
    assert house.ended(ann).state is JobState.FINISHED
    assert sum(isinstance(event, Started) for _, event in house.events(ann)) == 2


def test_a_job_that_kills_two_workers_is_given_up(two: Two) -> None:
    house, left, right = two
    poison = house.submit("poison")
    left.listener.died(poison.id, -9)
    assert right.prompts == ["poison"]  # at once, for it was free
    right.listener.died(poison.id, -11)
    assert house.ended(poison).error == Failed(kind="worker_died", details={"exit_code": -11})


def test_waiting_jobs_fail_only_where_no_worker_starts(two: Two) -> None:
    house, left, right = two
    left.listener.died(None, 1)
    left.listener.unavailable(WorkerUnavailable(reason="no torch"))
    runs, waits = house.submit("runs"), house.submit("waits")
    assert (left.runs, right.prompts) == ([], ["runs"])
    assert house.state(waits) is JobState.WAITING
    right.listener.died(runs.id, 1)
    right.listener.unavailable(WorkerUnavailable(reason="no torch"))
    assert [house.ended(job).state for job in (runs, waits)] == [JobState.FAILED] * 2


def test_what_is_asked_for_at_once_goes_to_the_one_that_is_free(two: Two) -> None:
    house, _left, right = two
    house.submit("long", ANN)
    passing = PrivateOwner("bob", "one-request", is_passing=True)
    picture = house.storage.of(passing).uploads.add(passing, b"picture", 64, 64)
    asked = StyleTransfer(content_image=picture, style_image=picture, method="instant")
    job = house.queue.submit(passing, asked)
    assert right.current == job.id
    assert right.read_pictures() == {picture: b"picture"}
    right.finish()
    assert house.ended(job).state is JobState.FINISHED


def test_both_jobs_go_on_at_the_next_start(two: Two) -> None:
    house, _left, _right = two
    jobs = [house.submit("a", ANN), house.submit("b", BOB)]
    house.close()
    hands = HandWorker(), HandWorker()
    again = House(house.storage.data_dir, *hands)
    again.queue.start()
    for hand in hands:
        hand.listener.ready()
    assert sorted(hand.prompts for hand in hands) == [["a"], ["b"]]
    for hand in hands:
        hand.finish()
    assert [again.ended(job).state for job in jobs] == [JobState.FINISHED] * 2
    again.close()


def test_two_processes_of_which_one_dies(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    settings = Settings(data_dir=data_dir, _cli_parse_args=[])  # type: ignore[call-arg]
    house = House(data_dir, *(LocalWorker(settings, "tests.fakes:serve", QUICK) for _ in range(2)))
    house.queue.start()
    steady, shaky = house.submit("wait=go", ANN, steps=4), house.submit("die_once", BOB, steps=4)
    last = house.submit("a lake", BOB, steps=1)
    assert [house.ended(job).state for job in (shaky, last)] == [JobState.FINISHED] * 2
    assert sum(isinstance(event, Started) for _, event in house.events(shaky)) == 2
    assert house.state(steady) is JobState.RUNNING
    (data_dir / "go").write_text("")
    assert house.ended(steady).state is JobState.FINISHED
    assert sum(isinstance(event, Started) for _, event in house.events(steady)) == 1
    house.close()
