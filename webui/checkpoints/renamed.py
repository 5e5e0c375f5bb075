"""What models were called before, so that requests which name the old path find them again.

Kept in a small hidden file of the models folder, which every process reads. Knows ids alone.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path

from webui.checkpoints.replacing import replace_text

FILE_NAME = ".renamed.json"
_MAX_FILE_BYTES = 4 * 2**20


class Renamed:
    """Looks again when the file has changed. Thread-safe."""

    def __init__(self, models_dir: Path) -> None:
        self._file = models_dir / FILE_NAME
        self._lock = threading.Lock()
        self._known: tuple[object, Mapping[str, str]] = (None, {})

    def now(self, id: str) -> str | None:
        """What was last called so; None where nothing was."""
        return self.names().get(id)

    def names(self) -> Mapping[str, str]:
        """The present id by every former one."""
        try:
            status = self._file.stat()
        except OSError:
            return {}
        stamp = status.st_mtime_ns, status.st_size
        with self._lock:
            if self._known[0] != stamp:
                self._known = stamp, self._read() if status.st_size <= _MAX_FILE_BYTES else {}
            return self._known[1]

    def note(self, old: str, new: str) -> None:
        """From now on `new` is what was called `old`, and whatever that was called before. Raises OSError."""
        names = {former: new if now == old else now for former, now in self.names().items()} | {old: new}
        names.pop(new, None)
        replace_text(self._file, json.dumps(names, indent=1, ensure_ascii=False))

    def _read(self) -> Mapping[str, str]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        pairs = found.items() if isinstance(found, dict) else ()
        return {old: new for old, new in pairs if isinstance(old, str) and isinstance(new, str)}
