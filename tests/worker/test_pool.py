"""Several workers behind the words of one: who gets which job, and what they tell together."""

from __future__ import annotations

import pytest

from tests.jobs.hand_worker import HandWorker
from tests.settled_requests import settled
from webui.errors import DarkroomError, WorkerUnavailable
from webui.events import EngineEvent
from webui.requests import Request
from webui.requests.settled import SettledBranch, SettledStyleTransfer
from webui.worker.messages import FailedJob, RawImage
from webui.worker.pool import WorkerPool
from webui.worker.status import WorkerState

PICTURE = "sha256:" + "a" * 64


class Told:
    """A listener that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def ready(self) -> None:
        self.heard.append(("ready",))

    def emitted(self, job_id: str, event: EngineEvent) -> None:
        self.heard.append(("emitted", job_id))

    def done(self, job_id: str, images: tuple[RawImage, ...]) -> None:
        self.heard.append(("done", job_id))

    def cancelled(self, job_id: str) -> None:
        self.heard.append(("cancelled", job_id))

    def failed(self, failure: FailedJob) -> None:
        self.heard.append(("failed", failure.job_id))

    def died(self, job_id: str | None, exit_code: int) -> None:
        self.heard.append(("died", job_id, exit_code))

    def unavailable(self, error: DarkroomError) -> None:
        self.heard.append(("unavailable", error.kind))


class Three:
    """A pool of three that are ready."""

    def __init__(self) -> None:
        self.hands = (HandWorker(), HandWorker(), HandWorker())
        self.told = Told()
        self.pool = WorkerPool(self.hands)
        self.pool.start(self.told)
        for hand in self.hands:
            hand.listener.ready()
        self.told.heard.clear()

    def run(self, job_id: str, request: Request | None = None) -> int:
        """Which of them got it."""
        before = [len(hand.runs) for hand in self.hands]
        self.pool.run(job_id, request or settled(seed=1), is_watched=False, read_pictures=dict)
        return next(number for number, hand in enumerate(self.hands) if len(hand.runs) > before[number])


@pytest.fixture
def three() -> Three:
    return Three()


def test_the_first_that_is_free_gets_it(three: Three) -> None:
    assert [three.run(job_id) for job_id in "abc"] == [0, 1, 2]
    assert not three.pool.has_free
    with pytest.raises(RuntimeError, match="no worker is free"):
        three.run("d")
    three.hands[1].finish()
    assert three.told.heard == [("done", "b")]
    assert three.run("d") == 1


def test_what_is_said_of_a_job_reaches_the_worker_that_has_it(three: Three) -> None:
    for job_id in "abc":
        three.run(job_id)
    three.pool.cancel("b")
    three.pool.watch("c", is_watched=True)
    three.hands[0].finish()
    for unknown in ("a", "z"):
        three.pool.cancel(unknown)
        three.pool.watch(unknown, is_watched=True)
    assert [hand.cancels for hand in three.hands] == [[], ["b"], []]
    assert [hand.watched for hand in three.hands] == [{"a": False}, {"b": False}, {"c": True}]


def test_one_that_dies_takes_its_job_and_nothing_else(three: Three) -> None:
    three.run("a")
    three.run("b")
    three.hands[0].listener.died("a", -9)
    assert three.told.heard == [("died", "a", -9)]
    assert three.run("a") == 2  # the first is not back yet
    assert not three.pool.has_free
    three.hands[0].listener.ready()
    assert three.run("c") == 0


def test_a_job_that_is_given_to_one_that_dies_just_then_stays_with_it(three: Three) -> None:
    three.run("a")
    three.run("b")
    three.hands[2].listener.died(None, 1)
    assert three.run("c") == 2
    three.hands[2].listener.ready()
    assert not three.pool.has_free


def test_nobody_hears_of_one_that_does_not_start_while_another_does(three: Three) -> None:
    error = WorkerUnavailable(reason="no torch")
    for hand in three.hands:
        hand.listener.died(None, 1)
    three.told.heard.clear()
    three.hands[0].listener.unavailable(error)
    three.hands[1].listener.unavailable(error)
    three.hands[1].listener.ready()
    three.hands[2].listener.unavailable(error)
    assert three.told.heard == [("ready",)]
    three.hands[1].listener.unavailable(error)
    assert three.told.heard[1:] == [("unavailable", "worker_unavailable")]


def test_a_branch_goes_where_its_steps_are_and_others_to_their_checkpoint(three: Three) -> None:
    first, second = settled(seed=7, checkpoint="anime"), settled(seed=8, checkpoint="starter")
    three.run("a", settled(seed=6, checkpoint="starter"))
    three.run("b", first)
    three.run("c", second)
    for hand in three.hands:
        hand.finish()
    three.hands[2].steps_kept = {"c": (0,)}
    branch = settled(seed=9, checkpoint="starter", branch_from=SettledBranch(origin=second, step=2))
    assert three.run("on", branch) == 2
    assert three.run("anime again", settled(seed=1, checkpoint="anime")) == 1
    three.hands[2].finish()
    three.hands[2].steps_kept = {}  # forgotten since
    assert three.run("once more", branch) == 0


def test_a_style_transfer_goes_to_any(three: Three) -> None:
    three.run("a")
    assert three.run("b", SettledStyleTransfer(content_image=PICTURE, style_image=PICTURE, seed=1)) == 1


def test_the_readiest_is_shown_with_the_steps_of_all(three: Three) -> None:
    three.hands[0].state, three.hands[1].state = WorkerState.BROKEN, WorkerState.BUSY
    three.hands[0].steps_kept, three.hands[2].steps_kept = {"a": (2, 0)}, {"a": (1,), "b": (0,)}
    assert [status.state for status in three.pool.statuses()] == ["broken", "busy", "ready"]
    status = three.pool.status()
    assert (status.state, status.steps_kept) == (WorkerState.READY, {"a": (0, 1, 2), "b": (0,)})


def test_the_wait_ends_with_the_first_that_becomes_free(three: Three) -> None:
    left = {"a": 9.0, "b": 4.0}
    three.run("a")
    three.run("b")
    assert three.pool.seconds_until_free(left.get) == 0.0
    three.run("c")
    assert three.pool.seconds_until_free(left.get) == 4.0
    assert three.pool.seconds_until_free({}.get) is None


def test_closing_closes_all(three: Three) -> None:
    three.pool.close()
    assert all(hand.is_closed for hand in three.hands)
