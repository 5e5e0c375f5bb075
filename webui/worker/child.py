"""One worker process from start to end, and the pipe to it. Passes messages on without knowing what they mean."""

from __future__ import annotations

import logging
import multiprocessing
import queue
import threading
from multiprocessing.connection import wait

from webui.settings import Settings
from webui.worker import process as worker_process
from webui.worker import wire
from webui.worker.messages import FromWorker, ToWorker

log = logging.getLogger(__name__)


class ProcessEnded(Exception):
    """The process has ended, or sends something that cannot be understood."""


class Waker:
    """Wakes the thread that waits for a child, from any other thread. Waking it twice before it looks counts once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_set = False
        self.out, self._in = multiprocessing.Pipe(duplex=False)

    def wake(self) -> None:
        """Wakes the thread; may be called from any thread, and never waits."""
        with self._lock:
            if not self._is_set:
                self._is_set = True
                self._in.send_bytes(b"\0")

    def clear(self) -> None:
        """Resets the waker; called by the thread that was woken."""
        with self._lock:
            self.out.recv_bytes()
            self._is_set = False


class Child:
    """A process started with `spawn`, so that it shares only one pipe with this process. Only `kill` is thread-safe."""

    def __init__(self, target: str, settings: Settings, waker: Waker) -> None:
        """Starts `target` ("module:function", imported in the child). Raises OSError where no process can be had."""
        context = multiprocessing.get_context("spawn")
        self._waker = waker
        self._lock = threading.Lock()
        self._is_buried = False
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=worker_process.run, args=(target, theirs, settings), name="darkroom-worker", daemon=True
        )
        try:
            self._process.start()
        except OSError:
            self._connection.close()
            raise
        finally:
            theirs.close()  # or the end of the child would not be the end of the pipe
        self._to_send: queue.SimpleQueue[ToWorker | None] = queue.SimpleQueue()
        self._sender = threading.Thread(target=self._send_all, name="worker-sender", daemon=True)
        self._sender.start()

    @property
    def pid(self) -> int:
        """The id of the process; 0 after it has ended and been cleaned up."""
        with self._lock:
            return 0 if self._is_buried else self._process.pid or 0

    def send(self, message: ToWorker) -> None:
        """Sends a message after all earlier ones; never waits for a process that does not read. `receive` says if it
        has ended.
        """
        self._to_send.put(message)

    def receive(self, timeout: float) -> FromWorker | None:
        """The next message; None after `timeout` seconds without one, or when woken. Raises ProcessEnded."""
        try:
            spoke = wait([self._connection, self._waker.out], timeout)
            if self._waker.out in spoke:
                self._waker.clear()
            message: FromWorker | None = wire.receive(self._connection) if self._connection in spoke else None
        except (EOFError, OSError) as error:
            raise ProcessEnded from error
        except ValueError as error:
            log.exception("the worker sent an unreadable message; replacing it")
            self.kill()
            raise ProcessEnded from error
        return message

    def kill(self) -> None:
        """Kills the process at once; may be called from any thread, any number of times."""
        with self._lock:
            if not self._is_buried:
                self._process.kill()

    def wait_for_end(self, timeout_seconds: float) -> int:
        """Waits for the process to end, kills it after `timeout_seconds`, and returns its exit code."""
        self._process.join(timeout_seconds)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._to_send.put(None)
        self._sender.join()
        code = self._process.exitcode
        with self._lock:
            self._is_buried = True
            self._process.close()
        self._connection.close()
        return -1 if code is None else code

    def _send_all(self) -> None:
        try:
            while (message := self._to_send.get()) is not None:
                wire.send(self._connection, message)
                del message  # a job's pictures need not wait for what comes next
        except OSError:
            log.debug("the worker process ended before it had read everything")
