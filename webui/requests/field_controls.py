"""Where on the page a field's control is and what kind it is, or why it has none: markers for declarations.

Within a group, controls are in the order in which their fields are declared. A label's key is its field's name. Knows
no field and no page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Group(StrEnum):
    """The groups of controls on the page."""

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
    """A marker in a field's declaration: its control is in this group, and `beside` the one before it or below.

    `kind` is given if it does not follow from the type. `empty` is the key of the text in an empty number box, for a
    field that may be left open.
    """

    group: Group
    kind: Kind | None = None
    beside: bool = False
    empty: str = ""


@dataclass(frozen=True)
class WithoutControl:
    """A marker in a field's declaration: no control on the page sets it, for this reason.

    Unless `is_told`, the page does not show it among the settings of a picture, either.
    """

    reason: str
    is_told: bool = True


@dataclass(frozen=True)
class ProperNames:
    """A marker beside a type whose values have names that are the same in every language."""

    names: Mapping[str, str] = field(hash=False)
