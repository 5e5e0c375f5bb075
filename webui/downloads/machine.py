"""What this machine can do, measured once by a process of its own and kept on the disk.

The measurement takes two seconds, and the process some more to load. It is made again when the device, the number type,
the number of processors or torch is another one, and once in each run as long as other programs were busy beside it.
Knows no torch.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from webui.errors import DarkroomError
from webui.settings import ROOT, Settings
from webui.storage.files import write_atomically

FILE_NAME = "machine.json"
_TIMEOUT_SECONDS = 180.0
_log = logging.getLogger(__name__)


def installed_torch() -> str | None:
    """The version that torch's package states; None where torch is here without a package, as one built in place is."""
    try:
        return version("torch")
    except PackageNotFoundError:
        return None


class Machine(BaseModel):
    """Speeds are floating-point operations a second. `host_memory_bytes` is the machine's own memory, which on a
    processor is the device's as well."""

    model_config = ConfigDict(frozen=True)

    device: str
    kind: str
    precision: str
    convolution_flops: float
    matmul_flops: float
    device_memory_bytes: int
    host_memory_bytes: int

    @property
    def is_cpu(self) -> bool:
        """Whether pictures are drawn by the processor."""
        return self.kind == "cpu"


class _Kept(BaseModel):
    key: dict[str, Any]
    measured: float
    is_disturbed: bool  # by other programs
    machine: Machine


class SelfMeasurement:
    """Measures at most once a run, in the background. Thread-safe."""

    def __init__(self, settings: Settings, module: str, is_busy: Callable[[], bool] = lambda: False) -> None:
        """`module` prints the measurement when it is run. While `is_busy`, nothing is measured: it would be wrong, and
        in the way."""
        self._file = settings.data_dir / FILE_NAME
        self._arguments = ["--device", settings.device, "--precision", settings.precision]
        self._module = module
        self._is_busy = is_busy
        self._key = {
            "arguments": self._arguments,
            "torch": installed_torch(),
            "processors": os.cpu_count(),
            "module": module,
        }
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None
        self._is_closed = False

    def now(self) -> Machine | None:
        """What is known. Begins to measure where nothing is, or nothing sure."""
        kept = self._read()
        if kept is None or kept.is_disturbed:
            with self._lock:
                if self._thread is None and not self._is_closed and not self._is_busy():
                    self._thread = threading.Thread(target=self._measure, name="self-measurement", daemon=True)
                    self._thread.start()
        return None if kept is None else kept.machine

    def close(self) -> None:
        """Ends a measurement that is under way."""
        with self._lock:
            self._is_closed = True
            if self._process is not None:
                self._process.kill()
        if self._thread is not None:
            self._thread.join()

    def wait(self) -> Machine | None:
        """What is known after a measurement that is under way."""
        self.now()
        if self._thread is not None:
            self._thread.join()
        kept = self._read()
        return None if kept is None else kept.machine

    def _read(self) -> _Kept | None:
        try:
            kept = _Kept.model_validate_json(self._file.read_bytes())
        except (OSError, ValidationError):
            return None
        return kept if kept.key == self._key else None

    def _measure(self) -> None:
        try:
            is_disturbed = _others_are_busy()
            machine = Machine.model_validate_json(self._run().splitlines()[-1])
            before = self._read()
            if before is not None and before.machine.matmul_flops > machine.matmul_flops:
                return  # this time it was disturbed more
            kept = _Kept(key=self._key, measured=time.time(), is_disturbed=is_disturbed, machine=machine)
            write_atomically(self._file, kept.model_dump_json(indent=1).encode())
        except (OSError, subprocess.SubprocessError, ValidationError, IndexError, DarkroomError) as error:
            if not self._is_closed:
                _log.warning("could not measure this machine: %s", error)

    def _run(self) -> str:
        """What the process prints. Raises OSError, subprocess.SubprocessError."""
        line = [sys.executable, "-m", self._module, *self._arguments]
        with self._lock:
            if self._is_closed:
                return ""
            self._process = subprocess.Popen(
                line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        with self._process as process:
            try:
                return process.communicate(timeout=_TIMEOUT_SECONDS)[0]
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _others_are_busy() -> bool:
    """Whether more than half of the processors had work in the last minute; unknown, and so false, on Windows."""
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > 0.5 * (os.cpu_count() or 1)
