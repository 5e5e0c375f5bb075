"""The worker process of this machine and its supervisor, which starts it, listens to it, and replaces it when it dies
or does not respond.

One thread owns the process and reads everything it says; other threads leave messages for it. Knows nothing of the
queue (it calls a listener) and never imports the engine.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
from dataclasses import replace

from webui.errors import WorkerStalled, WorkerUnavailable
from webui.requests.settled import Settled
from webui.settings import Settings
from webui.worker import process as worker_process
from webui.worker.child import Child, ProcessEnded, Waker
from webui.worker.current_job import CurrentJob, RunningJob
from webui.worker.messages import (
    Adjust,
    Cancel,
    CancelledJob,
    Done,
    Drawn,
    Emitted,
    Exit,
    FailedJob,
    FromWorker,
    RawImage,
    Ready,
    Status,
    ToWorker,
    Watch,
)
from webui.worker.seam import Listener, ReadPictures
from webui.worker.status import WorkerState, WorkerStatus
from webui.worker.timeouts import Timeouts

log = logging.getLogger(__name__)


class LocalWorker:
    """One child process at a time, and the job that it has."""

    def __init__(self, settings: Settings, target: str, timeouts: Timeouts | None = None) -> None:
        """`target` is "module:function", imported in the child."""
        self._settings = settings
        self._target = target
        self._timeouts = timeouts or Timeouts()
        self._current = CurrentJob()
        self._child: Child | None = None
        self._outbox: queue.SimpleQueue[ToWorker] = queue.SimpleQueue()
        self._waker = Waker()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._state = WorkerState.STARTING
        self._ready: Ready | None = None
        self._last_words: FailedJob | None = None
        self._drawn: list[RawImage] = []  # of the current job
        self._memory_used_bytes: int | None = None
        self._steps_kept: dict[str, tuple[int, ...]] = {}
        self._start_seconds: float | None = None
        self._started_at = time.monotonic()

    # --- what the queue asks -----------------------------------------------------------------------------------------

    def start(self, listener: Listener) -> None:
        """Starts the supervisor, which starts the process."""
        self._listener = listener
        self._thread = threading.Thread(target=self._supervise, name="worker-supervisor", daemon=True)
        self._thread.start()

    def run(self, job_id: str, request: Settled, *, is_watched: bool, read_pictures: ReadPictures) -> None:
        """Sends the job as soon as the worker is ready. Raises RuntimeError while another one runs."""
        self._current.put(job_id, request, is_watched=is_watched, read_pictures=read_pictures)
        self._waker.wake()

    def cancel(self, job_id: str) -> None:
        """Asks the worker to stop the job; it is killed if the job has not ended `cancel_grace` seconds later."""
        running = self._current.cancel(job_id)
        if running is None:
            return
        if not running.is_sent:
            self._listener.cancelled(job_id)
            return
        self._send(Cancel(job_id=job_id))
        timer = threading.Timer(self._timeouts.cancel_grace, self._kill_if_running, (running,))
        timer.daemon = True
        timer.start()

    def watch(self, job_id: str, *, is_watched: bool) -> None:
        """Tells the worker whether previews are worth making."""
        if self._current.watch(job_id, is_watched=is_watched):
            self._send(Watch(job_id=job_id, is_watched=is_watched))

    def adjust(self, settings: Settings) -> None:
        """The process of now is told; later ones start with these settings."""
        before, self._settings = self._settings, settings
        if (told := _adjustment(settings)) != _adjustment(before):
            self._send(told)

    def status(self) -> WorkerStatus:
        """The worker's current state."""
        state = self._state
        is_up = state in (WorkerState.READY, WorkerState.BUSY)
        eta = 0.0 if is_up else None
        if not is_up and self._start_seconds is not None:
            eta = max(0.0, self._start_seconds - (time.monotonic() - self._started_at))
        return WorkerStatus(
            state=WorkerState.BUSY if is_up and self._current.running else state,
            device=self._ready.device if self._ready else None,
            precision=self._ready.precision if self._ready else None,
            memory_used_bytes=self._memory_used_bytes,
            memory_total_bytes=self._ready.memory_total_bytes if self._ready else None,
            ready_eta_seconds=eta,
            steps_kept=self._steps_kept,
        )

    def close(self) -> None:
        """Ends the process within `Timeouts.end` seconds, or twice that at most, and then the supervisor."""
        self._closing.set()
        self._waker.wake()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    # --- the supervisor's thread -------------------------------------------------------------------------------------

    def _supervise(self) -> None:
        deaths, delay = 0, self._timeouts.retry_first
        while not self._closing.is_set():
            was_ready, was_busy, exit_code = self._live()
            if self._closing.is_set():
                return
            self._state = WorkerState.RESTARTING
            log.warning("the worker process ended with exit code %s", exit_code)
            deaths = 0 if was_ready else deaths + 1
            if deaths >= self._timeouts.quick_deaths:
                self._give_up(self._reason(exit_code))
            if was_busy or time.monotonic() - self._started_at > self._timeouts.retry_most:
                delay = self._timeouts.retry_first
            if not was_busy:  # what a job did to it is no reason to let the next job wait
                self._closing.wait(delay)
                delay = min(delay * 2, self._timeouts.retry_most)

    def _live(self) -> tuple[bool, bool, int]:
        """One process from start to end: whether it was ever ready, whether it had a job, and its exit code."""
        self._started_at = time.monotonic()
        self._last_words = None
        self._steps_kept = {}
        self._outbox = queue.SimpleQueue()  # what was meant for the one before
        try:
            child = self._child = Child(self._target, self._settings, self._waker)
        except OSError:  # no memory, no more processes: the machine's trouble, and perhaps over in a moment
            log.exception("cannot start a worker process")
            return False, False, -1
        was_ready = self._converse(child)
        if not was_ready:  # it may not listen yet, and has nothing to put in order
            child.kill()
        exit_code = child.wait_for_end(self._timeouts.end)
        return was_ready, self._settle(exit_code), exit_code

    def _converse(self, child: Child) -> bool:
        """Reads and writes until the process ends or should end; returns whether it ever sent Ready."""
        is_ready = False
        last_word = time.monotonic()
        try:
            while not self._closing.is_set():
                self._deliver(child, is_ready)
                message = child.receive(timeout=1.0)
                if message is not None:
                    last_word = time.monotonic()
                    is_ready = is_ready or isinstance(message, Ready)
                    self._tell(message)
                elif self._is_overdue(is_ready, time.monotonic() - last_word):
                    child.kill()
            child.send(Exit())
        except ProcessEnded:
            pass
        return is_ready

    def _deliver(self, child: Child, is_ready: bool) -> None:
        running = self._current.take_to_send() if is_ready else None
        if running is not None:
            self._drawn = []
            self._send_job(child, running)
        while not self._outbox.empty():
            child.send(self._outbox.get())

    def _send_job(self, child: Child, running: RunningJob) -> None:
        """Sends the job with its pictures, which are not held in memory before or after."""
        try:
            pictures = running.read_pictures()
        except Exception:  # noqa: BLE001  (it travels as any failed job does, and the worker is listened to)
            self._tell(FailedJob(job_id=running.job_id, kind="internal", traceback=traceback.format_exc()))
            return
        child.send(replace(running.run, pictures=pictures))

    def _tell(self, message: FromWorker) -> None:
        try:
            self._hear(message)
        except Exception:  # whatever the listener runs into, somebody has to go on listening to the worker
            log.exception("could not handle a %s message", type(message).__name__)

    def _hear(self, message: FromWorker) -> None:
        match message:
            case Ready():
                self._ready = message
                self._start_seconds = time.monotonic() - self._started_at
                self._state = WorkerState.READY
                self._listener.ready()
            case Emitted():
                self._listener.emitted(message.job_id, message.event)
            case Drawn():
                self._drawn.append(message.image)
            case Done() if self._current.end(message.job_id):
                self._listener.done(message.job_id, tuple(self._drawn))
                self._drawn = []
            case CancelledJob() if self._current.end(message.job_id):
                self._listener.cancelled(message.job_id)
            case FailedJob(job_id=worker_process.NO_JOB):
                self._last_words = message
                log.error("the worker cannot continue (%s)\n%s", message.kind, message.traceback)
            case FailedJob() if self._current.end(message.job_id):
                self._listener.failed(message)
            case Status():
                self._memory_used_bytes = message.memory_used_bytes
                self._steps_kept = message.kept

    def _is_overdue(self, is_ready: bool, silent_seconds: float) -> bool:
        running = self._current.running
        if not is_ready:
            return silent_seconds > self._timeouts.start
        if running is None or not running.is_sent:
            return False
        if min(silent_seconds, time.monotonic() - running.sent_at) <= self._timeouts.stall:
            return False
        running.is_stalled = True
        return True

    def _settle(self, exit_code: int) -> bool:
        """Reports what became of the job that the dead process had, if any."""
        running = self._current.take_lost()
        if self._current.running is not None:
            return False  # it was never sent: the next process gets it
        if self._closing.is_set():
            return False
        if running is None or running.is_cancelled or running.is_stalled:
            self._listener.died(None, exit_code)
        if running is None:
            return False
        if running.is_cancelled:
            self._listener.cancelled(running.job_id)
        elif running.is_stalled:
            stalled = WorkerStalled(minutes=round(self._timeouts.stall / 60))
            self._listener.failed(FailedJob(job_id=running.job_id, kind=stalled.kind, details=stalled.details))
        else:
            self._listener.died(running.job_id, exit_code)
        return True

    def _give_up(self, reason: WorkerUnavailable) -> None:
        """Ends all waiting for this worker, including the job that was about to be sent."""
        self._state = WorkerState.BROKEN
        self._listener.unavailable(reason)
        running = self._current.clear()
        if running is not None:
            self._listener.failed(FailedJob(job_id=running.job_id, kind=reason.kind, details=reason.details))

    def _reason(self, exit_code: int) -> WorkerUnavailable:
        said = self._last_words
        reason = said.details.get("reason", said.kind) if said else f"exit code {exit_code}"
        return WorkerUnavailable(reason=reason)

    # --- both sides --------------------------------------------------------------------------------------------------

    def _kill_if_running(self, running: RunningJob) -> None:
        child = self._child
        if child is not None and self._current.running is running:
            log.warning("the worker did not stop within %g s; replacing it", self._timeouts.cancel_grace)
            child.kill()

    def _send(self, message: ToWorker) -> None:
        self._outbox.put(message)
        self._waker.wake()


def _adjustment(settings: Settings) -> Adjust:
    return Adjust(model_memory_gb=settings.model_memory_gb, idle_minutes=settings.idle_minutes, mirror=settings.mirror)
