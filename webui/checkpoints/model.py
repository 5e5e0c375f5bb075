"""One model of any kind, and what its headers tell of it. Reads no weights and knows no folders of kinds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from webui.checkpoints.addons import read_embedding, read_lora
from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.converted import WAITING, Converted
from webui.checkpoints.family import Defaults
from webui.checkpoints.kinds import latent_channels
from webui.checkpoints.made_for import MadeFor
from webui.checkpoints.model_facts import Words, dtype_of, has_preview, license_of, words_of
from webui.checkpoints.models_folder import PICKLE_SUFFIXES
from webui.checkpoints.places import Kind
from webui.checkpoints.refusals import Refusal, Unrecognised
from webui.checkpoints.safetensors_header import Header, read_header
from webui.checkpoints.upscalers import upscaler_in
from webui.errors import DarkroomError, Detail, ModelConverting, ModelUnusable


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model of any kind. `place` is empty in our own folder; what lies elsewhere is read-only.

    `own_defaults` are a checkpoint's without the small file beside it. `made_for` says what a checkpoint or a LoRA of
    few steps needs. `prompt_name` is what a prompt calls a LoRA or an embedding. `widths` are what it must share with a
    checkpoint to fit: of a LoRA what the U-Net hears, of an embedding each text encoder's, of a VAE the channels of its
    latents. One with a `problem` cannot be used.
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
    own_defaults: Defaults | None = None
    made_for: MadeFor | None = None
    is_introductory: bool = False
    problem: DarkroomError | None = None
    version: str = ""  # changes with its file


def of_checkpoint(checkpoint: Checkpoint) -> Model:
    """A checkpoint of the catalogue, with what its weights' headers tell."""
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
        name=checkpoint.path.stem if checkpoint.name == checkpoint.path.name and not is_folder else checkpoint.name,
        path=checkpoint.path,
        place=checkpoint.place,
        family=checkpoint.family or None,
        size_bytes=checkpoint.size_bytes or size_bytes(checkpoint.path),
        dtype=dtype_of(headers),
        license=license_of(metadata, checkpoint.path if is_folder else None),
        has_preview=not is_folder and has_preview(checkpoint.path, metadata, names),
        defaults=checkpoint.defaults if checkpoint.problem is None else None,
        own_defaults=checkpoint.own_defaults,
        made_for=checkpoint.made_for,
        is_introductory=checkpoint.is_introductory,
        problem=checkpoint.problem,
        version=checkpoint.version,
    )


def weights_of(checkpoint: Checkpoint) -> tuple[Path, ...]:
    """The files of its weights."""
    if checkpoint.folder is None:
        return (checkpoint.path,) if checkpoint.form == "file" else ()
    return tuple(file for part in checkpoint.folder.components.values() for file in part.weights)


def with_facts(model: Model, beside: frozenset[str], converted: Converted | None = None) -> Model:
    """With what its header says, or that of the copy into which it was `converted`; what is wrong with it becomes its
    problem."""
    if converted is not None:
        if converted.reason == WAITING:
            return replace(model, problem=ModelConverting(model=model.id))
        if converted.path is None:
            return replace(model, problem=_problem(model, converted.reason or "pickled", {}))
        read = with_facts(replace(model, path=converted.path), frozenset())
        return replace(
            read, path=model.path, words=words_of(model.path, {}), has_preview=has_preview(model.path, {}, beside)
        )
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
            return replace(model, family=lora.family, widths=widths, made_for=lora.made_for, problem=problem)
        case "embedding":
            embedding = read_embedding(model.name, model.path, (0, 0))
            return replace(model, widths=tuple(embedding.widths.values()))
        case "vae":
            return replace(model, widths=(_latent_channels(headers),))
        case "upscaler":
            return replace(model, family=next((upscaler_in(header.tensors) for header in headers), None))
    return model


def _latent_channels(headers: list[Header]) -> int:
    """Raises Unrecognised for what is no VAE of pictures."""
    for header in headers:
        if (channels := latent_channels(header)) is not None:
            return channels
    raise Unrecognised("no_vae")


def _problem(model: Model, reason: str, details: Mapping[str, Detail]) -> ModelUnusable:
    return ModelUnusable(model=model.id, reason=reason, **details)


def _names(folder: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()


def weight_files(path: Path) -> list[Path]:
    """The file itself, or those of a folder."""
    return sorted(path.glob("*.safetensors")) if path.is_dir() else [path]


def size_bytes(path: Path) -> int:
    """Of a file, or of all in a folder."""
    try:
        if not path.is_dir():
            return path.stat().st_size
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    except OSError:
        return 0
