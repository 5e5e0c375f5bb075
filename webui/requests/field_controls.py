"""Where on the page a field's control stands and what kind it is, or why it has none: markers for declarations.

Within a group controls stand in the order in which their fields are declared. A label's key is its field's name. Knows
no field and no page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Group(StrEnum):
    """What stands together on the page."""

    HEADER = "header"
    UPLOADS = "uploads"  # pictures that go in
    WRITING = "writing"
    SIZE = "size"
    AMOUNT = "amount"
    EFFORT = "effort"
    SEED = "seed"
    SAMPLING = "sampling"  # a fold
    PICTURE = "picture"  # what becomes of the picture that goes in
    MASKING = "masking"  # in sight once there is a mask
    FRAMING = "framing"  # a fold, and in it the next
    SIDES = "sides"
    STYLE = "style"
    STYLING = "styling"  # a fold


# `chips` and `list` offer words, one of which is chosen; `json` is a control of our own for all else.
Kind = Literal["slider", "number", "chips", "list", "checkbox", "text", "picture", "json"]


@dataclass(frozen=True)
class Control:
    """Stands in a field's declaration: its control is in this group, `beside` the one before or below it.

    `kind` is said where it does not follow from the type. `empty` is the key of what its number box says while nothing
    is in it, for a field that may be left open.
    """

    group: Group
    kind: Kind | None = None
    beside: bool = False
    empty: str = ""


@dataclass(frozen=True)
class WithoutControl:
    """Stands in a field's declaration: nothing on the page sets it, for this reason.

    Where it is not `is_told`, it is not among what the page says of how a picture was made, either.
    """

    reason: str
    is_told: bool = True


@dataclass(frozen=True)
class ProperNames:
    """Stands beside a type whose values have names that are the same in every language, by value."""

    names: Mapping[str, str] = field(hash=False)
