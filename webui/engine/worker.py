"""The worker process: takes one job at a time from the pipe, runs it in the engine and sends back what happens.

All heavy modules are imported late, after the process has started. It ends at once when the pipe closes, since its
parent is then gone. Knows no queue, no database, no owners.
"""

from __future__ import annotations

import gc
import logging
import os
import queue
import threading
import traceback
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from webui.errors import Cancelled, DarkroomError, NotAnImage, OutOfMemory
from webui.events import EngineEvent
from webui.settings import Settings
from webui.worker import wire
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
    Ready,
    Run,
    Status,
    ToWorker,
    Watch,
)

if TYPE_CHECKING:
    from webui.engine.engine import Engine

logger = logging.getLogger(__name__)

# Read by libraries when they are loaded, so it is set before. The engine talks to nobody: no telemetry. And OpenMP's
# threads sleep while they wait for one another: spinning, as they do by default, a starter picture took 91 s instead of
# 4 s on two cores that others wanted too (measured), and no less alone.
ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",  # GNU's OpenMP
    "KMP_BLOCKTIME": "0",  # LLVM's and Intel's
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
_PAST_JOBS = 200  # more than a page shows
EXIT_DEVICE_LOST = 70  # EX_SOFTWARE: the device's context is poisoned, only a new process helps


def serve(connection: Connection, settings: Settings) -> None:
    """Serves until `Exit` arrives or the pipe closes. Sends `Ready` as soon as the engine could take a job."""
    os.environ.update(ENVIRONMENT)
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    channel = _Channel(connection)
    channel.start_reading()
    engine = _build_engine(settings)
    gc.freeze()  # what was imported stays; each change of checkpoint would search it all for what is no longer used
    status = engine.status()
    channel.send(Ready(device=status.device, precision=status.precision, memory_total_bytes=status.memory_total_bytes))
    _preload(engine, channel)
    channel.send(Status(memory_used_bytes=engine.status().memory_used_bytes))
    jobs = _PastJobs(engine)
    while True:
        match channel.next(engine.models.idle_seconds_left()):
            case Run() as run:
                _run(engine, run, channel)
                jobs.remember(run)
                del run  # its pictures need not wait for the next one
            case Adjust() as new:
                engine.adjust(new.model_memory_gb, new.idle_minutes, new.mirror)
            case None:
                engine.models.drop_idle()
        channel.send(Status(memory_used_bytes=engine.status().memory_used_bytes, kept=jobs.kept()))


def _build_engine(settings: Settings) -> Engine:
    import diffusers
    import transformers

    diffusers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()

    from webui.engine.engine import Engine

    return Engine(settings)


def _preload(engine: Engine, channel: _Channel) -> None:
    """Loads the default checkpoint while there is nothing to do; the first job interrupts it."""
    try:
        engine.preload(None, channel.check_idle)
    except Cancelled:
        logger.debug("a job arrived while the default checkpoint was loading")
    except DarkroomError as error:
        logger.warning("cannot load the default checkpoint: %s", error)
    except Exception:  # a broken checkpoint is its own job's matter, not the worker's
        logger.exception("cannot load the default checkpoint")


def _run(engine: Engine, run: Run, channel: _Channel) -> None:
    """Runs one job to its end: exactly one of Done, CancelledJob and FailedJob is sent."""
    channel.finish(answer(engine, run, channel))


def answer(engine: Engine, run: Run, channel: _Channel) -> FromWorker:
    """Runs one job in the engine, sending its events and pictures; returns the message that ends it.

    Whatever goes wrong becomes a CancelledJob or a FailedJob. If the device is lost, this process ends.
    """
    from webui.engine.context import Context
    from webui.engine.device import is_device_lost, is_out_of_memory

    flags = channel.flags

    def emit(event: EngineEvent) -> None:
        channel.send(Emitted(job_id=run.job_id, event=event))

    context = Context(emit, flags.check, flags.is_watched, partial(_picture_in, run))
    try:
        for image in engine.run(run.request, context):
            channel.send(Drawn(job_id=run.job_id, image=image))
        return Done(job_id=run.job_id)
    except Cancelled:
        return CancelledJob(job_id=run.job_id)
    except DarkroomError as error:  # its traceback is logged where the job gets its log id, in the parent
        return FailedJob(job_id=run.job_id, kind=error.kind, details=error.details, traceback=traceback.format_exc())
    except Exception as error:  # whatever one job does must not end the others
        if is_device_lost(error):
            logger.critical("the device is lost in job %s; this process ends", run.job_id, exc_info=True)
            os._exit(EXIT_DEVICE_LOST)
        if is_out_of_memory(error):  # while loading, or where nothing smaller could be tried
            lacking = OutOfMemory(
                width=getattr(run.request, "width", 0) or 0,
                height=getattr(run.request, "height", 0) or 0,
                device=engine.device.name,
            )
            return FailedJob(
                job_id=run.job_id, kind=lacking.kind, details=lacking.details, traceback=traceback.format_exc()
            )
        return FailedJob(job_id=run.job_id, kind="internal", traceback=traceback.format_exc())


@dataclass
class _PastJobs:
    """Which of the last jobs have steps in the engine's memory."""

    engine: Engine
    _digests: dict[str, tuple[str, ...]] = field(default_factory=dict)  # of each job's images, the oldest job first

    def remember(self, run: Run) -> None:
        """Notes the digests of a job's images; the oldest job is dropped if there are too many."""
        try:
            self._digests[run.job_id] = self.engine.digests_of(run.request)
        except DarkroomError:  # a request that was refused has no steps
            return
        if len(self._digests) > _PAST_JOBS:
            del self._digests[next(iter(self._digests))]

    def kept(self) -> dict[str, tuple[int, ...]]:
        """The images (from 0) with steps in memory, by job; jobs without any are left out."""
        kept = {
            job_id: tuple(image for image, digest in enumerate(digests) if self.engine.keeps(digest))
            for job_id, digests in self._digests.items()
        }
        return {job_id: images for job_id, images in kept.items() if images}


def _picture_in(run: Run, reference: str) -> bytes:
    """The normalised PNG that came with the job. Raises NotAnImage if it did not, because the picture was gone."""
    try:
        return run.pictures[reference]
    except KeyError as error:
        raise NotAnImage from error


@dataclass
class Flags:
    """What the parent has said about the job since it was sent. Set by the reader's thread, read by the engine's."""

    job_id: str
    watched: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raises Cancelled if the job has been cancelled."""
        if self.cancelled.is_set():
            raise Cancelled

    def is_watched(self) -> bool:
        """Whether anybody is looking at the job."""
        return self.watched.is_set()


class _Channel:
    """The pipe: a thread reads it all the time, so that Stop takes effect in mid-step; a lock guards sending."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._due: queue.SimpleQueue[tuple[Run, Flags] | Adjust] = queue.SimpleQueue()
        self._known: dict[str, Flags] = {}  # jobs that were sent and not answered
        self.flags = Flags("")

    def start_reading(self) -> None:
        """Starts the thread that reads the pipe."""
        threading.Thread(target=self._read, name="reader", daemon=True).start()

    def next(self, seconds: float | None) -> Run | Adjust | None:
        """Waits for the next job, whose flags become the current ones, or for other limits; None after so many seconds
        without either.
        """
        try:
            due = self._due.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(due, Adjust):
            return due
        run, self.flags = due
        return run

    def check_idle(self) -> None:
        """Raises Cancelled as soon as a job is waiting."""
        if self._known:
            raise Cancelled

    def send(self, message: FromWorker) -> None:
        """Sends one message; ends the process if the parent is gone."""
        with self._sending:
            try:
                wire.send(self._connection, message)
            except (BrokenPipeError, ConnectionResetError):
                os._exit(0)  # the parent is gone

    def finish(self, message: FromWorker) -> None:
        """Sends the last message about the current job."""
        self._known.pop(self.flags.job_id, None)
        self.send(message)

    def _read(self) -> None:
        while True:
            try:
                self._hear(wire.receive(self._connection))  # by no name: it would hold a job's pictures until the next
            except (EOFError, OSError):
                os._exit(0)  # the parent is gone: nobody would ever see another picture

    def _hear(self, message: ToWorker) -> None:
        match message:
            case Run():
                flags = Flags(message.job_id)
                if message.is_watched:
                    flags.watched.set()
                self._known[message.job_id] = flags
                self._due.put((message, flags))
            case Adjust():
                self._due.put(message)
            case Cancel() if message.job_id in self._known:
                self._known[message.job_id].cancelled.set()
            case Watch() if message.job_id in self._known:
                watched = self._known[message.job_id].watched
                (watched.set if message.is_watched else watched.clear)()
            case Exit():
                os._exit(0)
