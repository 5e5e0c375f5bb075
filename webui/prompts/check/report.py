"""The result of checking a prompt. Notes have codes and values; `note.<code>` is the sentence that the page and API
show.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from webui.errors import Detail

Level = Literal["error", "warning", "hint"]


@dataclass(frozen=True, kw_only=True)
class Note:
    """One note. `start` and `end` are indices of characters in the prompt, if it is about a part of it.

    An `error` prevents the job from being submitted; a `warning` says that something will not do what it seems to do; a
    `hint` is worth knowing.
    """

    code: str
    level: Level
    start: int | None = None
    end: int | None = None
    details: dict[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ChunkInfo:
    """One pass of the text encoder: how many of its 75 places are used, and the character at which
    it begins, if known.
    """

    tokens: int
    start: int | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result for one prompt. `tokens` is None without a tokenizer; `chunks` is empty if they are unknown."""

    tokens: int | None
    chunks: tuple[ChunkInfo, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The results for both prompts of a request."""

    prompt: Report
    negative_prompt: Report
