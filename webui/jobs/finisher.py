"""How a job ends: its pictures are saved, then its row is written, and only then are watchers told.

It has a thread of its own, so neither the worker nor a watcher waits for the disk. If the disk is full, it keeps the
pictures in memory and retries for a while. It retries writing the bare end of a job until there is room, because a
stopped job must not run again at the next start. Knows storage, no worker and no line.
"""

from __future__ import annotations

import logging
import queue
import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from webui.errors import DarkroomError
from webui.events import Cancelled, Event, Failed, Finished, Loading
from webui.jobs.job import JobState
from webui.requests.settled import Settled
from webui.storage import Storage
from webui.storage.job_rows import StoredEvent
from webui.storage.owners import Owner
from webui.worker.messages import RawImage

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How often to retry while nothing can be written, and when to give up."""

    every_seconds: float = 5.0
    give_up_seconds: float = 600.0  # long enough to see the message and delete something


@dataclass
class ActiveJob:
    """A job in memory that has not ended. `state` is WAITING or RUNNING; `started_at` is a monotonic time."""

    id: str
    owner: Owner
    request: Settled
    created: float
    state: JobState = JobState.WAITING
    attempts: int = 0
    is_cancelled: bool = False
    queued_at: float = field(default_factory=time.monotonic)
    started_at: float | None = None
    first_step_at: float | None = None
    last_loading: Loading | None = None

    def begin(self) -> None:
        """Begins another attempt."""
        self.state = JobState.RUNNING
        self.attempts += 1
        self.started_at = time.monotonic()
        self.first_step_at = None
        self.last_loading = None

    def timings(self) -> dict[str, float]:
        """The seconds so far; see `Job.timings`."""
        if self.started_at is None:
            return {"waited_seconds": time.monotonic() - self.queued_at}
        now = time.monotonic()
        return {
            "waited_seconds": self.started_at - self.queued_at,
            "loading_seconds": (self.first_step_at or now) - self.started_at,
            "running_seconds": now - self.started_at,
        }


@dataclass(frozen=True)
class _Ending:
    job: ActiveJob
    last: Failed | Cancelled | None  # None: Finished, once the pictures are saved
    images: tuple[RawImage, ...] = ()


class Finisher:
    """Ends jobs one after the other, in the order in which they are handed over."""

    def __init__(
        self,
        storage: Storage,
        stored_events: Callable[[str, Event], list[StoredEvent]],
        on_ended: Callable[[ActiveJob, Event], None],
        retries: Retries,
    ) -> None:
        """`stored_events(job_id, last)` gives what to keep of a job; `on_ended` is called when its row is written."""
        self._storage = storage
        self._stored_events = stored_events
        self._on_ended = on_ended
        self._retries = retries
        self._endings: queue.SimpleQueue[_Ending | None] = queue.SimpleQueue()
        self._pending = 0
        self._pending_lock = threading.Lock()
        self._unwritten: deque[Callable[[], None]] = deque()  # ends of jobs that the database has not taken yet
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="job-finisher", daemon=True)
        self.problem: DarkroomError | None = None

    @property
    def pending(self) -> int:
        """How many jobs were handed over and have not ended yet."""
        return self._pending

    def start(self) -> None:
        """Starts the thread that ends jobs."""
        self._thread.start()

    def finish(self, job: ActiveJob, images: tuple[RawImage, ...]) -> None:
        """Saves the pictures, then ends the job with Finished."""
        self._put(_Ending(job, None, images))

    def end(self, job: ActiveJob, last: Failed | Cancelled) -> None:
        """Ends the job without pictures."""
        self._put(_Ending(job, last))

    def close(self) -> None:
        """Ends everything that was handed over, with one try each, and then the thread."""
        self._closing.set()
        self._endings.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def _put(self, ending: _Ending) -> None:
        with self._pending_lock:
            self._pending += 1
        self._endings.put(ending)

    def _work(self) -> None:
        while (ending := self._next()) is not None:
            try:
                last = self._end_job(ending)
            except Exception:
                log_id = secrets.token_hex(4)
                log.exception("could not end job %s [%s]", ending.job.id, log_id)
                last = self._fail(ending.job, Failed(kind="internal", details={"log_id": log_id}, log_id=log_id))
            with self._pending_lock:
                self._pending -= 1
            if last is not None:
                self._on_ended(ending.job, last)
        self._write_late()

    def _next(self) -> _Ending | None:
        """The next job to end; None when the program ends. Meanwhile retries what could not be written."""
        while self._unwritten:
            self._write_late()
            with suppress(queue.Empty):
                return self._endings.get(timeout=self._retries.every_seconds)
        return self._endings.get()

    def _write_late(self) -> None:
        try:
            while self._unwritten:
                self._unwritten[0]()
                self._unwritten.popleft()
                self.problem = None
        except (DarkroomError, sqlite3.Error) as error:
            log.debug("%d finished jobs still cannot be written to the database: %s", len(self._unwritten), error)

    def _end_job(self, ending: _Ending) -> Event | None:
        """Tries until the job's end is on the disk.

        None if the program ends first: the row then still says that the job is running, and the next start runs it
        again.
        """
        job = ending.job
        deadline = time.monotonic() + self._retries.give_up_seconds
        while True:
            try:
                last = self._write(ending)
                self.problem = None
                return last
            except DarkroomError as error:
                self.problem = error
                log.error("cannot save job %s: %s", job.id, error)
                if job.is_cancelled:
                    return self._fail(job, Cancelled())
                if time.monotonic() > deadline:
                    return self._fail(job, Failed(kind=error.kind, details=error.details))
            if self._closing.wait(self._retries.every_seconds):
                return None

    def _fail(self, job: ActiveJob, last: Failed | Cancelled) -> Event:
        """Ends the job for everybody who watches, and in its row as soon as that can be written."""
        stored, timings = self._stored_events(job.id, last), job.timings()

        def write() -> None:
            self._storage.of(job.owner).jobs.end(job.id, state_after(last), stored, timings)

        try:
            write()
            self.problem = None
        except (DarkroomError, sqlite3.Error) as error:
            log.error("could not write the end of job %s to the database yet: %s", job.id, error)
            self._unwritten.append(write)
        return last

    def _write(self, ending: _Ending) -> Event:
        job, stores = ending.job, self._storage.of(ending.job.owner)
        last: Event | None = ending.last
        if last is None:
            infos = tuple(
                stores.pictures.save(job.owner, job.id, job.request, image, position)
                for position, image in enumerate(ending.images)
            )
            last = Finished(images=infos, seconds=job.timings().get("running_seconds", 0.0))
        stores.jobs.end(job.id, state_after(last), self._stored_events(job.id, last), job.timings())
        return last


def state_after(last: Event) -> JobState:
    """The final state that an event stands for."""
    match last:
        case Finished():
            return JobState.FINISHED
        case Failed():
            return JobState.FAILED
        case _:
            return JobState.CANCELLED
