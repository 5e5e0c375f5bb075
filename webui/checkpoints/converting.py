"""Old pickled embeddings and upscalers become safetensors files, each once, in a confined process of its own
(`webui/checkpoints/convert_worker.py`). What comes back is checked like any stranger's file.

Knows no torch.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from webui.checkpoints.converted import KINDS
from webui.checkpoints.kinds import kind_in
from webui.checkpoints.places import Kind
from webui.checkpoints.refusals import Broken, Refusal, Unfinished, Unrecognised
from webui.checkpoints.safetensors_header import read_header

MAX_BYTES = 2**30  # as the process has it
WORKER = Path(__file__).with_name("convert_worker.py")
TIMEOUT_SECONDS = 300.0
_REASONS = (
    "convert_large", "convert_packed", "convert_memory", "convert_code", "convert_unreadable", "convert_foreign",
)  # fmt: skip
# What finding and loading torch may need of the environment; keys and passwords stay here.
_VARIABLES = (
    "PATH", "SYSTEMROOT", "PROGRAMFILES", "PYTHONHOME", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
)  # fmt: skip
_log = logging.getLogger(__name__)


class Converter:
    """Has files converted. Thread-safe."""

    def __init__(self, worker: Path = WORKER) -> None:
        self._worker = worker
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False

    def convert(self, source: BinaryIO, target: Path) -> Kind:
        """Writes a copy of an open pickled file to `target`, where nothing may be; what kind it is.

        Raises Refusal with why it is none, its kind Unfinished where that says nothing about the file, and OSError
        where it cannot be read or written; then nothing is there.
        """
        if os.fstat(source.fileno()).st_size > MAX_BYTES:
            raise Broken("convert_large")
        try:
            self._have_written(source, target)
            kind = kind_in(read_header(target), target).kind
            if kind not in KINDS:
                raise Unrecognised("convert_foreign")
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return kind

    def close(self) -> None:
        """Ends what is under way; nothing is converted any more."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                process.kill()

    def _have_written(self, source: BinaryIO, target: Path) -> None:
        """Has the process read the pickled `source` and write `target`. Raises Refusal, OSError."""
        source.seek(0)
        status, printed, complaint = self._run(source, target)
        try:
            said = json.loads(printed[:1000])
            reason = said.get("error")
        except (ValueError, AttributeError):
            said = reason = None
        if said is None or (reason is None and status != 0):
            last = complaint.decode("utf-8", "replace").strip().rpartition("\n")[2]
            if "No space left on device" in last:
                raise OSError(errno.ENOSPC, last)
            if not self._is_closed:
                _log.warning("an old file was not converted to the end (status %s): %.200s", status, last)
            raise Unfinished("convert_stopped")
        if reason is not None:
            raise Refusal(reason if reason in _REASONS else "convert_unreadable")

    def _run(self, source: BinaryIO, target: Path) -> tuple[int, bytes, bytes]:
        """The process's status, output and complaints. Raises Unfinished, OSError."""
        # -P -s, and no variable but these: nothing comes from the folder that it is started in; torch is found as here
        command = [sys.executable, "-P", "-s", str(self._worker), str(target), str(os.getpid())]
        with self._lock:
            if self._is_closed:
                raise Unfinished("convert_stopped")
            process = subprocess.Popen(
                command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment(),
                start_new_session=True,  # Ctrl+C goes to the whole terminal; here it is decided what it means
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )  # fmt: skip
            self._running.add(process)
        try:
            with process:
                try:
                    printed, complaint = process.communicate(timeout=TIMEOUT_SECONDS)
                except BaseException:
                    process.kill()
                    raise
        except subprocess.TimeoutExpired as error:
            _log.warning("converting an old file took more than %.0f s", TIMEOUT_SECONDS)
            raise Unfinished("convert_stopped") from error
        finally:
            with self._lock:
                self._running.discard(process)
        return process.returncode, printed, complaint


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if os.path.isabs(path))}
