"""Moves jobs from the line to a worker, back into the line if that worker dies, and on to the finisher.

Listens to the workers. Everything that happens to a job between `enter` and its last event happens here. Knows nothing
about defaults, permissions or bounds.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
import time
from contextlib import suppress
from functools import partial

from webui.errors import DarkroomError, Detail, PictureNotFound, WorkerDied
from webui.events import Cancelled, EngineEvent, Event, Failed, Finished, Loading, Started, Step
from webui.jobs.broadcast import Broadcast
from webui.jobs.estimates import Estimates
from webui.jobs.fair_queue import FairQueue
from webui.jobs.finisher import ActiveJob, Finisher, Retries, state_after
from webui.jobs.job import JobState, QueueStatus
from webui.jobs.queue_positions import QueuePositions
from webui.requests.fields import pictures_of
from webui.requests.settled import Settled
from webui.storage import Storage
from webui.storage.owners import Owner
from webui.worker.messages import FailedJob, RawImage
from webui.worker.pool import WorkerPool

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 2  # once more after the worker died: the second death is the job's fault, as far as anybody can tell
_MAX_UNSAVED = 1  # jobs whose pictures may still wait for the disk when the next one starts; each can hold 200 MB


class Dispatcher:
    """One line of jobs, and at most one running job for each worker. Implements the workers' `Listener`."""

    def __init__(self, storage: Storage, pool: WorkerPool, retries: Retries) -> None:
        self.broadcast = Broadcast(on_watched=lambda job_id, watched: pool.watch(job_id, is_watched=watched))
        self.estimates = Estimates()
        self._places = QueuePositions(self.estimates, self.broadcast.emit)
        self._storage = storage
        self._pool = pool
        self._retries = retries
        self._finisher = Finisher(storage, self.broadcast.stored, self._ended, retries)
        self._lock = threading.RLock()
        self._jobs: dict[str, ActiveJob] = {}
        self._line = FairQueue()
        self._running: dict[str, ActiveJob] = {}
        self._is_closing = False
        self._problem: DarkroomError | None = None

    # --- what the queue asks -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts the workers; jobs in the line begin as soon as one is ready."""
        self._finisher.start()
        self._pool.start(self)

    def enter(self, job: ActiveJob, *, epoch: int = 0, is_first: bool = False) -> None:
        """Puts a job whose row is written into the line; with `is_first`, before all others."""
        with self._lock:
            self._jobs[job.id] = job
            self.broadcast.open(job.id, job.owner, epoch)
            (self._line.put_back if is_first else self._line.add)(job.owner, job.id)
            self._announce()
            self._dispatch()

    def cancel(self, job_id: str) -> None:
        """Ends a waiting job now, a running one soon. Does nothing to a job that has ended. Raises DiskFull."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                return
            if job.state is not JobState.WAITING:
                job.is_cancelled = True
                self._pool.cancel(job_id)
                return
            last = Cancelled()
            stored = self.broadcast.stored(job_id, last)
            self._storage.of(job.owner).jobs.end(job_id, state_after(last), stored, job.timings())
            self._line.remove(job.owner, job_id)
            self._ended(job, last)

    def position(self, job_id: str) -> int:
        """The job's place in the line, from 1; 0 if it is not waiting."""
        return self._places.of(job_id)

    def waiting(self, owner: Owner | None = None) -> int:
        """How many jobs of this owner, or of all owners, are waiting."""
        with self._lock:
            return len(self._line) if owner is None else self._line.count(owner)

    def requests(self) -> list[Settled]:
        """Those of all jobs that wait or run."""
        with self._lock:
            return [job.request for job in self._jobs.values()]

    def status(self) -> QueueStatus:
        """The state of workers and line."""
        return QueueStatus(
            worker=self._pool.status(),
            waiting=self.waiting(),
            running=len(self._running),
            problem=self._finisher.problem or self._problem,
        )

    def close(self) -> None:
        """Ends the workers. Their jobs run again at the next start of the program, and this attempt does not count."""
        self._is_closing = True
        self._pool.close()
        with self._lock:
            for job in self._running.values():
                self._wait_again(job, forgive=True)
        self._finisher.close()
        self.broadcast.close()

    # --- what the workers tell ---------------------------------------------------------------------------------------

    def ready(self) -> None:
        """See Listener."""
        self._dispatch()

    def emitted(self, job_id: str, event: EngineEvent) -> None:
        """See Listener."""
        job = self._running.get(job_id)
        if job is None:
            return
        if isinstance(event, Step) and job.first_step_at is None:
            job.first_step_at = time.monotonic()
        if isinstance(event, Loading):
            if not _is_news(event, job.last_loading):
                return
            job.last_loading = event
        self.broadcast.emit(job_id, event)

    def done(self, job_id: str, images: tuple[RawImage, ...]) -> None:
        """See Listener. A job that was stopped at the very end still counts as stopped."""
        with self._lock:
            job = self._running.pop(job_id, None)
            if job is None:
                return
            if job.is_cancelled:
                self._finisher.end(job, Cancelled())
            else:
                self._finisher.finish(job, images)
            self._dispatch()

    def cancelled(self, job_id: str) -> None:
        """See Listener."""
        self._end_running(job_id, Cancelled())

    def failed(self, failure: FailedJob) -> None:
        """See Listener. The traceback goes to the log, and nowhere else."""
        log_id = secrets.token_hex(4)
        job = self._running.get(failure.job_id)
        if job is not None and job.owner.is_private:  # its details and traceback may hold words of the prompt
            log.error("a private job (%s) failed: %s [%s]", failure.job_id, failure.kind, log_id)
        else:
            log.error(
                "job %s failed: %s %s [%s]\n%s",
                failure.job_id, failure.kind, failure.details, log_id, failure.traceback,
            )  # fmt: skip
        details: dict[str, Detail] = {**failure.details, "log_id": log_id}
        self._end_running(failure.job_id, Failed(kind=failure.kind, details=details, log_id=log_id))

    def died(self, job_id: str | None, exit_code: int) -> None:
        """See Listener. The worker's job, if it had one, runs once more."""
        with self._lock:
            job = None if job_id is None else self._running.get(job_id)
            if job is None:
                return
            if job.is_cancelled:
                self._end_running(job.id, Cancelled())
            elif job.attempts >= MAX_ATTEMPTS:
                error = WorkerDied(exit_code=exit_code)
                self._end_running(job.id, Failed(kind=error.kind, details=error.details))
            else:
                del self._running[job.id]
                self._wait_again(job)
                self._line.put_back(job.owner, job.id)
                self._announce()
                self._dispatch()

    def unavailable(self, error: DarkroomError) -> None:
        """See Listener. All waiting jobs fail, so that nobody waits in vain."""
        with self._lock:
            while (job_id := self._line.take()) is not None:
                job = self._jobs[job_id]
                job.state = JobState.RUNNING  # from here on the finisher has it
                self._finisher.end(job, Failed(kind=error.kind, details=error.details))
            self._places.clear()

    # --- moving ------------------------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        """Gives each free worker the next job."""
        with self._lock:
            while self._can_begin() and (job_id := self._line.take()) is not None:
                job = self._jobs[job_id]
                try:
                    self._storage.of(job.owner).jobs.start(job_id, JobState.RUNNING)
                except (DarkroomError, sqlite3.Error) as error:
                    self._line.put_back(job.owner, job_id)
                    self._try_later(error)
                    return
                self._begin(job)

    def _can_begin(self) -> bool:
        """Whether a worker is free and is not just about to report the end of its last job."""
        if self._is_closing or self._finisher.pending > _MAX_UNSAVED or len(self._running) >= len(self._pool):
            return False
        return self._pool.has_free

    def _begin(self, job: ActiveJob) -> None:
        self._problem = None
        job.begin()
        self._running[job.id] = job
        self.broadcast.emit(job.id, Started())
        self._pool.run(job.id, job.request, is_watched=False, read_pictures=partial(self._read_pictures, job))
        self._pool.watch(job.id, is_watched=self.broadcast.is_watched(job.id))
        self._announce()

    def _read_pictures(self, job: ActiveJob) -> dict[str, bytes]:
        """All pictures of the job's request. If one is gone, the job runs all the same and fails where it is needed."""
        uploads = self._storage.of(job.owner).uploads
        found: dict[str, bytes] = {}
        for reference in {picture for _, picture in pictures_of(job.request)}:
            with suppress(PictureNotFound, OSError):
                found[reference] = uploads.read(job.owner, reference)
        return found

    def _try_later(self, error: Exception) -> None:
        log.error("cannot start jobs: %s", error)
        self._problem = error if isinstance(error, DarkroomError) else None
        timer = threading.Timer(self._retries.every_seconds, self._dispatch)
        timer.daemon = True
        timer.start()

    def _end_running(self, job_id: str, last: Failed | Cancelled) -> None:
        with self._lock:
            job = self._running.pop(job_id, None)
            if job is not None:
                self._finisher.end(job, last)
            self._dispatch()

    def _wait_again(self, job: ActiveJob, *, forgive: bool = False) -> None:
        job.state = JobState.WAITING
        job.started_at = None
        try:
            self._storage.of(job.owner).jobs.wait_again(job.id, JobState.WAITING, forgive=forgive)
        except (DarkroomError, sqlite3.Error):  # then its row says that it runs, which leads to the same at a restart
            log.exception("job %s is waiting again, but its row could not be updated", job.id)

    def _ended(self, job: ActiveJob, last: Event) -> None:
        """Announces the end of a job whose row is written."""
        with self._lock:
            del self._jobs[job.id]
            if isinstance(last, Finished):
                self.estimates.learn(job.request, job.timings())
            self.broadcast.emit(job.id, last)
            self._announce()
            self._dispatch()

    def _announce(self) -> None:
        """Tells every waiting job whose place changed, with an estimate of when it will start."""
        self._places.announce([(id, self._jobs[id].request) for id in self._line.order()], self._seconds_until_free)

    def _seconds_until_free(self) -> float | None:
        return self._pool.seconds_until_free(self._remaining)

    def _remaining(self, job_id: str) -> float | None:
        job = self._running.get(job_id)
        return None if job is None else self.estimates.remaining(job.request, job.timings())


def _is_news(loading: Loading, last: Loading | None) -> bool:
    """Whether a loading event is worth sending: only at each whole per cent, since a checkpoint has hundreds of
    tensors.
    """
    if last is None or last.checkpoint != loading.checkpoint or loading.fraction < last.fraction:
        return True
    return loading.fraction - last.fraction >= 0.01 or loading.fraction >= 1.0 > last.fraction
