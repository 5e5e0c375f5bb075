"""Hashes a model that nobody has loaded yet. Reads all of it, so it is done when somebody asks."""

from __future__ import annotations

import hashlib
from pathlib import Path

from webui.checkpoints.hashes import HashBook, Hashes, combined, hashes_of
from webui.checkpoints.library import Library
from webui.checkpoints.model import weight_files, weights_of

_CHUNK_BYTES = 4 * 2**20


def hash_model(library: Library, book: HashBook, id: str) -> None:
    """Writes its hash into the book. Raises ModelNotFound, the catalogue's errors, OSError."""
    model = library.get(id)
    if model.kind == "checkpoint":
        checkpoint = library.catalogue.get(id)
        book.put(checkpoint, hashes_of(checkpoint, {file: _sha256(file) for file in set(weights_of(checkpoint))}))
        return
    digests = {file.name: _sha256(file) for file in weight_files(model.path)}
    hash = combined(digests) if len(digests) != 1 else next(iter(digests.values()))
    book.keep(model.id, model.version, Hashes(checkpoint=hash))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
