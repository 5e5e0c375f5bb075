"""A setting that has nothing to say beside the others, as data: the page greys it out and gives the reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class InactiveSetting:
    """A setting that is refused or has no effect wherever the others are as it says; `reason` is a sentence's code.

    `when`: fields that have one of these values; `at_most`, `at_least`: fields with no more and no less than this;
    `beside`: fields of which one at least is set; `without`: fields of which none is.
    """

    field: str
    reason: str
    when: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    at_most: Mapping[str, float] = dataclasses.field(default_factory=dict)
    at_least: Mapping[str, float] = dataclasses.field(default_factory=dict)
    beside: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
