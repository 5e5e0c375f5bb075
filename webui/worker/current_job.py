"""The one job that a worker has: whether it has been sent yet, and whether it was told to stop.

Many threads use it: the supervisor's, and those of whoever submits, watches and stops. The lock is in here and never
held for longer than a look. Knows no process and no listener.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from dataclasses import dataclass

from webui.requests.settled import Settled
from webui.worker.messages import Run
from webui.worker.seam import ReadPictures


@dataclass
class RunningJob:
    """The job that the worker has. `run` is without its pictures; `sent_at` is a monotonic time."""

    job_id: str
    run: Run
    read_pictures: ReadPictures
    is_sent: bool = False
    is_cancelled: bool = False
    is_stalled: bool = False
    sent_at: float = 0.0


class CurrentJob:
    """At most one job. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: RunningJob | None = None

    @property
    def running(self) -> RunningJob | None:
        """The current job, if any."""
        return self._running

    def put(self, job_id: str, request: Settled, *, is_watched: bool, read_pictures: ReadPictures) -> None:
        """Sets the next job. Raises RuntimeError while there is another one."""
        with self._lock:
            if self._running is not None:
                raise RuntimeError(f"{self._running.job_id} runs already")
            run = Run(job_id=job_id, request=request, is_watched=is_watched)
            self._running = RunningJob(job_id, run, read_pictures)

    def take_to_send(self) -> RunningJob | None:
        """Returns the job once, and from then on counts it as sent."""
        with self._lock:
            running = self._running
            if running is None or running.is_sent:
                return None
            running.is_sent = True
            running.sent_at = time.monotonic()
            return running

    def cancel(self, job_id: str) -> RunningJob | None:
        """The job, which is now told to stop; None if it is not here or was told before. A job that was not sent is
        removed.
        """
        with self._lock:
            running = self._running
            if running is None or running.job_id != job_id or running.is_cancelled:
                return None
            running.is_cancelled = True
            if not running.is_sent:
                self._running = None
            return running

    def watch(self, job_id: str, *, is_watched: bool) -> bool:
        """Notes whether the job is watched; returns whether the worker, which has the job already, must be told."""
        with self._lock:
            running = self._running
            if running is None or running.job_id != job_id or running.run.is_watched == is_watched:
                return False
            running.run = dataclasses.replace(running.run, is_watched=is_watched)
            return running.is_sent

    def end(self, job_id: str) -> bool:
        """Removes the job if it is this one; returns whether it was."""
        with self._lock:
            if self._running is None or self._running.job_id != job_id:
                return False
            self._running = None
            return True

    def take_lost(self) -> RunningJob | None:
        """Removes and returns the job that the ended process had; a job that was not sent yet stays for the next
        process.
        """
        with self._lock:
            running = self._running
            if running is not None and not running.is_sent and not running.is_cancelled:
                return None
            self._running = None
            return running

    def clear(self) -> RunningJob | None:
        """Removes and returns whatever job there is."""
        with self._lock:
            running, self._running = self._running, None
            return running
