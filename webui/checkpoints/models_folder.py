"""Walks the folders of models and names what could be a checkpoint: diffusers folders, single files, pickles.

Follows links, because people link their collections in, but enters no folder twice. Looks only at names and times.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from webui.checkpoints.places import Place, Root, is_for_checkpoints, own_place

MAX_DEPTH = 8  # folders below models/
MAX_FOLDERS = 5_000  # a link to somebody's whole disk must not stop the page
PICKLE_SUFFIXES = (".ckpt", ".pt", ".pth", ".bin")
_BESIDE = (".components", ".tokenizer")  # folders that belong to the single file beside them
VAE_BESIDE = ".vae.safetensors"  # how the name of a VAE ends that belongs to the checkpoint beside it
_TOKENIZER_FOLDERS = ("tokenizer", "tokenizer_2")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """Something that could be a checkpoint. `id` is its path below models/ without suffix; in a folder of another
    program, which is read-only, its place's name and a colon come before it."""

    id: str
    path: Path
    form: Literal["folder", "file", "pickle"]
    place: str = ""
    title: str = ""  # what people call it there

    @property
    def notes(self) -> Path:
        """The small file beside it, in which a person says what the weights do not."""
        return self.path / "darkroom.json" if self.form == "folder" else self.path.with_suffix(".json")

    @property
    def components(self) -> Path:
        """A folder of configs beside a single file, for networks that differ from their family's."""
        return self.path.with_name(f"{self.path.stem}.components")

    def version(self) -> str:
        """A digest of the names, times and sizes of all files that make it up: changes when any of them does."""
        parts = [(str(self.path), *_stat(self.path)), (str(self.notes), *_stat(self.notes))]
        if self.form == "folder":
            parts += _entries(self.path)
        elif self.form == "file" and self.components.is_dir():
            parts += _entries(self.components)
        return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def find_checkpoints(models_dir: Path, others: Sequence[Place] = ()) -> list[Found]:
    """Everything that could be a checkpoint, by id. Of two with the same id the folder comes before the file and that
    before the pickle; the later ones keep their suffix in their id. No folder: nothing."""
    order = {"folder": 0, "file": 1, "pickle": 2}
    walked = (found for place in (own_place(models_dir), *others) for found in _walk(place))
    found = sorted(walked, key=lambda item: (order[item.form], item.id))
    taken: dict[str, Found] = {}
    for item in found:
        id = item.id if item.id not in taken else item.id + item.path.suffix
        taken.setdefault(id, replace(item, id=id))
    return sorted(taken.values(), key=lambda item: item.id.casefold())


def _walk(place: Place) -> Iterator[Found]:
    entered: set[Path] = set()
    waiting = [(root, root.folder, 0) for root in place.roots if root.kind in (None, "checkpoint")]
    while waiting:
        root, folder, depth = waiting.pop()
        real = folder.resolve()
        if real in entered or len(entered) >= MAX_FOLDERS:
            continue
        entered.add(real)
        for entry in _scan(folder):
            path = folder / entry.name
            if not _is_candidate(entry.name):
                continue
            if _is_dir(entry):
                if entry.name.endswith(_BESIDE):
                    continue
                if (path / "model_index.json").is_file():
                    yield Found(place.id_of(root, path), path, "folder", place.name, place.names.get(path, ""))
                elif depth < MAX_DEPTH and _may_hold_checkpoints(path, root, place):
                    waiting.append((root, path, depth + 1))
            elif path.suffix.casefold() in (".safetensors", *PICKLE_SUFFIXES) and not _is_vae_beside(path):
                form: Literal["file", "pickle"] = "file" if path.suffix.casefold() == ".safetensors" else "pickle"
                id = place.id_of(root, path, path.suffix)
                yield Found(id, path, form, place.name, place.names.get(path, ""))


def _is_vae_beside(path: Path) -> bool:
    name = path.name.removesuffix(VAE_BESIDE)
    return name != path.name and path.with_name(f"{name}.safetensors").exists()


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        if folder.exists():
            _log.warning("cannot read a folder of models: %s", error)
        return []


def _is_candidate(name: str) -> bool:
    """Refuses hidden files, and names that are not valid text, which could not be stored in a request."""
    return not name.startswith((".", "__")) and name.isprintable() and max(name, default="") < "\udc80"


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _may_hold_checkpoints(path: Path, root: Root, place: Place) -> bool:
    return path.name not in _TOKENIZER_FOLDERS and is_for_checkpoints(path, root, place)


def _entries(folder: Path) -> list[tuple[str, int, int]]:
    """Name, time and size of the files in `folder` and in the folders directly below it."""
    found: list[tuple[str, int, int]] = []
    for entry in _scan(folder):
        path = folder / entry.name
        if _is_dir(entry):
            found += [(f"{entry.name}/{inner.name}", *_stat(path / inner.name)) for inner in _scan(path)]
        else:
            found.append((entry.name, *_stat(path)))
    return found


def _stat(path: Path) -> tuple[int, int]:
    """Time in nanoseconds and size in bytes; zeros if the file does not exist."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
