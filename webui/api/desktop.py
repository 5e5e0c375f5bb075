"""Opens a folder in this machine's own file manager."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

_log = logging.getLogger(__name__)


def show_in_folder(path: Path) -> bool:
    """Shows a file where it lies. False where there is no screen or no file manager."""
    command = show_command(path)
    if command is None:
        return False
    try:
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError as error:
        _log.warning("cannot open a file manager: %s", error)
        return False
    return True


def show_command(path: Path, platform: str = sys.platform) -> list[str] | None:
    """What to run; never through a shell. None without a screen."""
    match platform:
        case "darwin":
            return ["open", "-R", str(path)]
        case "win32":
            return ["explorer", f"/select,{path}"]
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return None
    return ["xdg-open", str(path.parent)]
