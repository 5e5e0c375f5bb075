"""What saved pictures are called: a pattern with a few parts in braces, and names that every system takes.

A prompt may hold anything; nothing of it can lead to another folder, hide an ending or name a device of Windows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal, get_args

Part = Literal["date", "time", "seed", "prompt", "checkpoint", "id"]
PARTS: tuple[Part, ...] = get_args(Part)
DEFAULT_PATTERN = "darkroom-{seed}"
_MAX_PART_CHARACTERS = 60  # of a prompt; the others are shorter
_MAX_BYTES = 180  # of a name without its ending: file systems take 255, and browsers add " (1)"
_PART = re.compile(r"\{([^{}]*)\}")
_REFUSED = frozenset('<>:"/\\|?*{}%')  # by Windows; the braces are ours, and some servers decode what follows a percent
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.IGNORECASE)


def check_pattern(pattern: str) -> None:
    """Raises ValueError for a pattern with an unknown part, a lone brace, or a sign that no file name may have."""
    unknown = [part for part in _PART.findall(pattern) if part not in PARTS]
    rest = _PART.sub("", pattern)
    if unknown:
        raise ValueError(f"there is no part {{{unknown[0][:40]}}}")
    if not pattern.strip() or _plain(rest) != rest:
        raise ValueError("a file name cannot have all of these signs")


def file_name(pattern: str, values: Mapping[Part, str]) -> str:
    """The name without its ending; `values` are what the parts stand for, "" for one that is missing.

    >>> file_name("{seed} {prompt}", {"seed": "7", "prompt": "../a lake\\n"})
    '7 a lake'
    """
    filled = _PART.sub(lambda found: _cut(_plain(_value(values, found[1])).strip(" ."), _MAX_PART_CHARACTERS), pattern)
    name = " ".join(_plain(filled).split()).strip(" .-_~")
    while len(name.encode()) > _MAX_BYTES:
        name = name[:-1].rstrip(" .-_")
    return f"_{name}" if _DEVICES.match(name) else name or "darkroom"


def _value(values: Mapping[Part, str], part: str) -> str:
    return next((value for name, value in values.items() if name == part), "")


def _plain(text: str) -> str:
    """Without what no file name may have: controls, signs that turn the writing around, halves of characters."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(" " if sign in _REFUSED or unicodedata.category(sign)[0] in "CZ" else sign for sign in composed)


def _cut(text: str, most: int) -> str:
    """At the end of a word, if there is one in the second half."""
    if len(text) <= most:
        return text
    words, space, _ = text[: most + 1].rpartition(" ")
    return words.rstrip() if space and len(words) > most // 2 else text[:most]
