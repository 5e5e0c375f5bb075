"""The file of the data folder in which the operator's settings are kept. It may hold tokens: only the user who runs the
program can read it, and nothing in it is ever logged."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from webui.errors import InvalidRequest
from webui.operator.declared import BY_NAME
from webui.storage.files import write_atomically

FILE_NAME = "settings.json"
_MAX_BYTES = 2**16
_IN_FILE = {name: declared for name, declared in BY_NAME.items() if declared.kind != "folders"}  # these have their own
_log = logging.getLogger(__name__)


def read_kept(file: Path) -> dict[str, Any]:
    """What is kept, without what cannot be so any more; the log names that, but not the values."""
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise ValueError("too large")
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        _log.warning("cannot read the settings in %s (%s); they are as if nothing was set", file, type(error).__name__)
        return {}
    if not isinstance(found, dict):
        _log.warning("there are no settings in %s", file)
        return {}
    kept = {}
    for name, value in found.items():
        try:
            kept[name] = _IN_FILE[name].checked(value)
        except (KeyError, InvalidRequest):
            _log.warning("the setting %r in %s is not valid and does not count", str(name)[:40], file)
    return kept


def write_kept(file: Path, kept: Mapping[str, Any]) -> None:
    """Replaces the file; one that could not be read stays beside it. Raises DiskFull, FolderNotWritable."""
    if file.exists() and not _is_sound(file):
        with suppress(OSError):
            os.replace(file, file.with_suffix(".unreadable"))
    write_atomically(file, json.dumps(kept, indent=1, ensure_ascii=False).encode(), is_secret=True)


def _is_sound(file: Path) -> bool:
    try:
        return isinstance(json.loads(file.read_text(encoding="utf-8")), dict)
    except (OSError, ValueError, RecursionError):
        return False
