"""Makes `.venv` and fills it with pip: torch first, in the build that fits the machine, then everything else.

Standard library only. Reports through a `ProgressMeter` and a callback; knows neither console nor page.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from webui.launch.environment import Environment
from webui.launch.launch_error import LaunchError
from webui.launch.progress import ProgressMeter
from webui.launch.torch_wheel import TorchWheel

_RAW_PROGRESS_PIP = (24, 1)  # the first pip that knows `--progress-bar raw`
_NO_CONNECTION = (
    "NewConnectionError",
    "Failed to establish",
    "NameResolutionError",
    "timed out",
)
_DISK_FULL = ("No space left on device", "not enough space on the disk")
_TAIL_LINES = 40


def install(environment: Environment, wheel: TorchWheel, meter: ProgressMeter, on_change: Callable[[], None]) -> None:
    """Completes the environment, whatever state it is in, and marks it as installed.

    Raises LaunchError with what a person can do. If interrupted, the next call continues.
    """
    meter.enter("preparing")
    on_change()
    make_environment(environment)
    pip = _Pip(environment, meter, on_change)
    pip.renew()
    torch = [r for r in environment.requirements() if r.name == "torch"]
    meter.enter("torch")
    _install_torch(pip, [str(r) for r in torch], wheel)
    meter.enter("packages")
    # torch is named again, so that no other package can pull in another one.
    pip.install(*(str(r) for r in environment.requirements()))
    meter.enter("installing")
    on_change()
    environment.mark_installed()


def _install_torch(pip: _Pip, torch: list[str], wheel: TorchWheel) -> None:
    if wheel.index is None:
        pip.install(*torch)
        return
    try:
        # As an extra index: pip's own settings (a mirror, a folder of wheels) stay in force, and of equal versions it
        # takes the one with a local part, `2.13.0+cu130`, which is the index's.
        pip.install(*torch, "--extra-index-url", wheel.index)
    except LaunchError as error:
        if error.kind != "no_connection":
            raise
        pip.install(*torch)


def make_environment(environment: Environment) -> None:
    """Makes an environment with a working pip; one that exists and works is kept."""
    if works(environment.python):
        return
    if any(importlib.util.find_spec(module) is None for module in ("venv", "ensurepip")):
        raise LaunchError("no_venv", version=f"{sys.version_info[0]}.{sys.version_info[1]}")
    if not os.access(environment.root, os.W_OK):
        raise LaunchError("not_writable", folder=str(environment.root))
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(environment.folder)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        output = made.stdout + made.stderr
        if any(sign in output for sign in _DISK_FULL):
            raise LaunchError("disk_full", folder=str(environment.folder))
        raise LaunchError("venv_failed", reason=output.strip().splitlines()[-1] if output.strip() else "")


def works(python: Path) -> bool:
    """Whether this interpreter runs and has pip; it does not if its base Python was removed."""
    if not python.exists():
        return False
    try:
        return subprocess.run([str(python), "-c", "import pip"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


class _Pip:
    """The environment's pip. Everything it writes also goes to `.venv/install.log`."""

    def __init__(self, environment: Environment, meter: ProgressMeter, on_change: Callable[[], None]) -> None:
        self._python = str(environment.python)
        self._folder = environment.folder
        self._log = environment.folder / "install.log"
        self._meter = meter
        self._on_change = on_change
        self._log.unlink(missing_ok=True)

    def renew(self) -> None:
        """Updates pip to a version that reports its progress; without a connection, the old one has to do."""
        if self._version() < _RAW_PROGRESS_PIP:
            self._run(["install", "--upgrade", "pip"])

    def install(self, *arguments: str) -> None:
        """Installs these packages. Raises LaunchError if pip fails."""
        bar = ["--progress-bar", "raw"] if self._version() >= _RAW_PROGRESS_PIP else []
        tail = self._run(["install", "--no-input", *bar, *arguments])
        if tail is None:
            return
        if any(sign in tail for sign in _DISK_FULL):
            raise LaunchError("disk_full", folder=str(self._folder))
        if any(sign in tail for sign in _NO_CONNECTION):
            raise LaunchError("no_connection", log=str(self._log))
        errors = [line for line in tail.splitlines() if line.startswith("ERROR")]
        raise LaunchError("pip_failed", reason=errors[-1] if errors else tail.strip()[-200:], log=str(self._log))

    def _version(self) -> tuple[int, ...]:
        found = subprocess.run(
            [self._python, "-m", "pip", "--version"], capture_output=True, text=True, check=False
        ).stdout
        numbers = found.split()[1].split(".")[:2] if found.startswith("pip ") else []
        return tuple(int(number) for number in numbers if number.isdecimal())

    def _run(self, arguments: list[str]) -> str | None:
        """None if pip succeeds, else the end of its output."""
        tail: deque[str] = deque(maxlen=_TAIL_LINES)
        command = [self._python, "-m", "pip", "--disable-pip-version-check", *arguments]
        with self._log.open("a", encoding="utf-8") as log, _running(command) as process:
            for line in process.stdout or ():
                self._meter.feed(line)
                self._on_change()
                if not line.startswith("Progress "):
                    log.write(line)
                    tail.append(line)
        return None if process.returncode == 0 else "".join(tail)


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Runs the command, and ends it with this block, however that ends."""
    unbuffered = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "NO_COLOR": "1"}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=unbuffered,
    ) as process:
        try:
            yield process
        except BaseException:
            process.terminate()
            raise
