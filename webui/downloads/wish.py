"""Whether a model for photographs is to be downloaded at the first start: asked on the page that waits for the
packages, and kept as a small file in the data folder until the program has begun to download it. Standard library only.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

FILE_NAME = "first-model.json"
_MAX_FILE_BYTES = 1000


def read_wish(data_dir: Path) -> bool | None:
    """What was answered; None where nobody has."""
    try:
        with (data_dir / FILE_NAME).open("rb") as file:
            found = json.loads(file.read(_MAX_FILE_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    wanted = found.get("wanted") if isinstance(found, dict) else None
    return wanted if isinstance(wanted, bool) else None


def keep_wish(data_dir: Path, wanted: bool) -> None:
    """Raises OSError where it cannot be kept."""
    data_dir.mkdir(parents=True, exist_ok=True)
    temporary = data_dir / f".tmp-{FILE_NAME}"
    temporary.write_text(json.dumps({"wanted": wanted}), encoding="utf-8")
    os.replace(temporary, data_dir / FILE_NAME)


def forget_wish(data_dir: Path) -> None:
    """From now on nothing is wanted."""
    with suppress(OSError):
        (data_dir / FILE_NAME).unlink(missing_ok=True)


def is_unused(data_dir: Path) -> bool:
    """Whether no program has run with this folder yet, so that the question is a first one."""
    try:
        return set(os.listdir(data_dir)) <= {FILE_NAME}
    except FileNotFoundError:
        return True
    except OSError:
        return False
