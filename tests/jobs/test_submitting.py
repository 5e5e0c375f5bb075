"""The services behind every door: submitting, and waiting for the end."""

from __future__ import annotations

import anyio
import pytest

from tests.jobs.conftest import House, eventually
from tests.jobs.hand_worker import HandWorker
from tests.owners import ANN
from webui.errors import JobNotFound
from webui.events import Finished
from webui.jobs import JobState
from webui.jobs.submitting import Submissions
from webui.requests import Request
from webui.requests.diffusion import TextToImage
from webui.storage.job_rows import Once
from webui.storage.owners import Owner, PrivateOwner

pytestmark = pytest.mark.anyio
LAKE = TextToImage(prompt="a lake")


class NotingPictures:
    """Stores no picture, and notes for whom it would have."""

    def __init__(self) -> None:
        self.asked: list[Owner] = []

    async def __call__(self, owner: Owner, request: Request) -> Request:
        self.asked.append(owner)
        return request


async def test_a_submitted_request_has_a_place(house: House) -> None:
    pictures = NotingPictures()
    submissions = Submissions(house.queue, pictures)
    first, second = [await submissions.submit(ANN, LAKE) for _ in range(2)]
    assert first.job.id != second.job.id
    assert second.position == house.queue.position(second.job.id)
    assert second.request.seed is not None, "settled"
    assert pictures.asked == [ANN, ANN]


async def test_the_same_submission_is_the_same_job_and_stores_no_picture_again(house: House) -> None:
    pictures = NotingPictures()
    submissions = Submissions(house.queue, pictures)
    once = Once(key="k", digest="d")
    first, second = [await submissions.submit(ANN, LAKE, once) for _ in range(2)]
    assert first.job.id == second.job.id
    assert pictures.asked == [ANN]


async def test_what_is_private_is_its_session_s_alone(house: House) -> None:
    submissions = Submissions(house.queue, NotingPictures())
    private = PrivateOwner("ann", "session")
    job = (await submissions.submit(private, LAKE)).job
    assert [one.id for one in house.queue.list(private)] == [job.id]
    assert house.queue.list(ANN) == house.queue.list(PrivateOwner("ann", "another session")) == []


async def test_waiting_ends_with_the_last_event(house: House, hand: HandWorker) -> None:
    submissions = Submissions(house.queue, NotingPictures())
    job = (await submissions.submit(ANN, LAKE)).job
    await anyio.to_thread.run_sync(eventually, lambda: hand.runs)
    hand.finish()
    assert isinstance(await submissions.wait(ANN, job.id), Finished)
    with pytest.raises(JobNotFound):
        await submissions.wait(PrivateOwner("ann", "session"), job.id)


async def test_a_job_whose_waiter_leaves_is_cancelled(house: House) -> None:
    submissions = Submissions(house.queue, NotingPictures())
    running, waiting = [(await submissions.submit(ANN, LAKE)).job for _ in range(2)]
    with anyio.move_on_after(0.05) as scope:
        await submissions.wait(ANN, waiting.id)
    assert scope.cancelled_caught
    await anyio.to_thread.run_sync(eventually, lambda: house.queue.get(ANN, waiting.id).state is JobState.CANCELLED)
    assert not house.queue.get(ANN, running.id).state.is_final
