"""The bridge from the threads that run jobs to the event loops in which people watch them.

Anybody may watch a job, or all jobs of an owner, join late, be slow, and leave at any time; no job ever waits for a
watcher. A watcher has a position in each log and no backlog of its own. Knows no database and no worker.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing

from webui.events import Event
from webui.jobs.event_log import EventLog, without_preview
from webui.storage.job_rows import StoredEvent
from webui.storage.owners import Owner

log = logging.getLogger(__name__)

# A watcher that has more newer previews than this before it gets the older ones without: it is too slow for them.
MAX_PREVIEWS_BEHIND = 8
# Ended jobs that can be replayed from memory: the newest few with their previews, more of them without.
ENDED_WITH_PREVIEWS = 8
ENDED_IN_MEMORY = 64


class _Watcher:
    """A watcher's position in each log that it reads, and how to wake it. All methods but `sleep` are called with the
    broadcast's lock held.
    """

    def __init__(self, owner: Owner | None, *, wants_old_previews: bool) -> None:
        self.owner = owner  # follows every new job of this owner; None follows none
        self.places: dict[EventLog, int] = {}
        self.unread: dict[EventLog, None] = {}  # a set that keeps its order
        self._wants_old_previews = wants_old_previews
        self._history: dict[EventLog, int] = {}  # the last id that was there before the watcher came
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._is_woken = False

    def follow(self, log: EventLog, after: int = 0) -> None:
        """Starts reading a log, from the first event with an id above `after`."""
        self.places[log] = after
        self._history[log] = log.last_id
        self.unread[log] = None

    def wake(self) -> None:
        """Wakes the watcher's event loop; harmless if the loop has ended."""
        if self._is_woken:
            return
        try:
            self._loop.call_soon_threadsafe(self._wake.set)
            self._is_woken = True
        except RuntimeError:  # its event loop is closed: nobody reads any more
            log.debug("a watcher's event loop is gone")

    async def sleep(self) -> None:
        """Waits until `wake` is called."""
        await self._wake.wait()
        self._wake.clear()

    def next(self) -> tuple[str, int, Event] | None:
        """The next event to send, as (job's id, event's id, event); None if there is none yet."""
        self._is_woken = False
        while self.unread:
            log = next(iter(self.unread))
            found = log.after(self.places[log])
            if found is None:
                del self.unread[log]
                if log.is_ended:
                    del self.places[log], self._history[log]
                continue
            id, event = found
            self.places[log] = id
            if log.previews_after(id) >= self._newer_previews_allowed(log, id):
                event = without_preview(event)
            return log.job_id, id, event
        return None

    def _newer_previews_allowed(self, log: EventLog, id: int) -> float:
        """How many newer previews make this event's preview not worth sending."""
        if id > self._history[log]:
            return MAX_PREVIEWS_BEHIND
        return math.inf if self._wants_old_previews else 1


class Broadcast:
    """All logs in memory, and everybody who watches them. Thread-safe."""

    def __init__(self, on_watched: Callable[[str, bool], None]) -> None:
        """`on_watched(job_id, is_watched)` is called, without a lock held, when the first watcher of an unended job
        comes or the last one goes."""
        self._on_watched = on_watched
        self._lock = threading.Lock()
        self._logs: dict[str, EventLog] = {}
        self._ended: OrderedDict[str, EventLog] = OrderedDict()
        self._watchers: set[_Watcher] = set()
        self._is_closed = False

    def open(self, job_id: str, owner: Owner, epoch: int = 0) -> None:
        """Opens the log of a job of this owner that begins, or begins again."""
        with self._lock:
            log = self._logs[job_id] = EventLog(job_id, owner, epoch)
            for watcher in self._watchers:
                if watcher.owner == owner:
                    watcher.follow(log)

    def emit(self, job_id: str, event: Event) -> None:
        """Adds an event to a job's log and wakes its watchers."""
        with self._lock:
            log = self._logs[job_id]
            log.append(event)
            for watcher in self._watchers:
                if log in watcher.places:
                    watcher.unread[log] = None
                    watcher.wake()
            if log.is_ended:
                self._retire(log)

    def stored(self, job_id: str, last: Event) -> list[StoredEvent]:
        """The events to store for a job that is about to end with `last`."""
        with self._lock:
            return self._logs[job_id].stored(last)

    def is_watched(self, job_id: str) -> bool:
        """Whether anybody is watching this job."""
        with self._lock:
            return self._is_watched(self._logs.get(job_id))

    def find(self, job_id: str) -> EventLog | None:
        """The job's log, if it is (still) in memory."""
        with self._lock:
            return self._logs.get(job_id) or self._ended.get(job_id)

    def previews(self, job_id: str, image: int) -> list[bytes]:
        """The previews still kept of one image (from 0) of a job, as JPEGs."""
        with self._lock:
            log = self._logs.get(job_id) or self._ended.get(job_id)
            return [] if log is None else log.previews(image)

    async def watch(self, log: EventLog, after: int) -> AsyncGenerator[tuple[int, Event]]:
        """The events of a job with ids above `after`, old ones first; ends after the job's last event."""
        watcher = _Watcher(None, wants_old_previews=True)
        async with aclosing(self._follow(watcher, lambda: watcher.follow(log, after))) as items:
            async for _, id, event in items:
                yield id, event

    async def watch_owner(self, owner: Owner, jobs: Collection[str] = ()) -> AsyncGenerator[tuple[str, int, Event]]:
        """All events of one owner, for as long as the caller listens.

        First come the events so far of all unfinished jobs and of `jobs` (those still in memory), with only their last
        previews, then everything that happens.
        """
        watcher = _Watcher(owner, wants_old_previews=False)

        def catch_up() -> None:
            for log in (*self._ended.values(), *self._logs.values()):
                if log.owner == owner and (not log.is_ended or log.job_id in jobs):
                    watcher.follow(log)

        async with aclosing(self._follow(watcher, catch_up)) as items:
            async for item in items:
                yield item

    def forget(self, owner: Owner) -> None:
        """Drops the logs of this owner's ended jobs; they cannot be replayed any more."""
        with self._lock:
            for log in [log for log in self._ended.values() if log.owner == owner]:
                del self._ended[log.job_id]

    def close(self) -> None:
        """Ends all watching; from now on nothing can be watched."""
        with self._lock:
            self._is_closed = True
            for watcher in self._watchers:
                watcher.wake()

    async def _follow(self, watcher: _Watcher, catch_up: Callable[[], None]) -> AsyncGenerator[tuple[str, int, Event]]:
        self._change_watchers(watcher, catch_up, self._watchers.add)
        try:
            while not self._is_closed:
                with self._lock:
                    item = watcher.next()
                if item is not None:
                    yield item
                elif watcher.owner is None and not watcher.places:
                    return
                else:
                    await watcher.sleep()
        finally:
            self._change_watchers(watcher, lambda: None, self._watchers.discard)

    def _change_watchers(
        self, watcher: _Watcher, catch_up: Callable[[], None], change: Callable[[_Watcher], None]
    ) -> None:
        with self._lock:
            catch_up()
            logs = [log for log in watcher.places if not log.is_ended]
            before = [self._is_watched(log) for log in logs]
            change(watcher)
            after = [self._is_watched(log) for log in logs]
        for log, was, now in zip(logs, before, after, strict=True):
            if was != now:
                self._on_watched(log.job_id, now)

    def _is_watched(self, log: EventLog | None) -> bool:
        return log is not None and any(log in watcher.places for watcher in self._watchers)

    def _retire(self, log: EventLog) -> None:
        del self._logs[log.job_id]
        self._ended[log.job_id] = log
        for old in list(self._ended.values())[:-ENDED_WITH_PREVIEWS]:
            old.drop_previews()
        while len(self._ended) > ENDED_IN_MEMORY:
            self._ended.popitem(last=False)
