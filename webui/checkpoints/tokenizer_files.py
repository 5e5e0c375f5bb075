"""Where a checkpoint's tokenizer is: in its folder, or for a single file beside it or in `models/tokenizers/`.

Knows no tokenizer and no torch: the engine loads one, and the check of prompts counts with one.
"""

from __future__ import annotations

from pathlib import Path

from webui.checkpoints.catalogue import Checkpoint

FILES = ("vocab.json", "merges.txt")


def find_tokenizer(checkpoint: Checkpoint, name: str, tokenizers_dir: Path) -> Path | None:
    """The first place with the component `name` (`tokenizer`, `tokenizer_2`); None if there is none."""
    places = [checkpoint.path / name] if checkpoint.form == "folder" else _places(checkpoint, name, tokenizers_dir)
    return next((place for place in places if is_tokenizer(place)), None)


def is_tokenizer(folder: Path) -> bool:
    """Whether a folder contains a tokenizer's files."""
    return all((folder / name).is_file() for name in FILES) or (folder / "tokenizer.json").is_file()


def _places(checkpoint: Checkpoint, name: str, tokenizers_dir: Path) -> list[Path]:
    """For a single file, the nearest first; places for one component come before those for all."""
    file, family = checkpoint.path, tokenizers_dir / checkpoint.family
    beside = [file.with_name(f"{file.stem}.components"), file.with_name(f"{file.stem}.tokenizer")]
    return [*(place / name for place in beside), beside[1], file.with_name(name), family / name, family]
