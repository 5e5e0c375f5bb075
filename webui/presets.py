"""Looks, surprises and style pictures: what is in `presets/`, as data.

A look wraps a prompt (`{prompt}` is where it goes) and adds to the negative prompt; a surprise is a ready-made prompt.
Both exist in English and Simplified Chinese. Knows no torch, no gradio.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webui.requests.diffusion import LookText
from webui.requests.field_types import is_chinese


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look. `name` and `name_zh` are its labels; each template contains `{prompt}` exactly once."""

    id: str
    name: str
    name_zh: str
    prompt: str
    prompt_zh: str
    negative_prompt: str = ""
    negative_prompt_zh: str = ""

    def __post_init__(self) -> None:
        for template in (self.prompt, self.prompt_zh):
            if template.count("{prompt}") != 1:
                raise ValueError(f"look {self.id!r}: {template!r} must hold {{prompt}} exactly once")

    def text_for(self, prompt: str) -> LookText:
        """The look's text, in the prompt's own language."""
        if is_chinese(prompt):
            return LookText(name=self.id, prompt=self.prompt_zh, negative_prompt=self.negative_prompt_zh)
        return LookText(name=self.id, prompt=self.prompt, negative_prompt=self.negative_prompt)


@dataclass(frozen=True, kw_only=True)
class Surprise:
    """A ready-made prompt for *Surprise me*."""

    prompt: str
    prompt_zh: str


@dataclass(frozen=True, kw_only=True)
class GalleryStyle:
    """A style picture to start with, drawn by `presets/styles/recipe`. `name` and `name_zh` are its labels."""

    id: str
    name: str
    name_zh: str
    picture: Path


class Presets:
    """Everything in the presets folder, read once. Raises ValueError for an invalid file."""

    def __init__(self, folder: Path) -> None:
        self.looks: tuple[Look, ...] = tuple(Look(**_read(path)) for path in sorted((folder / "looks").glob("*.json")))
        surprises = folder / "surprises.json"
        self.surprises: tuple[Surprise, ...] = (
            tuple(Surprise(**row) for row in _read(surprises)) if surprises.exists() else ()
        )
        gallery = folder / "styles" / "styles.json"
        rows = _read(gallery) if gallery.exists() else ()
        self.styles = tuple(GalleryStyle(**row, picture=gallery.with_name(f"{row['id']}.webp")) for row in rows)
        by_id = {look.id: look for look in self.looks}
        if len(by_id) != len(self.looks):
            raise ValueError(f"two looks in {folder} share an id")
        labels = {label.casefold(): look for look in self.looks for label in (look.name, look.name_zh)}
        self._by_name = labels | {id.casefold(): look for id, look in by_id.items()}

    def look(self, name: str) -> Look | None:
        """The look with this id or label, whatever its case; None if there is none (any more)."""
        return self._by_name.get(name.strip().casefold())


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
