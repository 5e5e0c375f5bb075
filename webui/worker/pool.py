"""All workers, one or more, behind the interface of a single one: it knows which of them has which job.

Each is started, replaced and closed by itself, and affects no job but its own. Knows no queue.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace

from webui.errors import DarkroomError
from webui.events import EngineEvent
from webui.requests.settled import Settled
from webui.requests.style_transfer import StyleTransfer
from webui.settings import Settings
from webui.worker.messages import FailedJob, RawImage
from webui.worker.seam import Listener, ReadPictures, Worker
from webui.worker.status import WorkerState, WorkerStatus

_SHOWN_FIRST = (WorkerState.READY, WorkerState.BUSY, WorkerState.STARTING, WorkerState.RESTARTING, WorkerState.BROKEN)
_PAST_JOBS = 200  # whose steps a worker may still have; as many as it tells of


class WorkerPool:
    """Runs as many jobs at a time as there are ready workers. Thread-safe."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._lock = threading.Lock()  # never held while a listener is called
        self._members = tuple(_Member(worker, self) for worker in workers)

    def __len__(self) -> int:
        return len(self._members)

    @property
    def has_free(self) -> bool:
        """Whether a worker can take a job."""
        with self._lock:
            return any(member.is_free for member in self._members)

    def start(self, listener: Listener) -> None:
        """Starts all workers; `listener` is told when one is ready, and what happens to the jobs of all."""
        self.listener = listener
        for member in self._members:
            member.worker.start(member)

    def run(self, job_id: str, request: Settled, *, is_watched: bool, read_pictures: ReadPictures) -> None:
        """Runs a job on a free worker. Raises RuntimeError if there is none."""
        with self._lock:
            member = self._choose(request)
            member.take(job_id, request)
        member.worker.run(job_id, request, is_watched=is_watched, read_pictures=read_pictures)

    def cancel(self, job_id: str) -> None:
        """Stops the job wherever it is running, if it is."""
        if (member := self._with_job(job_id)) is not None:
            member.worker.cancel(job_id)

    def watch(self, job_id: str, *, is_watched: bool) -> None:
        """Says whether anybody is looking at the job's previews."""
        if (member := self._with_job(job_id)) is not None:
            member.worker.watch(job_id, is_watched=is_watched)

    def adjust(self, settings: Settings) -> None:
        """All workers hold checkpoints as these settings say from now on."""
        for member in self._members:
            member.worker.adjust(settings)

    def statuses(self) -> tuple[WorkerStatus, ...]:
        """The state of each worker, in order."""
        return tuple(member.worker.status() for member in self._members)

    def status(self) -> WorkerStatus:
        """The state of the readiest worker, with the kept steps of all."""
        statuses = self.statuses()
        kept: dict[str, tuple[int, ...]] = {}
        for status in statuses:
            for job_id, images in status.steps_kept.items():
                kept[job_id] = tuple(sorted({*kept.get(job_id, ()), *images}))
        return replace(min(statuses, key=lambda one: _SHOWN_FIRST.index(one.state)), steps_kept=kept)

    def seconds_until_free(self, remaining: Callable[[str], float | None]) -> float | None:
        """Seconds until the first worker can take a job, None if unknown; `remaining(job_id)` is what a running job
        still takes.
        """
        known: list[float] = []
        for member in self._members:
            job_id, eta = member.job_id, member.worker.status().ready_eta_seconds
            left = 0.0 if job_id is None else remaining(job_id)
            if eta is not None and left is not None:
                known.append(eta + left)
        return min(known, default=None)

    def close(self) -> None:
        """Ends all workers for certain; the listener is told nothing more after this returns."""
        for member in self._members:
            member.worker.close()

    def are_all_unavailable(self) -> bool:
        """Whether none of the workers starts."""
        with self._lock:
            return all(member.is_unavailable for member in self._members)

    def _choose(self, request: Settled) -> _Member:
        """A free worker: one with the steps that the request continues from, else one with its checkpoint, else the
        first.
        """
        idle = [member for member in self._members if member.job_id is None]
        free = [member for member in idle if member.is_ready] or idle  # one that has died this moment comes back
        if not free:
            raise RuntimeError("no worker is free")
        return free[0] if len(free) == 1 else max(free, key=lambda member: member.suits(request))

    def _with_job(self, job_id: str) -> _Member | None:
        with self._lock:
            return next((member for member in self._members if member.job_id == job_id), None)


class _Member:
    """One worker and what it has. Listens to the worker and passes everything on to the pool's listener."""

    def __init__(self, worker: Worker, pool: WorkerPool) -> None:
        self.worker = worker
        self.job_id: str | None = None
        self.is_ready = False
        self.is_unavailable = False
        self._pool = pool
        self._checkpoint: str | None = None  # of the last job that had one
        self._seeds: OrderedDict[str, int | None] = OrderedDict()  # of its past jobs, the oldest first

    @property
    def is_free(self) -> bool:
        """Whether it is ready and has no job."""
        return self.is_ready and self.job_id is None

    def take(self, job_id: str, request: Settled) -> None:
        """Notes the job that the worker gets, with its seed and checkpoint."""
        self.job_id = job_id
        self._seeds[job_id] = request.seed
        if len(self._seeds) > _PAST_JOBS:
            self._seeds.popitem(last=False)
        if not isinstance(request, StyleTransfer):
            self._checkpoint = request.checkpoint

    def suits(self, request: Settled) -> tuple[bool, bool]:
        """Whether it has kept steps for the request, and its checkpoint, as far as is known from outside."""
        if isinstance(request, StyleTransfer):
            return (False, False)
        origin = request if request.branch_from is None else request.branch_from.origin
        kept = self.worker.status().steps_kept
        has_steps = any(seed == origin.seed and job_id in kept for job_id, seed in self._seeds.items())
        return (has_steps, request.checkpoint == self._checkpoint)

    # --- what the worker tells; see Listener -------------------------------------------------------------------------

    def ready(self) -> None:
        """See Listener."""
        with self._pool._lock:
            self.is_ready, self.is_unavailable = True, False
        self._pool.listener.ready()

    def emitted(self, job_id: str, event: EngineEvent) -> None:
        """See Listener."""
        self._pool.listener.emitted(job_id, event)

    def done(self, job_id: str, images: tuple[RawImage, ...]) -> None:
        """See Listener."""
        self._end(job_id)
        self._pool.listener.done(job_id, images)

    def cancelled(self, job_id: str) -> None:
        """See Listener."""
        self._end(job_id)
        self._pool.listener.cancelled(job_id)

    def failed(self, failure: FailedJob) -> None:
        """See Listener."""
        self._end(failure.job_id)
        self._pool.listener.failed(failure)

    def died(self, job_id: str | None, exit_code: int) -> None:
        """See Listener."""
        with self._pool._lock:
            self.is_ready = False
            self._checkpoint = None
            self._seeds.clear()
            if job_id is not None and job_id == self.job_id:
                self.job_id = None
        self._pool.listener.died(job_id, exit_code)

    def unavailable(self, error: DarkroomError) -> None:
        """See Listener. While another worker starts, nothing is passed on."""
        self.is_unavailable = True
        if self._pool.are_all_unavailable():
            self._pool.listener.unavailable(error)

    def _end(self, job_id: str) -> None:
        with self._pool._lock:
            if self.job_id == job_id:
                self.job_id = None
