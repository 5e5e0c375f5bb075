"""Foreign names and values as fields of our request: what fits, what is known but does not fit, and what is unknown.

Each value is tried against the field's own declaration, so nothing is used that a request would refuse. Knows no files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from webui.requests.diffusion import ImageToImage, TextToImage
from webui.requests.field_types import clean_text
from webui.requests.style_transfer import StyleTransfer

MAX_UNKNOWN = 60
MAX_NAME_CHARACTERS = 80
MAX_VALUE_CHARACTERS = 4_000  # a list of Civitai's resources has about a thousand
_ANY_PICTURE = "sha256:" + "0" * 64

# (hash or None, name or None) → the id of a checkpoint that is here, and whether its hash says so too
FindCheckpoint = Callable[[str | None, str | None], tuple[str, bool | None] | None]
# an id or a file's name → the id of a VAE that is here
FindVae = Callable[[str], str | None]


def no_vae(_name: str) -> str | None:
    """Where there are no VAEs."""
    return None


@dataclass(frozen=True, kw_only=True)
class Note:
    """A remark for people; `code` names its sentence, `details` fills its blanks."""

    code: str
    details: dict[str, str | int | float] = field(default_factory=dict)


@dataclass(kw_only=True)
class Findings:
    """What has been found while a text is read."""

    settings: dict[str, Any] = field(default_factory=dict)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def set(self, name: str, value: Any, said_as: str, said: Any = None) -> None:
        """Sets the field `name` if it takes `value`; else `said_as` is listed as unknown, with what the text says."""
        if value is not None and fits(name, value):
            self.settings[name] = clean_text(value) if isinstance(value, str) else value
        else:
            self.refuse(said_as, value if said is None else said)

    def refuse(self, name: str, value: Any) -> None:
        """Lists a name and value as unknown."""
        if len(self.unknown) < MAX_UNKNOWN:
            shown = clean_text(str(value)[:MAX_VALUE_CHARACTERS])
            self.unknown.append((clean_text(name[:MAX_NAME_CHARACTERS]), shown))

    def note(self, code: str, **details: str | int | float) -> None:
        """Adds a note, once."""
        found = Note(code=code, details=details)
        if found not in self.notes:
            self.notes.append(found)


def fits(name: str, value: Any) -> bool:
    """Whether a request takes this value in this field."""
    try:
        if name in ImageToImage.__dataclass_fields__ and name not in TextToImage.__dataclass_fields__:
            ImageToImage(**{"init_image": _ANY_PICTURE, name: value})
        elif name in StyleTransfer.__dataclass_fields__ and name not in TextToImage.__dataclass_fields__:
            StyleTransfer(content_image=_ANY_PICTURE, style_image=_ANY_PICTURE, **{name: value})
        else:
            TextToImage(**{name: value})
    except (ValidationError, TypeError):
        return False
    return True


def whole(text: Any) -> int | None:
    """`20`, `"20"`, `20.0` → 20; None if it is not a whole number of sensible length."""
    number = decimal(text)
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    if isinstance(text, str) and text.strip().lstrip("-").isdecimal() and len(text) <= 20:
        return int(text)
    return int(number) if number is not None and number.is_integer() and abs(number) < 2**53 else None


def decimal(text: Any) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(text, bool) or not isinstance(text, str | int | float) or (isinstance(text, str) and len(text) > 40):
        return None
    try:
        number = float(text)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e300 else None


def set_size(findings: Findings, width: Any, height: Any) -> None:
    """Sets both sides, each rounded to the nearest multiple of 8; unknown if one is out of bounds."""
    sides = whole(width), whole(height)
    rounded = [None if side is None else (side + 4) // 8 * 8 for side in sides]
    if None in sides or not all(fits("width", side) for side in rounded):
        findings.refuse("Size", f"{str(width)[:20]}x{str(height)[:20]}")
        return
    findings.settings["width"], findings.settings["height"] = rounded
    if list(sides) != rounded:
        findings.note("size_rounded", width=str(width), height=str(height))


def set_checkpoint(findings: Findings, find: FindCheckpoint, hash: str | None, name: str | None) -> None:
    """Sets the checkpoint with that hash or name, if it is here."""
    if not hash and not name:
        return
    found = find(hash, name)
    if found is None:
        findings.refuse("Model", " ".join(filter(None, (name, f"[{hash}]" if hash else None))))
        return
    findings.settings["checkpoint"], is_same = found
    if is_same is False:
        findings.note("other_hash", checkpoint=found[0], hash=str(hash)[:64])
    elif is_same is None:
        findings.note("by_name_alone", checkpoint=found[0])
