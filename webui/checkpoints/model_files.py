"""Which files belong to a model, and what it may be called: what is renamed and deleted together. Knows no torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from webui.checkpoints.model import Model
from webui.checkpoints.places import Place, Root, is_for_checkpoints, kind_roots, own_place
from webui.errors import InvalidRequest

MAX_NAME_CHARACTERS = 200
_REFUSED = frozenset(':*?"<>|\\')  # Windows takes none of them, and ids are cut at colons
# What lies beside `<name>.safetensors` and is about it alone: our own files, other programs', previews.
_ENDINGS = (
    ".json", ".components", ".tokenizer", ".vae.safetensors", ".civitai.info", ".txt",
    *(f"{middle}.{suffix}" for middle in (".preview", "") for suffix in ("png", "jpg", "jpeg", "webp")),
)  # fmt: skip


def files_of(model: Model) -> Iterator[Path]:
    """The file or folder itself, and what lies beside it."""
    yield model.path
    if model.path.suffix and not model.path.is_dir():
        yield from (path for _, path in beside(model.path))


def beside(path: Path) -> Iterator[tuple[str, Path]]:
    """What lies beside a file of weights and is about it alone, each with what follows the file's stem in its name."""
    for ending in _ENDINGS:
        found = path.with_name(path.stem + ending)
        if found.exists():
            yield ending, found


def notes_of(model: Model) -> Path:
    """The small file in which a person says what the weights do not."""
    return model.path / "darkroom.json" if model.path.is_dir() else model.path.with_suffix(".json")


def root_of(model: Model, models_dir: Path) -> Root:
    """The folder that its name begins below: the models folder, or the one of its kind."""
    place = own_place(models_dir)
    if model.kind != "checkpoint":
        for root in kind_roots(place, model.kind):
            if model.path.is_relative_to(root.folder):
                return root
    return place.roots[0]


def renamed_path(model: Model, name: str, models_dir: Path) -> Path:
    """Where the model is to lie under another name: `name` is a path below the folder of its kind; one without "/"
    stays in its folder. Raises InvalidRequest for what cannot be a name."""
    root = root_of(model, models_dir)
    suffix = "" if model.path.is_dir() else model.path.suffix
    parts = [part.strip() for part in name.split("/")]
    if not all(_may_be_name(part) for part in parts) or len(name) > MAX_NAME_CHARACTERS:
        raise InvalidRequest(field="name", reason="model_name")
    folder = model.path.parent if len(parts) == 1 else root.folder.joinpath(*parts[:-1])
    target = folder / (parts[-1] + suffix)
    searched = folder if suffix else target
    if model.kind == "checkpoint" and not _may_hold_checkpoints(searched, root, own_place(models_dir)):
        raise InvalidRequest(field="name", reason="model_folder")
    return target


def _may_be_name(part: str) -> bool:
    is_plain = part.isprintable() and not _REFUSED & set(part)
    return (
        bool(part) and is_plain and not part.startswith(".") and not part.endswith((".", ".components", ".tokenizer"))
    )


def _may_hold_checkpoints(folder: Path, root: Root, place: Place) -> bool:
    """Whether a checkpoint in it would be found again."""
    return all(
        is_for_checkpoints(above, root, place) for above in (folder, *folder.parents) if root.folder in above.parents
    )
