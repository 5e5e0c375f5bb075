"""The two services behind the page and the API: submit a request, and wait for its end.

Knows neither HTTP nor the page; the caller passes a function that stores the pictures inside a request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from anyio import CancelScope, get_cancelled_exc_class, to_thread

from webui.errors import JobUnreadable
from webui.events import LAST_EVENTS, Event
from webui.jobs.job import Job, UnreadableJob
from webui.jobs.queue import JobQueue
from webui.requests import Request
from webui.requests.settled import Settled
from webui.storage.job_rows import Once
from webui.storage.owners import Owner

StorePictures = Callable[[Owner, Request], Awaitable[Request]]


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """A queued job and its place among all that are waiting, from 1; 0 if it is not waiting."""

    job: Job | UnreadableJob
    position: int

    @property
    def request(self) -> Settled:
        """The request that the job was submitted with. Raises JobUnreadable."""
        if isinstance(self.job, UnreadableJob):
            raise JobUnreadable
        return self.job.request


class Submissions:
    """Submits requests to one queue and waits for the ends of their jobs."""

    def __init__(self, queue: JobQueue, store_pictures: StorePictures) -> None:
        """`store_pictures` puts references in place of the pictures inside a request, and refuses a reference that is
        not its owner's."""
        self._queue = queue
        self._store_pictures = store_pictures

    async def submit(self, owner: Owner, request: Request, once: Once | None = None) -> Submitted:
        """The new job, or with `once` the one that the same submission made before; then no picture is stored again.

        Raises whatever `store_pictures` and `JobQueue.submit` raise.
        """
        job = None if once is None else await to_thread.run_sync(self._queue.submitted, owner, once)
        if job is None:
            stored = await self._store_pictures(owner, request)
            job = await to_thread.run_sync(self._queue.submit, owner, stored, once)
        return Submitted(job=job, position=self._queue.position(job.id))

    async def wait(self, owner: Owner, job_id: str) -> Event | None:
        """The job's last event, or None if the program ends before the job. If the caller is cancelled meanwhile, the
        job is cancelled, too. Raises JobNotFound.
        """
        last: Event | None = None
        try:
            async with aclosing(self._queue.watch(owner, job_id)) as events:
                async for _number, event in events:
                    last = event
        except get_cancelled_exc_class():
            with CancelScope(shield=True):
                await to_thread.run_sync(self._queue.cancel, owner, job_id)
            raise
        return last if isinstance(last, LAST_EVENTS) else None
