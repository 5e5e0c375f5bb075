"""The worker's one job: sent once, stopped once, and left to the next process only if this one never had it."""

from __future__ import annotations

import pytest

from webui.requests import TextToImage
from webui.worker.current_job import Slot


@pytest.fixture
def slot() -> Slot:
    made = Slot()
    made.put("one", TextToImage(prompt="a lake"), is_watched=False)
    return made


def test_it_holds_one_job(slot: Slot) -> None:
    with pytest.raises(RuntimeError, match="one runs already"):
        slot.put("two", TextToImage(), is_watched=False)
    assert not slot.end("two")
    assert slot.end("one")
    assert not slot.end("one")
    slot.put("two", TextToImage(), is_watched=False)
    assert slot.running is not None


def test_a_job_is_sent_once(slot: Slot) -> None:
    run = slot.take_to_send()
    assert run is not None
    assert (run.job_id, run.is_watched) == ("one", False)
    assert slot.take_to_send() is None


def test_whether_it_is_watched_goes_along_or_after(slot: Slot) -> None:
    assert not slot.watch("one", is_watched=True)  # it is not sent yet, and will say so itself
    run = slot.take_to_send()
    assert run is not None
    assert run.is_watched
    assert not slot.watch("one", is_watched=True)
    assert slot.watch("one", is_watched=False)
    assert not slot.watch("two", is_watched=True)


def test_a_job_that_was_not_sent_leaves_when_it_is_stopped(slot: Slot) -> None:
    assert slot.cancel("two") is None
    stopped = slot.cancel("one")
    assert stopped is not None
    assert not stopped.is_sent
    assert slot.running is None


def test_a_job_that_was_sent_stays_until_it_ends(slot: Slot) -> None:
    slot.take_to_send()
    stopped = slot.cancel("one")
    assert stopped is slot.running
    assert slot.cancel("one") is None  # told before
    assert slot.bury() is stopped
    assert slot.running is None


def test_the_next_process_gets_what_this_one_never_had(slot: Slot) -> None:
    assert slot.bury() is None
    assert slot.take_to_send() is not None
    assert slot.bury() is not None
    assert slot.clear() is None
