"""The hashes of a checkpoint's weights, so that a picture can name them and another program can recognise them.

For a single file it is the file's sha256, of which A1111 and its relatives write the first ten digits (`Model hash`).
They know no folders: the hash of a folder is that of a list of its weight files, one `<sha256> <path>` on each line in
the order of the paths. A VAE in a file of its own has that file's hash. Weights are hashed while they are loaded; the
book keeps the result for later loads, and for finding the checkpoint that made a picture. Knows no torch.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.replacing import replace_text

SHORT_DIGITS = 10  # of A1111's `Model hash` and `VAE hash`
BOOK_NAME = "checkpoint-hashes.json"
_MAX_BOOK_BYTES = 16 * 2**20
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Hashes:
    """64 hexadecimal digits each; `vae` is None if the VAE is part of the checkpoint's single file."""

    checkpoint: str
    vae: str | None = None


def hashes_of(checkpoint: Checkpoint, digests: Mapping[Path, str]) -> Hashes:
    """The hashes of a checkpoint whose weight files hash to `digests`. Raises KeyError for a file without one."""
    if checkpoint.folder is None:
        return Hashes(checkpoint=digests[checkpoint.path])
    parts = checkpoint.folder.components
    files = {file for part in parts.values() for file in part.weights}
    vae = parts["vae"].weights if "vae" in parts else ()
    return Hashes(
        checkpoint=combined({file.relative_to(checkpoint.path).as_posix(): digests[file] for file in files}),
        vae=combined({file.name: digests[file] for file in vae}) if len(vae) > 1 else digests[vae[0]] if vae else None,
    )


def combined(digests: Mapping[str, str]) -> str:
    """Of several files, by their names."""
    lines = "".join(f"{digests[name]} {name}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()


class HashBook:
    """A small file with the hashes of every checkpoint that was loaded, each with the version that it had then.

    The worker writes it, the web process reads it. It can be deleted at any time.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def get(self, checkpoint: Checkpoint) -> Hashes | None:
        """The checkpoint's hashes, if it was loaded before and has not changed."""
        return self._hashes(self._entries().get(checkpoint.id), checkpoint.version)

    def known(self) -> dict[str, tuple[str, str]]:
        """(version, hash) by the id of every model that was ever hashed."""
        found = {}
        for id, entry in self._entries().items():
            version = str(entry.get("version")) if isinstance(entry, dict) else ""
            if (hashes := self._hashes(entry, version)) is not None:
                found[id] = version, hashes.checkpoint
        return found

    def put(self, checkpoint: Checkpoint, hashes: Hashes) -> None:
        """Keeps the hashes; where that cannot be written, it is hashed again next time."""
        self.keep(checkpoint.id, checkpoint.version, hashes)

    def move(self, id: str, version: str, new_id: str, new_version: str) -> None:
        """What was hashed under one name is known under another; the old one is remembered, too."""
        hashes = self._hashes(self._entries().get(id), version)
        if hashes is not None:
            self.keep(new_id, new_version, hashes)

    def keep(self, id: str, version: str, hashes: Hashes) -> None:
        """The same for a model of any kind."""
        entries = self._entries() | {id: {"version": version, **asdict(hashes)}}
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            replace_text(self._file, json.dumps(entries, indent=1))
        except OSError as error:
            _log.warning("cannot save the hashes of %s: %s", id, error)

    def _entries(self) -> dict[str, Any]:
        """The file's entries; empty if there is no file or somebody else wrote into it."""
        try:
            if self._file.stat().st_size > _MAX_BOOK_BYTES:
                return {}
            entries = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return entries if isinstance(entries, dict) else {}

    @staticmethod
    def _hashes(entry: Any, version: str) -> Hashes | None:
        if not isinstance(entry, dict) or entry.get("version") != version:
            return None
        checkpoint, vae = entry.get("checkpoint"), entry.get("vae")
        if not isinstance(checkpoint, str) or not isinstance(vae, str | None):
            return None
        return Hashes(checkpoint=checkpoint, vae=vae)
