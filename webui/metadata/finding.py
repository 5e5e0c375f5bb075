"""Finds the checkpoint of the models folder that a hash or a name means."""

from __future__ import annotations

from pathlib import PurePosixPath

from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.hashes import SHORT_DIGITS, HashBook

_SUFFIXES = (".safetensors", ".ckpt", ".pt")


class CheckpointFinder:
    """Looks names up in the catalogue, and hashes in the book of checkpoints that were loaded before."""

    def __init__(self, catalogue: Catalogue, book: HashBook) -> None:
        self._catalogue = catalogue
        self._book = book

    def __call__(self, hash: str | None, name: str | None) -> tuple[str, bool | None] | None:
        """The checkpoint's id, and whether its hash is the same (None if unknown); None if there is
        no such checkpoint.
        """
        wanted = (hash or "").casefold()
        checkpoints = self._catalogue.list()
        known = {checkpoint.id: self._book.get(checkpoint) for checkpoint in checkpoints}
        if len(wanted) >= SHORT_DIGITS:
            for id, hashes in known.items():
                if hashes is not None and hashes.checkpoint.startswith(wanted):
                    return id, True
        if not name:
            return None
        path = name.replace("\\", "/").casefold()
        for suffix in _SUFFIXES:
            path = path.removesuffix(suffix)
        ids = [checkpoint.id for checkpoint in checkpoints if checkpoint.id.casefold() == path]
        ids += [c.id for c in checkpoints if PurePosixPath(c.id).name.casefold() == PurePosixPath(path).name]
        ids += [checkpoint.id for checkpoint in checkpoints if checkpoint.name.casefold() == path]
        if not ids:
            return None
        return ids[0], False if len(wanted) >= SHORT_DIGITS and known[ids[0]] is not None else None
