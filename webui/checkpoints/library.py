"""Everything that lies in the folders of models, of every kind: what it is, how large, and whether it can be read.

Names, headers and small files are looked at, never weights; what has not changed since is not read again, so that
hundreds are listed in a moment. Knows no torch.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from webui.checkpoints.addon_files import in_prompts
from webui.checkpoints.addons import read_embedding, read_lora
from webui.checkpoints.catalogue import Catalogue, Checkpoint
from webui.checkpoints.family import Defaults
from webui.checkpoints.model_facts import Words, dtype_of, has_preview, license_of, preview_of, words_of
from webui.checkpoints.models_folder import PICKLE_SUFFIXES, VAE_BESIDE
from webui.checkpoints.places import KINDS, Kind, Place, Root, kind_roots, own_place
from webui.checkpoints.refusals import Refusal, Unrecognised
from webui.checkpoints.safetensors_header import Header, read_header
from webui.errors import DarkroomError, Detail, ModelNotFound, ModelUnusable

MAX_MODELS = 5_000  # of one kind in one folder
_SUFFIXES = (".safetensors", ".gguf", ".onnx", *PICKLE_SUFFIXES)
_FOLDER_KINDS = ("vae", "control", "adapter", "clip", "detector")  # which may be diffusers folders
_VAE_IN = "decoder.conv_in.weight"  # (out, latent channels, 3, 3), in both layouts
_Stamp = tuple[int, int]  # time in nanoseconds, bytes


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model of any kind. `place` is empty in our own folder; what lies elsewhere is read-only.

    `prompt_name` is what a prompt calls a LoRA or an embedding. `widths` are what it must share with a checkpoint to
    fit: of a LoRA what the U-Net hears, of an embedding each text encoder's, of a VAE the channels of its latents. One
    with a `problem` cannot be used.
    """

    id: str
    kind: Kind
    name: str
    path: Path
    place: str = ""
    family: str | None = None
    size_bytes: int = 0
    dtype: str | None = None
    license: str | None = None
    words: Words = field(default_factory=Words)
    has_preview: bool = False
    prompt_name: str | None = None
    widths: tuple[int, ...] = ()
    defaults: Defaults | None = None
    problem: DarkroomError | None = None
    version: str = ""  # changes with its file


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
                for path, beside in _candidates(root.folder, may_be_folder=kind in _FOLDER_KINDS):
                    yield place, root, path, beside
            for checkpoint in self.catalogue.everything() if kind == "vae" else ():
                vae = vae_path_beside(checkpoint)
                if checkpoint.place == place.name and vae is not None and vae.is_file():
                    root = next(root for root in place.roots if vae.is_relative_to(root.folder))
                    yield place, root, vae, frozenset()

    def _checkpoint(self, checkpoint: Checkpoint) -> Model:
        known = self._checkpoints.get(checkpoint.id)
        return known if known is not None and known.version == checkpoint.version else _of_checkpoint(checkpoint)

    def _read(self, kind: Kind, place: Place, root: Root, path: Path, beside: frozenset[str]) -> Model | None:
        """None for a file that went while it was looked at."""
        try:
            stamp = _stamp(path)
        except OSError:
            return None
        known = self._known.get((kind, path))
        if known is None or known[0] != stamp:
            suffix = "" if path.is_dir() else path.suffix
            bare = Model(
                id=place.id_of(root, path, suffix),
                kind=kind,
                name=path.name.removesuffix(suffix),
                path=path,
                place=place.name,
                size_bytes=_size_bytes(path),
                version=f"{stamp[0]}-{stamp[1]}",
            )
            known = stamp, _with_facts(bare, beside)
            self._known[kind, path] = known
        return known[1]


def _of_checkpoint(checkpoint: Checkpoint) -> Model:
    headers = []
    for path in weights_of(checkpoint):
        try:
            headers.append(read_header(path))
        except (Refusal, OSError):  # its problem says so already
            continue
    metadata = headers[0].metadata if headers else {}
    is_folder = checkpoint.form == "folder"
    names = frozenset() if is_folder else _names(checkpoint.path.parent)
    return Model(
        id=checkpoint.id,
        kind="checkpoint",
        name=checkpoint.path.stem if checkpoint.problem is not None and not is_folder else checkpoint.name,
        path=checkpoint.path,
        place=checkpoint.place,
        family=checkpoint.family or None,
        size_bytes=checkpoint.size_bytes or _size_bytes(checkpoint.path),
        dtype=dtype_of(headers),
        license=license_of(metadata, checkpoint.path if is_folder else None),
        has_preview=not is_folder and has_preview(checkpoint.path, metadata, names),
        defaults=checkpoint.defaults if checkpoint.problem is None else None,
        problem=checkpoint.problem,
        version=checkpoint.version,
    )


def vae_path_beside(checkpoint: Checkpoint) -> Path | None:
    """Where the VAE of its own lies that belongs to a single file."""
    return checkpoint.path.with_name(checkpoint.path.stem + VAE_BESIDE) if checkpoint.form == "file" else None


def weights_of(checkpoint: Checkpoint) -> tuple[Path, ...]:
    """The files of its weights."""
    if checkpoint.folder is None:
        return (checkpoint.path,) if checkpoint.form == "file" else ()
    return tuple(file for part in checkpoint.folder.components.values() for file in part.weights)


def _with_facts(model: Model, beside: frozenset[str]) -> Model:
    """With what its header says; what is wrong with it becomes its problem."""
    path = model.path
    if path.suffix.casefold() in PICKLE_SUFFIXES:
        return replace(model, problem=ModelUnusable(model=model.id, reason="pickled"))
    if path.suffix.casefold() not in ("", ".safetensors") and not path.is_dir():
        return model  # formats that have no header of this kind
    try:
        headers = [read_header(file) for file in weight_files(path)]
        facts = _facts(model, headers)
    except Refusal as error:
        return replace(model, problem=_problem(model, error.reason, error.details))
    except OSError:
        return replace(model, problem=_problem(model, "unreadable", {}))
    metadata = headers[0].metadata if headers else {}
    folder = path if path.is_dir() else None
    return replace(
        facts,
        dtype=dtype_of(headers),
        license=license_of(metadata, folder),
        words=words_of(path, metadata) if model.kind in ("lora", "embedding") else Words(),
        has_preview=has_preview(path, metadata, beside),
    )


def _facts(model: Model, headers: list[Header]) -> Model:
    """What only this kind has. Raises Refusal."""
    match model.kind:
        case "lora":
            lora = read_lora(model.name, model.path, (0, 0))
            widths = (lora.text_width,) if lora.text_width else ()
            problem = _problem(model, lora.problem, {"kind": lora.kind} if lora.kind else {}) if lora.problem else None
            return replace(model, family=lora.family, widths=widths, problem=problem)
        case "embedding":
            embedding = read_embedding(model.name, model.path, (0, 0))
            return replace(model, widths=tuple(embedding.widths.values()))
        case "vae":
            return replace(model, widths=(_latent_channels(headers),))
    return model


def _latent_channels(headers: list[Header]) -> int:
    """Raises Unrecognised for what is no VAE of pictures."""
    for header in headers:
        for name, info in header.tensors.items():
            if name.removeprefix("first_stage_model.") == _VAE_IN and len(info.shape) == 4:
                return info.shape[1]
    raise Unrecognised("no_vae")


def _problem(model: Model, reason: str, details: Mapping[str, Detail]) -> ModelUnusable:
    return ModelUnusable(model=model.id, reason=reason, **details)


def _prompt_name(model: Model, root: Root, taken: set[str]) -> str | None:
    """The shortest name that means this one: its file's, or its path below the folder where another has that."""
    if model.kind not in ("lora", "embedding"):
        return None
    name = in_prompts(model.path.stem)
    if name in taken:
        return in_prompts(model.path.relative_to(root.folder).with_suffix("").as_posix())
    taken.add(name)
    return name


def _candidates(folder: Path, *, may_be_folder: bool) -> Iterator[tuple[Path, frozenset[str]]]:
    """Files and diffusers folders below `folder`, each with the names of the files beside it."""
    count = 0
    for place, folders, files in os.walk(folder):
        names = frozenset(files)
        if may_be_folder and place != str(folder) and "config.json" in names:
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


def _names(folder: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()


def weight_files(path: Path) -> list[Path]:
    """The file itself, or those of a folder."""
    return sorted(path.glob("*.safetensors")) if path.is_dir() else [path]


def _stamp(path: Path) -> _Stamp:
    """Raises OSError."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _size_bytes(path: Path) -> int:
    """Of a file, or of all in a folder."""
    try:
        if not path.is_dir():
            return path.stat().st_size
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    except OSError:
        return 0
