"""What one download is to bring: things for the models folder, each with its files. Plain data that is kept on disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from webui.downloads.files import RemoteFile

Kind = Literal["checkpoint", "lora", "embedding", "vae", "control", "upscaler"]
FOLDERS: dict[Kind, str] = {
    "checkpoint": "",
    "lora": "loras",
    "embedding": "embeddings",
    "vae": "vae",
    "control": "controlnet",
    "upscaler": "upscale_models",
}  # below models/


@dataclass(frozen=True, kw_only=True)
class PlannedFile:
    """A file, and its path inside the folder that it is a part of; "" where it is a thing by itself."""

    path: str
    file: RemoteFile


@dataclass(frozen=True, kw_only=True)
class Item:
    """A folder or a single file. `name` has no suffix; `kind` is what its source says; a file's header overrules it.

    `note` goes into the small file beside it (`webui/checkpoints/notes.py`).
    """

    name: str
    kind: Kind | None
    files: tuple[PlannedFile, ...]
    note: dict[str, Any] = field(default_factory=dict)

    @property
    def is_folder(self) -> bool:
        """Whether it is a diffusers folder."""
        return any(planned.path for planned in self.files)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One download. `license` is the repository's word for its terms, None where it says none."""

    name: str
    source: dict[str, Any]
    items: tuple[Item, ...]
    repository: str | None = None
    revision: str | None = None
    license: str | None = None
    is_gated: bool = False

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """Each once, however often it is used."""
        return tuple({planned.file.key: planned.file for item in self.items for planned in item.files}.values())

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return sum(file.size_bytes for file in self.files)
