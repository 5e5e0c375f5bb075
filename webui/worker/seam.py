"""The interface between the queue and whatever computes: a process of this machine today, others in the same way.

A worker runs one job at a time. It calls its listener from a thread of its own. Knows no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from webui.errors import DarkroomError
from webui.events import EngineEvent
from webui.requests.settled import Settled
from webui.settings import Settings
from webui.worker.messages import FailedJob, RawImage
from webui.worker.status import WorkerStatus

ReadPictures = Callable[[], Mapping[str, bytes]]  # a job's pictures by reference; those that are gone are left out


class Listener(Protocol):
    """What a worker, or a pool of them, reports. After `ready` and after every end of a job, it can
    take the next one.
    """

    def ready(self) -> None:
        """The worker can take a job."""

    def emitted(self, job_id: str, event: EngineEvent) -> None:
        """Something happened in the job."""

    def done(self, job_id: str, images: tuple[RawImage, ...]) -> None:
        """The job is finished; its pictures are not saved yet."""

    def cancelled(self, job_id: str) -> None:
        """The job stopped because it was told to."""

    def failed(self, failure: FailedJob) -> None:
        """The job ended with an error; the worker lives on, or a new one is on its way."""

    def died(self, job_id: str | None, exit_code: int) -> None:
        """The worker is gone, with its job if it had one. Another one starts by itself."""

    def unavailable(self, error: DarkroomError) -> None:
        """The worker died several times before it was ever ready. It keeps trying."""


class Worker(Protocol):
    """What the queue needs from a worker. No method waits for the job."""

    def start(self, listener: Listener) -> None:
        """Starts the worker; `listener.ready` follows."""

    def run(self, job_id: str, request: Settled, *, is_watched: bool, read_pictures: ReadPictures) -> None:
        """Runs one job; only to be called after `ready`, and never while another one runs.

        If the worker dies just then, it runs the job when it is back. `read_pictures` is called when the job is sent,
        from a thread of the worker's.
        """

    def cancel(self, job_id: str) -> None:
        """Stops the job if it is running. One of the listener's four ends of a job follows in any case."""

    def watch(self, job_id: str, *, is_watched: bool) -> None:
        """Says whether anybody is looking at the job's previews."""

    def adjust(self, settings: Settings) -> None:
        """Holds checkpoints as these settings say from now on."""

    def status(self) -> WorkerStatus:
        """The worker's current state."""

    def close(self) -> None:
        """Ends the worker for certain, whatever it is doing. The listener is told nothing more after this returns."""
