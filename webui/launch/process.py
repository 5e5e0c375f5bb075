"""Continues as another program in the same process, so that one process group contains everything. Standard library
only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import NoReturn


def become(command: Sequence[str]) -> NoReturn:
    """Replaces this process by `command`. Does not return.

    Windows cannot replace a process. There, the command runs as a child in the same console, which sends Ctrl+C to
    both; this process waits and ends with the child's exit code.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(command[0], list(command))
    child = subprocess.Popen(list(command))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child is asked by the console itself
    try:
        code = child.wait()
    finally:
        child.kill()
    sys.exit(code)
