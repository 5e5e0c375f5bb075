"""What another program says about a picture, under one set of names, and how it is taken from JSON.
Knows no program.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from webui.metadata.embedded_texts import MAX_TEXT_BYTES

Texts = Mapping[str, str]
PASTED = ""  # the name of a text that was pasted
MAX_LORAS = 50
_SIZE = re.compile(r"\D{0,3}(\d{1,6})\s*[x×,]\s*(\d{1,6})\D{0,3}")


@dataclass(kw_only=True)
class Described:
    """`values` as they were written, by the names of our fields and `sampler schedule checkpoint checkpoint_hash`;
    `names` are what the program itself calls them. `rest` holds what has no such name.
    """

    source: str
    values: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    loras: list[tuple[str, str]] = field(default_factory=list)
    rest: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def note(self, code: str) -> None:
        """Adds a note, by the code of its sentence."""
        self.notes.append(code)


def json_in(texts: Texts, *names: str) -> dict[str, Any]:
    """The object in the first text with one of these names that is one; empty if there is none."""
    for name in (*names, PASTED):
        text = texts.get(name, "")
        if text.lstrip().startswith("{") and len(text) <= MAX_TEXT_BYTES:
            try:
                return dict(json.loads(text))
            except (ValueError, RecursionError):
                continue
    return {}


def dict_of(value: Any) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """The first entries of `value`, at most as many as a prompt may have LoRAs; empty if it is not a list."""
    return value[:MAX_LORAS] if isinstance(value, list) else []


def taken(source: str, said: Mapping[str, Any], ours: Mapping[str, str], left_out: tuple[str, ...] = ()) -> Described:
    """The values under known names, and whatever else is not empty as the rest."""
    found, known = Described(source=source), frozenset(left_out)
    for name, value in said.items():
        field_name = ours.get(name)
        if field_name is not None and value is not None and field_name not in found.values:
            found.values[field_name], found.names[field_name] = value, name
        elif field_name is None and name not in known and value not in (None, "", False, [], {}, "None"):
            found.rest[name] = value
    return found


def set_sides(found: Described, said: Any) -> None:
    """Reads `1152x896`, `(1152, 896)` or `[1152, 896]` as width and height; anything else stays as it is."""
    sides = _SIZE.fullmatch(str(said)[:40])
    if sides:
        found.values |= {"width": sides[1], "height": sides[2]}
    elif said is not None:
        found.rest["Size"] = said
