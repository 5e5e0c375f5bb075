"""Whether to open a browser window. Standard library only."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def wants_browser(arguments: Sequence[str]) -> bool:
    """Whether to open a window: nobody forbade it, and there is a screen for it."""
    if "--no-browser" in arguments or os.environ.get("DARKROOM_NO_BROWSER", "").lower() in ("1", "true", "yes", "on"):
        return False
    return has_screen()


def has_screen() -> bool:
    """Whether a browser window can be opened; a text browser in the terminal does not count."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
