"""Figures with their spread, as lines to read. Knows nothing of what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Repeated measurements of one thing; `goal` is what the project wants of it, in words."""

    name: str
    values: tuple[float, ...]
    unit: str = "s"
    goal: str = ""

    def line(self) -> str:
        """`name  median unit (least–most, n)  goal`."""
        if not self.values:
            return f"{self.name:<52} –"
        middle = statistics.median(self.values)
        spread = f"({min(self.values):.3g}–{max(self.values):.3g}, {len(self.values)}×)" if len(self.values) > 1 else ""
        return f"{self.name:<52} {middle:>8.3g} {self.unit:<9} {spread:<24} {self.goal}".rstrip()


def ratio(name: str, above: Sequence[float], below: Sequence[float], goal: str) -> Figure:
    """How much more `above` is than `below`, pair by pair, in per cent."""
    pairs = zip(above, below, strict=True)
    return Figure(name, tuple(100 * (a / b - 1) for a, b in pairs), "%", goal)
