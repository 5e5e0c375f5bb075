"""What the check of a prompt finds. Notes carry codes and values; the doors word them (`note.<code>`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from webui.errors import Detail

Level = Literal["error", "warning", "hint"]


@dataclass(frozen=True, kw_only=True)
class Note:
    """One remark. `start` and `end` are characters of the prompt, where it is about a part of it.

    An `error` keeps the job from being submitted; a `warning` says that something will not do what it looks like; a
    `hint` is worth knowing.
    """

    code: str
    level: Level
    start: int | None = None
    end: int | None = None
    details: dict[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ChunkInfo:
    """One pass of the text encoder: how many of its 75 places are taken, and the character at which it begins, where
    that can be said."""

    tokens: int
    start: int | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """`tokens` is None where no tokenizer is at hand; `chunks` is empty where they cannot be told."""

    tokens: int | None
    chunks: tuple[ChunkInfo, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Both prompts of a request."""

    prompt: Report
    negative_prompt: Report
