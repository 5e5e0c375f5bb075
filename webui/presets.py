"""Looks, surprises and style pictures: what lies in `presets/` as data.

A look wraps a prompt (`{prompt}` is where it goes) and adds to the negative prompt; a surprise is a ready prompt. Both
exist in English and Simplified Chinese. Knows no torch, no gradio.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look. `name` and `name_zh` are its labels; the templates hold `{prompt}` exactly once."""

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

    def apply(self, prompt: str, negative_prompt: str = "") -> tuple[str, str]:
        """The prompts with this look, in the prompt's own language.

        An empty prompt leaves the look's words alone; an empty look never leaves a leading comma.
        """
        is_chinese = _HAN.search(prompt) is not None
        template = self.prompt_zh if is_chinese else self.prompt
        extra = self.negative_prompt_zh if is_chinese else self.negative_prompt
        positive = template.replace("{prompt}", _closed(prompt.strip(" ,，"))).strip(" ,，")
        comma = "，" if is_chinese else ", "
        return positive, comma.join(_closed(part) for part in (negative_prompt.strip(" ,，"), extra) if part)


@dataclass(frozen=True, kw_only=True)
class Surprise:
    """A ready prompt for *Surprise me*."""

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
    """Everything in the presets folder, read once. Raises ValueError for a file that is not as it should be."""

    def __init__(self, folder: Path) -> None:
        self.looks: tuple[Look, ...] = tuple(Look(**_read(path)) for path in sorted((folder / "looks").glob("*.json")))
        surprises = folder / "surprises.json"
        self.surprises: tuple[Surprise, ...] = (
            tuple(Surprise(**row) for row in _read(surprises)) if surprises.exists() else ()
        )
        gallery = folder / "styles" / "styles.json"
        rows = _read(gallery) if gallery.exists() else ()
        self.styles = tuple(GalleryStyle(**row, picture=gallery.with_name(f"{row['id']}.webp")) for row in rows)
        self._by_id = {look.id: look for look in self.looks}
        if len(self._by_id) != len(self.looks):
            raise ValueError(f"two looks in {folder} share an id")

    def look(self, id: str) -> Look | None:
        """The look called `id`; None when there is no such (it may have been removed since the page was opened)."""
        return self._by_id.get(id)


def _closed(text: str) -> str:
    """With its last comment ended: what a look adds behind it must not become part of it."""
    return f"{text}\n" if "#" in text.rpartition("\n")[2] else text


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
