"""Everything that lies in the folders of models, of every kind: what it is, how large, and whether it can be read.

Names, headers and small files are looked at, never weights; what has not changed since is not read again, so that
hundreds are listed in a moment. Knows no torch.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from webui.checkpoints.addon_files import in_prompts
from webui.checkpoints.catalogue import Catalogue, Checkpoint
from webui.checkpoints.model import Model, of_checkpoint, size_bytes, with_facts
from webui.checkpoints.model_facts import preview_of
from webui.checkpoints.models_folder import PICKLE_SUFFIXES, VAE_BESIDE
from webui.checkpoints.places import KINDS, Kind, Place, Root, kind_roots, own_place
from webui.checkpoints.refusals import Refusal
from webui.checkpoints.safetensors_header import read_header
from webui.errors import ModelNotFound

MAX_MODELS = 5_000  # of one kind in one folder
_SUFFIXES = (".safetensors", ".gguf", ".onnx", *PICKLE_SUFFIXES)
_FOLDER_KINDS = ("vae", "control", "adapter", "clip", "detector")  # which may be diffusers folders
_Stamp = tuple[int, int, str]  # time in nanoseconds, bytes, and what is read in its place


class Library:
    """The models of our folder and of other programs'. Looks again at every call. Thread-safe."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._lock = threading.Lock()
        self._known: dict[tuple[Kind, Path], tuple[_Stamp, Model]] = {}
        self._checkpoints: dict[str, Model] = {}

    def look(self, kinds: tuple[Kind, ...] = KINDS) -> tuple[Model, ...]:
        """By kind, then by id."""
        with self._lock:
            return tuple(model for kind in kinds for model in self._of_kind(kind))

    def get(self, id: str) -> Model:
        """Raises ModelNotFound."""
        found = next((model for model in self.look() if model.id == id), None)
        if found is None:
            raise ModelNotFound(model=id)
        return found

    def preview(self, model: Model) -> bytes | None:
        """The picture that came with it."""
        try:
            metadata = read_header(model.path).metadata if model.path.is_file() else {}
        except (Refusal, OSError):
            metadata = {}
        return preview_of(model.path, metadata)

    def _of_kind(self, kind: Kind) -> list[Model]:
        if kind == "checkpoint":
            found = [self._checkpoint(one) for one in self.catalogue.everything()]
            self._checkpoints = {model.id: model for model in found}
            return found
        models: dict[str, Model] = {}
        names: set[str] = set()
        for place, root, path, beside in self._found(kind):
            model = self._read(kind, place, root, path, beside)
            if model is None:
                continue
            id = model.id if model.id not in models else model.id + path.suffix
            models[id] = replace(model, id=id, prompt_name=_prompt_name(model, root, names))
        return sorted(models.values(), key=lambda model: model.id.casefold())

    def _found(self, kind: Kind) -> Iterator[tuple[Place, Root, Path, frozenset[str]]]:
        """What lies in the folders of this kind, with the names of the files beside it; and VAEs beside checkpoints."""
        for place in (own_place(self.catalogue.models_dir), *self.catalogue.others.places()):
            for root in kind_roots(place, kind):
                for path, beside in _candidates(root, may_be_folder=kind in _FOLDER_KINDS):
                    yield place, root, path, beside
            for checkpoint in self.catalogue.everything() if kind == "vae" else ():
                vae = vae_path_beside(checkpoint)
                if checkpoint.place == place.name and vae is not None and vae.is_file():
                    root = next(root for root in place.roots if vae.is_relative_to(root.folder))
                    yield place, root, vae, frozenset()

    def _checkpoint(self, checkpoint: Checkpoint) -> Model:
        known = self._checkpoints.get(checkpoint.id)
        is_same = known is not None and (known.version, known.name) == (checkpoint.version, checkpoint.name)
        return known if known is not None and is_same else of_checkpoint(checkpoint)

    def _read(self, kind: Kind, place: Place, root: Root, path: Path, beside: frozenset[str]) -> Model | None:
        """None for a file that went while it was looked at."""
        try:
            status = path.stat()
            copy = self.catalogue.converted.of(path, kind)
        except OSError:
            return None
        stamp = status.st_mtime_ns, status.st_size, repr(copy)
        known = self._known.get((kind, path))
        suffix = "" if path.is_dir() else path.suffix
        name = place.names.get(path) or path.name.removesuffix(suffix)
        if known is None or known[0] != stamp or known[1].name != name:
            bare = Model(
                id=place.id_of(root, path, suffix),
                kind=kind,
                name=name,
                path=path,
                place=place.name,
                size_bytes=size_bytes(path),
                version=f"{stamp[0]}-{stamp[1]}",
            )
            known = stamp, with_facts(bare, beside, copy)
            self._known[kind, path] = known
        return known[1]


def vae_path_beside(checkpoint: Checkpoint) -> Path | None:
    """Where the VAE of its own lies that belongs to a single file."""
    return checkpoint.path.with_name(checkpoint.path.stem + VAE_BESIDE) if checkpoint.form == "file" else None


def _prompt_name(model: Model, root: Root, taken: set[str]) -> str | None:
    """The shortest name that means this one: its file's, or its path below the folder where another has that."""
    if model.kind not in ("lora", "embedding"):
        return None
    name = in_prompts(model.path.stem)
    if name in taken:
        return in_prompts(model.path.relative_to(root.folder).with_suffix("").as_posix())
    taken.add(name)
    return name


def _candidates(root: Root, *, may_be_folder: bool) -> Iterator[tuple[Path, frozenset[str]]]:
    """Files and diffusers folders below a root, each with the names of the files beside it."""
    count = 0
    for place, folders, files in (entry for folder in root.folders for entry in os.walk(folder)):
        names = frozenset(files)
        if may_be_folder and place != str(root.folder) and "config.json" in names:
            folders[:] = []
            if any(name.endswith(".safetensors") for name in names):
                yield Path(place), frozenset()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.startswith(".") or not name.isprintable() or Path(name).suffix.casefold() not in _SUFFIXES:
                continue
            count += 1
            if count > MAX_MODELS:
                return
            yield Path(place) / name, names
