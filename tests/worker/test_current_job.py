"""The worker's one job: sent once, stopped once, and left to the next process only if this one never had it."""

from __future__ import annotations

import pytest

from tests.settled_requests import settled
from webui.worker.current_job import CurrentJob


@pytest.fixture
def current() -> CurrentJob:
    made = CurrentJob()
    made.put("one", settled(prompt="a lake"), is_watched=False, read_pictures=dict)
    return made


def test_it_holds_one_job(current: CurrentJob) -> None:
    with pytest.raises(RuntimeError, match="one runs already"):
        current.put("two", settled(), is_watched=False, read_pictures=dict)
    assert not current.end("two")
    assert current.end("one")
    assert not current.end("one")
    current.put("two", settled(), is_watched=False, read_pictures=dict)
    assert current.running is not None


def test_a_job_is_sent_once(current: CurrentJob) -> None:
    running = current.take_to_send()
    assert running is not None
    assert (running.run.job_id, running.run.is_watched) == ("one", False)
    assert current.take_to_send() is None


def test_whether_it_is_watched_goes_along_or_after(current: CurrentJob) -> None:
    assert not current.watch("one", is_watched=True)  # it is not sent yet, and will say so itself
    running = current.take_to_send()
    assert running is not None
    assert running.run.is_watched
    assert not current.watch("one", is_watched=True)
    assert current.watch("one", is_watched=False)
    assert not current.watch("two", is_watched=True)


def test_a_job_that_was_not_sent_leaves_when_it_is_stopped(current: CurrentJob) -> None:
    assert current.cancel("two") is None
    stopped = current.cancel("one")
    assert stopped is not None
    assert not stopped.is_sent
    assert current.running is None


def test_a_job_that_was_sent_stays_until_it_ends(current: CurrentJob) -> None:
    current.take_to_send()
    stopped = current.cancel("one")
    assert stopped is current.running
    assert current.cancel("one") is None  # told before
    assert current.take_lost() is stopped
    assert current.running is None


def test_the_next_process_gets_what_this_one_never_had(current: CurrentJob) -> None:
    assert current.take_lost() is None
    assert current.take_to_send() is not None
    assert current.take_lost() is not None
    assert current.clear() is None
