"""Where the critics are, the models that judge how well a picture fits its prompt. Looks only at file names.

A critic is a CLIP model as `CLIPModel.save_pretrained` writes it, with its tokenizer and `preprocessor_config.json`: a
checkpoint's own `clip/`, which reads the same prompts as the checkpoint, or a folder below `models/clip/`. Knows no
torch: the page asks whether there is one, and the engine loads it.
"""

from __future__ import annotations

import json
from pathlib import Path

from webui.checkpoints.catalogue import Checkpoint
from webui.errors import CriticMissing

FOLDER = "clip"  # in a checkpoint's folder, and in models/
_FILES = ("config.json", "preprocessor_config.json")
_MAX_CONFIG_BYTES = 1 << 20  # CLIP's configs have a few thousand


def find_critics(checkpoint: Path, models_dir: Path) -> list[Path]:
    """The folders of CLIP models that can judge the pictures of `checkpoint`: its own first, then those in
    `models/clip/`.
    """
    shared = models_dir / FOLDER
    inner = sorted(place for place in shared.iterdir() if not place.name.startswith(".")) if shared.is_dir() else []
    return [place for place in (checkpoint / FOLDER, shared, *inner) if _is_critic(place)]


def critic_for(checkpoint: Checkpoint, models_dir: Path) -> Path:
    """The critic for the pictures of `checkpoint`. Raises CriticMissing, which says where to put one."""
    found = find_critics(checkpoint.path, models_dir)
    if not found:
        raise CriticMissing(checkpoint=checkpoint.id, folder=f"{models_dir.name}/{FOLDER}")
    return found[0]


def critic_id(place: Path, models_dir: Path) -> str:
    """A critic's name in answers and metadata: its path below the models folder, with `/`."""
    return place.relative_to(models_dir).as_posix() if place.is_relative_to(models_dir) else place.name


def critic_id_for(checkpoint: Checkpoint, models_dir: Path) -> str | None:
    """The name of the critic for the pictures of `checkpoint`; None if there is none."""
    found = find_critics(checkpoint.path, models_dir)
    return critic_id(found[0], models_dir) if found else None


def _is_critic(place: Path) -> bool:
    """Whether the files are there, including weights, and the config says that it is a whole CLIP, not one of its
    towers.
    """
    if not all((place / name).is_file() for name in _FILES) or not any(place.glob("*.safetensors")):
        return False
    config = place / "config.json"
    try:
        said = json.loads(config.read_text("utf-8")) if config.stat().st_size <= _MAX_CONFIG_BYTES else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(said, dict) and said.get("model_type") == "clip"
