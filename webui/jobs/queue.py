"""The queue as everybody else sees it: submit, cancel, look, watch.

A job is in the database before its caller hears of it, and what happens to it does not depend on who is watching.
Methods that are not `async` may wait a few milliseconds for the disk; an event loop calls them in a thread. Knows
neither the engine nor the page.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from webui.checkpoints.addons import Addons
from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.model import Model
from webui.errors import JobNotFound, JobUnreadable, KeyReused, QueueFull, StripGone, TooManyJobs, WorkerDied
from webui.events import Event, Failed, Finished
from webui.jobs.dispatcher import MAX_ATTEMPTS, Dispatcher
from webui.jobs.event_log import EventLog
from webui.jobs.finisher import ActiveJob, Retries, state_after
from webui.jobs.job import Job, JobState, QueueStatus, UnreadableJob
from webui.jobs.model_use import needs_model
from webui.jobs.prompts import PromptRules
from webui.jobs.resolve import resolve
from webui.jobs.stored import as_kept_now, job_from_row, past_events
from webui.requests import Request, to_dict
from webui.rules.branches import count_images
from webui.settings import ROOT
from webui.storage import Storage
from webui.storage.adoption import adopt_job
from webui.storage.job_rows import JobRow, Once
from webui.storage.owners import Owner, PrivateOwner
from webui.worker.pool import WorkerPool

log = logging.getLogger(__name__)

MAX_WAITING_OF_OWNER = 200
MAX_WAITING = 1000
_RETRY_AFTER_SECONDS = 30  # what a full queue says: about a picture or two on a slow machine
_LEARN_FROM = 50  # ended jobs that a new start looks at for its estimates


class JobQueue:
    """The jobs of all owners. An owner's id is a user's name, or "local"; nobody sees another owner's jobs.
    Thread-safe.
    """

    def __init__(
        self,
        storage: Storage,
        catalogue: Catalogue,
        pool: WorkerPool,
        *,
        presets_dir: Path = ROOT / "presets",
        retries: Retries | None = None,
        expects_cpu: bool = False,
        addons: Addons | None = None,
    ) -> None:
        """`expects_cpu`: whether the workers will draw on a processor, as far as is known before the first is ready.
        `addons`: those of the catalogue's folders, where somebody else reads them too."""
        self._storage = storage
        self._catalogue = catalogue
        addons = addons or Addons(catalogue.models_dir, catalogue.others, catalogue.converted)
        self._prompts = PromptRules(addons, presets_dir)
        self._dispatcher = Dispatcher(storage, pool, retries or Retries())
        self._submitting = threading.Lock()
        self._expects_cpu = expects_cpu

    def start(self) -> None:
        """Resumes the jobs that an earlier run of the program left, and starts the workers."""
        for row in self._storage.jobs.last_finished(JobState.FINISHED, _LEARN_FROM):
            job = job_from_row(row)
            if isinstance(job, Job):
                self._dispatcher.estimates.learn(job.request, job.timings)
        rows = self._storage.jobs.in_states((JobState.WAITING, JobState.RUNNING))
        left = [(row, job) for row in rows if isinstance(job := job_from_row(row), Job)]
        if len(left) < len(rows):
            log.warning("cannot read %d jobs; leaving them as they are", len(rows) - len(left))
        self._storage.jobs.new_epoch([row.id for row, _ in left])
        for row, job in left:
            self._take_up(row, job)
        self._dispatcher.start()

    def close(self) -> None:
        """Ends the workers and all watching. Waiting and running jobs resume at the next start."""
        self._dispatcher.close()

    def submit(self, owner: Owner, request: Request, once: Once | None = None) -> Job:
        """Settles the request, stores the job and puts it into the line. Once this returns, the job survives a power
        cut.

        A caller that may have to repeat itself passes `once`: the second time, it gets the job of the first, in
        whatever state that is. Raises TooManyJobs, QueueFull, DiskFull, KeyReused, JobUnreadable, and whatever
        `resolve` raises.
        """
        if once is not None and (known := self.submitted(owner, once)) is not None:
            return _readable(known)
        uploads, is_on_cpu = self._storage.of(owner).uploads, self.is_on_cpu
        resolved = resolve(request, owner, self._catalogue, uploads, self._prompts, is_on_cpu=is_on_cpu)
        with self._submitting:
            if once is not None and (known := self.submitted(owner, once)) is not None:  # both at the same moment
                return _readable(known)
            if (waiting := self._dispatcher.waiting(owner)) >= MAX_WAITING_OF_OWNER:
                raise TooManyJobs(waiting=waiting, retry_after_seconds=_RETRY_AFTER_SECONDS)
            if (waiting := self._dispatcher.waiting()) >= MAX_WAITING:
                raise QueueFull(waiting=waiting, retry_after_seconds=_RETRY_AFTER_SECONDS)
            id = secrets.token_urlsafe(16)
            row = self._storage.of(owner).jobs.insert(id, owner, to_dict(resolved), JobState.WAITING, once)
            self._dispatcher.enter(ActiveJob(id=row.id, owner=owner, request=resolved, created=row.created))
        return Job(id=row.id, owner=owner, request=resolved, state=JobState.WAITING, created=row.created)

    def submitted(self, owner: Owner, once: Once) -> Job | UnreadableJob | None:
        """The job that the same submission made before, if it did. Raises KeyReused if the key belongs to another
        request.
        """
        found = self._storage.of(owner).jobs.submitted(owner, once.key)
        if found is None:
            return None
        row, digest = found
        if digest != once.digest:
            raise KeyReused(job=row.id)
        return self.look(owner, row.id)

    def cancel(self, owner: Owner, job_id: str) -> None:
        """Stops a job; may be called again. A job that has ended stays as it is. Raises JobNotFound."""
        self._row(owner, job_id)
        self._dispatcher.cancel(job_id)

    def forget(self, owner: PrivateOwner) -> None:
        """Stops all jobs of somebody in private mode, and forgets that they existed."""
        for row in self._storage.of(owner).jobs.in_states((JobState.WAITING, JobState.RUNNING)):
            self._dispatcher.cancel(row.id)
        self._storage.forget(owner)
        self._dispatcher.broadcast.forget(owner)

    def get(self, owner: Owner, job_id: str) -> Job:
        """A job with its request. Raises JobNotFound, and JobUnreadable if this version cannot read it."""
        return _readable(self.look(owner, job_id))

    def look(self, owner: Owner, job_id: str) -> Job | UnreadableJob:
        """A job, whether it can be read or not. Raises JobNotFound."""
        job = job_from_row(self._row(owner, job_id))
        return self._as_now([job])[0] if isinstance(job, Job) else job

    def list(self, owner: Owner, limit: int = 100) -> list[Job | UnreadableJob]:
        """The owner's jobs, newest first."""
        jobs = [job_from_row(row) for row in self._storage.of(owner).jobs.of_owner(owner, max(1, limit))]
        now = {job.id: job for job in self._as_now([job for job in jobs if isinstance(job, Job)])}
        return [now.get(job.id, job) for job in jobs]

    def strip(self, owner: Owner, job_id: str, image: int) -> Sequence[bytes]:
        """The previews of one image (from 0) of a job, as JPEGs, in the order of its steps.

        Raises JobNotFound, JobUnreadable, and StripGone if there are no previews (any more): only the last few jobs
        keep theirs.
        """
        _readable(job_from_row(self._row(owner, job_id)))
        previews = self._dispatcher.broadcast.previews(job_id, image)
        if len(previews) < 2:  # an old job's last one does not move
            raise StripGone
        return previews

    def position(self, job_id: str) -> int:
        """The job's place in the line, from 1; 0 if it is not waiting."""
        return self._dispatcher.position(job_id)

    def needing(self, model: Model) -> int:
        """How many jobs, of whomever, wait or run and need a model."""
        return sum(needs_model(request, model) for request in self._dispatcher.requests())

    def status(self) -> QueueStatus:
        """The state of workers and queue."""
        return self._dispatcher.status()

    @property
    def is_on_cpu(self) -> bool:
        """Whether a processor draws what is submitted now, as far as is known."""
        worker = self._dispatcher.status().worker
        return self._expects_cpu if worker.device is None else worker.is_on_cpu

    async def watch(self, owner: Owner, job_id: str, after: int = 0) -> AsyncGenerator[tuple[int, Event]]:
        """A job's events with ids above `after`: all so far, then live, until the last one.

        May be left at any time. A slow caller misses old previews, but no step. Raises JobNotFound at the first event.
        """
        row = await asyncio.to_thread(self._row, owner, job_id)
        known = self._dispatcher.broadcast.find(job_id)
        if known is None:  # it ended a while ago, or cannot be read
            for id, event in await asyncio.to_thread(past_events, row, self._storage.of(owner).jobs):
                if id > after:
                    yield id, event
            return
        async with aclosing(self._dispatcher.broadcast.watch(known, after)) as items:
            async for item in items:
                yield item

    async def watch_owner(self, owner: Owner, jobs: Collection[str] = ()) -> AsyncGenerator[tuple[str, int, Event]]:
        """All events of one owner, live, as (job's id, event's id, event); never ends by itself.

        First come all events so far of the jobs that have not ended and of `jobs`, which the caller last saw
        unfinished.
        """
        async with aclosing(self._dispatcher.broadcast.watch_owner(owner, jobs)) as items:
            async for item in items:
                yield item

    def _as_now(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """The jobs with the current state of their pictures and steps."""
        kept = self._dispatcher.status().worker.steps_kept
        now = as_kept_now(jobs, self._storage.of(jobs[0].owner).pictures) if jobs else []
        return [replace(job, steps_kept=kept[job.id]) if job.id in kept else job for job in now]

    def _row(self, owner: Owner, job_id: str) -> JobRow:
        row = self._storage.of(owner).jobs.get(job_id)
        if row is None or row.owner != owner:
            raise JobNotFound(job=job_id[:80])
        return row

    def _take_up(self, row: JobRow, job: Job) -> None:
        """Takes up a job that had not ended when the program did."""
        if job.state is JobState.RUNNING:
            adopt_job(self._storage.pictures, row.owner, row.id)
            images = self._storage.pictures.of_job(row.id)
            if len(images) == count_images(job.request):  # only the row's last change was missing
                self._end_now(row, Finished(images=images, seconds=0.0))
                return
            if row.attempts >= MAX_ATTEMPTS:
                error = WorkerDied(exit_code=-1)
                self._end_now(row, Failed(kind=error.kind, details=error.details))
                return
            self._storage.jobs.wait_again(row.id, JobState.WAITING)
        active = ActiveJob(id=row.id, owner=row.owner, request=job.request, created=row.created, attempts=row.attempts)
        self._dispatcher.enter(active, epoch=row.epoch + 1, is_first=job.state is JobState.RUNNING)

    def _end_now(self, row: JobRow, last: Finished | Failed) -> None:
        stored = EventLog(row.id, row.owner, row.epoch + 1).stored(last)
        self._storage.jobs.end(row.id, state_after(last), stored, row.timings)


def _readable(job: Job | UnreadableJob) -> Job:
    """Raises JobUnreadable."""
    if isinstance(job, UnreadableJob):
        raise JobUnreadable
    return job
