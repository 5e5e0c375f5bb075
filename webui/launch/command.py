"""What one call of `launch.py` does, in order. Standard library only until the packages are there."""

from __future__ import annotations

import os
import signal
import sys
import webbrowser
from pathlib import Path
from types import FrameType
from typing import NoReturn

from webui.launch import requirements, words
from webui.launch.address import early_address
from webui.launch.browser import wants_browser
from webui.launch.console import Console
from webui.launch.environment import Environment
from webui.launch.first_model import question_for
from webui.launch.install import install
from webui.launch.launch_error import LaunchError
from webui.launch.process import become
from webui.launch.progress import ProgressMeter
from webui.launch.torch_wheel import choose, reachable
from webui.launch.waiting_page import WaitingPage

COMMANDS = ("test", "bench", "reindex", "docs")  # besides none, which runs the app
_NEED_TESTS = ("test", "bench")  # those that need the test extra
INSTALLED = "DARKROOM_LAUNCH_INSTALLED"  # set between this process and the one it becomes after an installation
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def run(root: Path, arguments: list[str]) -> int:
    """Runs `launch.py` with these arguments and returns the exit code.

    1. find out what is asked for; 2. make sure of the packages; 3. continue in the interpreter that has them.
    """
    console = Console()
    command = arguments[0] if arguments and arguments[0] in COMMANDS else None
    environment = Environment(root, "test" if command in _NEED_TESTS else None)
    signal.signal(signal.SIGTERM, _leave)  # by raising, so that a running pip is ended too
    try:
        if not environment.is_met_here():
            if not environment.is_installed() or environment.is_running():
                _stop_going_round(environment)
                arguments = _install(environment, arguments, console, shows_page=command is None)
                os.environ[INSTALLED] = "1"
            become([str(environment.python), str(root / "launch.py"), *arguments])
        os.environ.pop(INSTALLED, None)
        return _run_here(root, command, arguments, console)
    except LaunchError as error:
        console.say(words.sentence(error, console.language))
        return 1
    except KeyboardInterrupt:
        console.line("interrupted")
        return _INTERRUPTED


def _stop_going_round(environment: Environment) -> None:
    """Raises LaunchError if this very call has installed everything and something is still missing."""
    if os.environ.pop(INSTALLED, None):
        absent = ", ".join(map(str, requirements.missing(environment.requirements())))
        raise LaunchError("pip_failed", reason=absent, log=str(environment.folder / "install.log"))


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def _run_here(root: Path, command: str | None, arguments: list[str], console: Console) -> int:
    match command:
        case "test":
            os.chdir(root)
            become([sys.executable, "-m", *(["pytest", *arguments[1:]] if arguments[1:] else ["tests"])])
        case "bench":
            os.chdir(root)
            become([sys.executable, "-m", "tests.benchmarks", *arguments[1:]])
        case "reindex":
            from webui.launch.reindex import reindex  # late, for the same reason as below

            return reindex(arguments[1:], console)
        case "docs":
            from webui.launch.docs import docs  # late, for the same reason as below

            return docs(arguments[1:], console)
        case _:
            # Late, because it needs the packages, and the calls above must do without.
            from webui.launch.serve import serve

            return serve(arguments, console)


def _install(environment: Environment, arguments: list[str], console: Console, *, shows_page: bool) -> list[str]:
    """Makes the environment, while a page on the port shows the progress. Returns the arguments to continue with."""
    console.line("first_start")
    wheel = reachable(choose())
    console.line("torch", kind=wheel.kind)
    meter = ProgressMeter(wheel.expected_bytes, with_tests=environment.extra is not None)
    address = early_address(arguments)
    if not shows_page or address.port == 0 or {"--help", "-h"} & set(arguments):
        install(environment, wheel, meter, lambda: console.show(meter.snapshot()))
        console.line("ready")
        return arguments
    with WaitingPage(address, meter, question_for(environment.root, arguments, address)):
        console.line("watch", address=address.url)
        opens_browser = wants_browser(arguments)
        if opens_browser:
            webbrowser.open(address.url)
        install(environment, wheel, meter, lambda: console.show(meter.snapshot()))
        meter.enter("starting")
        console.line("ready")
    return [*arguments, "--no-browser"] if opens_browser else arguments
