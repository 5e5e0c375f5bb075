"""The folders that models lie in: our own, and other programs' folders, which are read in place and never written.

AUTOMATIC1111, Forge, ComfyUI and InvokeAI keep each kind of model in a folder of a known name; ComfyUI's
`extra_model_paths.yaml` names more, and InvokeAI's database says what its folders without such a name hold. Looks at
names of folders only.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import yaml  # type: ignore[import-untyped]

from webui.checkpoints.invokeai import read_records

Kind = Literal["checkpoint", "lora", "embedding", "vae", "upscaler", "control", "adapter", "clip", "detector"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# What each kind's folder is called, here and in the programs above; in lower case.
FOLDERS: dict[Kind, tuple[str, ...]] = {
    "lora": ("loras", "lora", "lycoris"),
    "embedding": ("embeddings", "embedding", "textual_inversion"),
    "vae": ("vae",),
    "upscaler": ("upscale_models", "upscalers", "esrgan", "realesrgan", "swinir", "hat", "dat", "scunet"),
    "control": ("controlnet", "control_lora", "t2i_adapter"),
    "adapter": ("ip-adapter", "ip_adapter", "ipadapter", "style_models"),
    "clip": ("clip", "clip_vision", "clip_embed", "text_encoder", "text_encoders"),
    "detector": ("detectors", "adetailer", "ultralytics", "sams"),
}
# InvokeAI's types, where they are called otherwise; what is not here or above is not listed.
_INVOKE_TYPES: dict[str, Kind] = {
    "main": "checkpoint",
    "control_lora": "control",
    "flux_redux": "adapter",
    "qwen3_encoder": "clip",
    "siglip": "clip",
    "spandrel_image_to_image": "upscaler",
    "t5_encoder": "clip",
}
_CHECKPOINT_FOLDERS = ("checkpoints", "stable-diffusion")
_KIND_OF = {name: kind for kind, names in FOLDERS.items() for name in names}
# Neither checkpoints nor anything else that is listed.
_UNLISTED = frozenset(
    {
        "blip", "codeformer", "controlnetpreprocessor", "deepbooru", "gfpgan", "hypernetworks", "ldsr", "midas",
        "photomaker", "style", "taesd", "tokenizers", "torch_deepdanbooru", "vae-approx", "vae_approx", "vgg19",
    }
)  # fmt: skip
NOT_SEARCHED = frozenset({*_KIND_OF, *_UNLISTED})  # for checkpoints
_KIND_DEPTH = 2  # folders below a place in which a name says the kind: InvokeAI has `models/sdxl/lora/`
COMFYS_FILE = "extra_model_paths.yaml"
MAX_COMFYS_BYTES = 2**20
_USUAL = ("stable-diffusion-webui", "stable-diffusion-webui-forge", "ComfyUI", "Documents/ComfyUI", "invokeai")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Root:
    """A folder of a place. `prefix` is what the ids of what lies in it begin with; `kind` where all in it is of one.
    `only` are names of folders in it that alone count, None for all; `without` are those that do not.
    """

    folder: Path
    prefix: str = ""
    kind: Kind | None = None
    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Itself, or what alone counts in it."""
        return (self.folder,) if self.only is None else tuple(self.folder / name for name in sorted(self.only))

    def has(self, path: Path) -> bool:
        """Whether a folder in it counts."""
        name = path.relative_to(self.folder).parts[0]
        return name not in self.without and (self.only is None or name in self.only)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder of models, `name` empty for our own; every other is read-only. `origin` is what a person named: the
    folder, the program that it belongs to, or the file that lists it. `names` are those that people gave to models
    there, by path.
    """

    name: str
    path: Path
    origin: Path
    roots: tuple[Root, ...]
    names: Mapping[Path, str] = field(default_factory=dict, repr=False)

    @property
    def is_read_only(self) -> bool:
        """Whether it belongs to another program."""
        return bool(self.name)

    @property
    def is_there(self) -> bool:
        """Whether its folder exists at this moment: it may lie on a disk that was pulled out."""
        return self.path.exists()

    def id_of(self, root: Root, path: Path, suffix: str = "") -> str:
        """What something in it is called: its path without suffix, behind the place's name where that is another's."""
        below = path.relative_to(root.folder).as_posix().removesuffix(suffix)
        return f"{self.name}:{root.prefix}{below}" if self.name else root.prefix + below


def own_place(models_dir: Path) -> Place:
    """Our own folder."""
    return Place(name="", path=models_dir, origin=models_dir, roots=(Root(models_dir),))


def other_places(folders: Sequence[Path]) -> tuple[Place, ...]:
    """The places behind other programs' folders, each with a name of its own."""
    found: list[Place] = []
    for folder in folders:
        for name, path, roots, names in _read_place(folder):
            found.append(Place(name=_free_name(name, found), path=path, origin=folder, roots=roots, names=names))
    return tuple(found)


def kind_roots(place: Place, kind: Kind) -> Iterator[Root]:
    """The folders of a place that hold one kind, not checkpoints."""
    for root in place.roots:
        if root.kind is not None:
            if root.kind == kind:
                yield root
            continue
        for folder in _folders_of_kinds(root.folder, 0 if place.is_read_only else 1):
            if _KIND_OF[folder.name.casefold()] == kind and root.has(folder):
                yield Root(folder, f"{root.prefix}{folder.relative_to(root.folder).as_posix()}/", kind)


def is_for_checkpoints(path: Path, root: Root, place: Place) -> bool:
    """Whether checkpoints are looked for in a folder. In our own, other kinds lie in folders directly below it."""
    depth = len(path.relative_to(root.folder).parts)
    is_known = path.name.casefold() in NOT_SEARCHED
    return root.has(path) and not (is_known and depth <= (_KIND_DEPTH if place.is_read_only else 1))


def usual_folders(taken: Sequence[Path], home: Path) -> tuple[Path, ...]:
    """Folders of other programs that are in the usual places below `home` and not used yet."""
    known = {_real(path) for path in taken}
    there = (home / name for name in _USUAL)
    return tuple(path for path in there if _has_models(path) and _real(path) not in known)


def _has_models(path: Path) -> bool:
    try:
        return (path / "models").is_dir()
    except OSError:  # somebody else's home
        return False


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _folders_of_kinds(folder: Path, most: int, depth: int = 1) -> Iterator[Path]:
    """Folders whose name says a kind, at most `most` or, where that is 0, _KIND_DEPTH folders deep."""
    try:
        with os.scandir(folder) as entries:
            inner = sorted(entry.path for entry in entries if not entry.name.startswith(".") and entry.is_dir())
    except OSError:
        return
    for path in map(Path, inner):
        if path.name.casefold() in _KIND_OF:
            yield path
        elif depth < (most or _KIND_DEPTH) and path.name.casefold() not in (*_UNLISTED, *_CHECKPOINT_FOLDERS):
            yield from _folders_of_kinds(path, most, depth + 1)


_Read = tuple[str, Path, tuple[Root, ...], Mapping[Path, str]]


def _read_place(folder: Path) -> Iterator[_Read]:
    """(name, path, roots, names of models) of each place that a folder, or ComfyUI's file, stands for."""
    if folder.name == COMFYS_FILE:
        yield from _comfys_sections(folder)
        return
    name = folder.parent.name if folder.name.casefold() == "models" else folder.name
    program = folder.parent if folder.name.casefold() == "models" else folder
    models = folder if program is not folder else folder / "models" if (folder / "models").is_dir() else folder
    roots, names = _by_database(program, models) if models != program else ([Root(models)], {})
    beside = program / "embeddings"  # where AUTOMATIC1111 keeps them
    if models != program and beside.is_dir():
        roots.append(Root(beside, "embeddings/", "embedding"))
    yield name, models, tuple(roots), names
    if (program / COMFYS_FILE).is_file() and models != program:
        yield from _comfys_sections(program / COMFYS_FILE)


def _by_database(program: Path, models: Path) -> tuple[list[Root], dict[Path, str]]:
    """The roots, one for each kind of which InvokeAI's database knows folders, and the names that it knows."""
    records = read_records(program)
    of_kind: dict[Kind, set[str]] = {}
    without = set()
    for folder, type in records.types.items():
        kind = _INVOKE_TYPES.get(type) or _KIND_OF.get(type)
        if kind != "checkpoint":
            without.add(folder)
        if kind is not None and kind != "checkpoint":
            of_kind.setdefault(kind, set()).add(folder)
    roots = [Root(models, without=frozenset(without))]
    roots += [Root(models, kind=kind, only=frozenset(folders)) for kind, folders in of_kind.items()]
    return roots, {models / path: name for path, name in records.names.items()}


def _comfys_sections(file: Path) -> Iterator[_Read]:
    """Each section is a base folder and, by kind, folders below it, one a line."""
    for name, section in _read_yaml(file).items():
        if not isinstance(section, dict):
            continue
        base = file.parent / Path(str(section.get("base_path") or ".")).expanduser()
        roots = []
        for key, value in section.items():
            kind = "checkpoint" if str(key).casefold() in _CHECKPOINT_FOLDERS else _KIND_OF.get(str(key).casefold())
            if kind is None or not isinstance(value, str):
                continue
            for line in filter(None, map(str.strip, value.splitlines())):
                roots.append(Root(base / Path(line).expanduser(), f"{key}/", kind))
        if roots:
            yield str(name), base, _with_prefixes(roots), {}


def _with_prefixes(roots: list[Root]) -> tuple[Root, ...]:
    """Several folders of one kind are told apart by their own names."""
    counts = [root.prefix for root in roots]
    return tuple(
        Root(
            root.folder,
            f"{root.prefix}{root.folder.name}/" if counts.count(root.prefix) > 1 else root.prefix,
            root.kind,
        )
        for root in roots
    )


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > MAX_COMFYS_BYTES:
            raise ValueError("too large")
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        _log.warning("cannot read %s: %s", file, error)
        return {}
    return found if isinstance(found, dict) else {}


def _free_name(name: str, taken: Sequence[Place]) -> str:
    """A name without what ids are cut at."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "models"
    names = {place.name for place in taken}
    number = 2
    free = plain
    while free in names:
        free, number = f"{plain}-{number}", number + 1
    return free
