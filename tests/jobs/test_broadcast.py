"""Many watchers, late ones, slow ones, and ones that go."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncGenerator

import pytest

from tests.owners import ANN, BOB
from webui.events import Cancelled, Event, Queued, Started, Step
from webui.jobs.broadcast import ENDED_IN_MEMORY, ENDED_WITH_PREVIEWS, MAX_PREVIEWS_BEHIND, Broadcast

pytestmark = pytest.mark.anyio


class Watched:
    """Records who is told to be watched."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bool]] = []

    def __call__(self, job_id: str, is_watched: bool) -> None:
        self.calls.append((job_id, is_watched))


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def broadcast(watched: Watched) -> Broadcast:
    made = Broadcast(watched)
    made.open("job", ANN)
    return made


def watch(broadcast: Broadcast, after: int = 0) -> AsyncGenerator[tuple[int, Event]]:
    log = broadcast.find("job")
    assert log is not None
    return broadcast.watch(log, after)


def step(index: int) -> Step:
    return Step(index=index, total=100, phase="denoise", preview=b"jpeg %d" % index)


def run_job(broadcast: Broadcast, steps: int = 20) -> None:
    broadcast.emit("job", Queued(position=1))
    broadcast.emit("job", Started())
    for index in range(1, steps + 1):
        broadcast.emit("job", step(index))
    broadcast.emit("job", Cancelled())


async def test_late_watchers_get_all_so_far_previews_included(broadcast: Broadcast) -> None:
    run_job(broadcast)
    pairs = [pair async for pair in watch(broadcast)]
    assert [id for id, _ in pairs] == list(range(1, 24))
    assert all(event.preview for _, event in pairs if isinstance(event, Step))


async def test_a_watcher_that_comes_back_gets_the_rest(broadcast: Broadcast) -> None:
    run_job(broadcast)
    assert [id async for id, _ in watch(broadcast, after=20)] == [21, 22, 23]
    assert [id async for id, _ in watch(broadcast, after=23)] == []
    assert [id async for id, _ in watch(broadcast, after=10**12)] == []


async def test_many_watchers_all_get_everything_from_another_thread(broadcast: Broadcast) -> None:
    async def all_ids() -> list[int]:
        return [id async for id, _ in watch(broadcast)]

    watchers = [asyncio.create_task(all_ids()) for _ in range(50)]
    await asyncio.sleep(0)
    thread = threading.Thread(target=run_job, args=(broadcast, 100))
    thread.start()
    async with asyncio.timeout(10):
        results = await asyncio.gather(*watchers)
    thread.join()
    assert results == [list(range(1, 104))] * 50


async def test_a_slow_watcher_loses_old_previews_but_no_step(broadcast: Broadcast) -> None:
    events = watch(broadcast)
    broadcast.emit("job", Started())
    assert (await anext(events))[1] == Started()
    for index in range(1, 31):
        broadcast.emit("job", step(index))
    broadcast.emit("job", Cancelled())
    rest = [event async for _, event in events]
    steps = [event for event in rest if isinstance(event, Step)]
    assert [event.index for event in steps] == list(range(1, 31))
    with_preview = [event.index for event in steps if event.preview]
    assert with_preview == list(range(31 - MAX_PREVIEWS_BEHIND, 31))


async def test_leaving_leaves_nothing_behind(broadcast: Broadcast, watched: Watched) -> None:
    broadcast.emit("job", Started())

    async def look() -> None:
        async for _ in watch(broadcast):
            pass

    tasks = [asyncio.create_task(look()) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert broadcast.is_watched("job")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not broadcast.is_watched("job")
    assert watched.calls == [("job", True), ("job", False)]


async def test_a_watcher_that_is_dropped_without_a_word_goes_too(broadcast: Broadcast) -> None:
    broadcast.emit("job", Started())
    events = watch(broadcast)
    await anext(events)
    del events
    gc.collect()
    await asyncio.sleep(0.01)
    assert not broadcast.is_watched("job")


def test_an_event_loop_that_ended_disturbs_nobody(broadcast: Broadcast) -> None:
    events = watch(broadcast)

    async def look_once() -> None:
        broadcast.emit("job", Started())
        await anext(events)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(look_once())
    loop.close()  # without giving the generator a chance to end
    run_job(broadcast, 3)


async def test_an_owners_stream_has_their_jobs_and_no_others(broadcast: Broadcast) -> None:
    broadcast.emit("job", Started())
    broadcast.emit("job", step(1))
    broadcast.emit("job", step(2))
    stream = broadcast.watch_owner(ANN)
    first = [await anext(stream) for _ in range(3)]
    assert [(job, id) for job, id, _ in first] == [("job", 1), ("job", 2), ("job", 3)]
    assert [event.preview for _, _, event in first if isinstance(event, Step)] == [None, b"jpeg 2"]
    broadcast.open("hers", BOB)
    broadcast.emit("hers", Started())
    broadcast.open("next", ANN)
    broadcast.emit("next", Queued(position=1))
    async with asyncio.timeout(5):
        assert await anext(stream) == ("next", 1, Queued(position=1))
        broadcast.emit("job", step(3))
        assert await anext(stream) == ("job", 4, step(3))
    await stream.aclose()
    assert not broadcast.is_watched("next")


async def test_an_owners_stream_replays_ended_jobs_that_it_is_asked_for(broadcast: Broadcast) -> None:
    run_job(broadcast, 2)
    stream = broadcast.watch_owner(ANN, jobs=["job", "unknown"])
    events = [(await anext(stream))[2] for _ in range(5)]
    assert events[-1] == Cancelled()
    await stream.aclose()
    stranger = broadcast.watch_owner(BOB, jobs=["job"])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stranger), 0.05)


async def test_memory_is_bounded(broadcast: Broadcast) -> None:
    run_job(broadcast)
    old = broadcast.find("job")
    assert old is not None
    for number in range(ENDED_WITH_PREVIEWS):
        broadcast.open(f"{number}", ANN)
        broadcast.emit(f"{number}", Cancelled())
    assert old.previews_after(0) == 1
    for number in range(ENDED_IN_MEMORY):
        broadcast.open(f"x{number}", ANN)
        broadcast.emit(f"x{number}", Cancelled())
    assert broadcast.find("job") is None


async def test_closing_ends_all_watching(broadcast: Broadcast) -> None:
    async def look() -> int:
        return len([pair async for pair in watch(broadcast)])

    async def look_at_all() -> int:
        return len([item async for item in broadcast.watch_owner(ANN)])

    broadcast.emit("job", Started())
    tasks = [asyncio.create_task(look()), asyncio.create_task(look_at_all())]
    await asyncio.sleep(0.01)
    broadcast.close()
    async with asyncio.timeout(5):
        assert await asyncio.gather(*tasks) == [1, 1]
