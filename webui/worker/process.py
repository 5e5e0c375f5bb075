"""What the worker's process does before and after the engine runs in it: it ends when its parent is gone, and says why
it could not start. Imports the engine by name, in the child, so that the web process never imports torch.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection

from webui.errors import DarkroomError
from webui.settings import Settings
from webui.worker import wire
from webui.worker.messages import FailedJob

NO_JOB = ""  # the job_id of a FailedJob that is about the worker itself
_ORPHANED = 3  # exit code that nobody is left to read


def run(target: str, connection: Connection, settings: Settings) -> None:
    """Calls `target` ("module:function") with `connection` and `settings`; the main function of the process.

    An error that leaves it is sent as `FailedJob(job_id="")`, for the supervisor to log; the process then exits with 1.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C goes to the whole terminal; the parent decides what it means
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    try:
        module, _, name = target.partition(":")
        getattr(importlib.import_module(module), name)(connection, settings)
    except Exception as error:  # noqa: BLE001  (its traceback travels to the supervisor, who logs it)
        kind, details = _named(error)
        failed = FailedJob(job_id=NO_JOB, kind=kind, details=details, traceback=traceback.format_exc())
        wire.send(connection, failed)
        sys.exit(1)


def _named(error: Exception) -> tuple[str, dict[str, str | int | float]]:
    if isinstance(error, DarkroomError):
        return error.kind, error.details
    return "worker_unavailable", {"reason": f"{type(error).__name__}: {error}"[:300]}


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(_ORPHANED)
