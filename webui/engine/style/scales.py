"""The pyramid: at which sizes the picture is optimised, and how many iterations each of them gets.

Knows no tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

COARSEST_SIDE = 96  # pixels: below, a patch of 7 covers so much that the content's shapes get lost (tried at 48)
COARSER_GETS = 1.5  # times the iterations of the next finer scale, which costs four times as much each
NARROWEST_SIDE = 8  # pixels: a shorter side is never narrower, however long and thin the content is


@dataclass(frozen=True)
class Scale:
    """One level: its longest side in pixels, and its iterations."""

    side: int
    iterations: int


def plan_scales(size: int, iterations: int) -> tuple[Scale, ...]:
    """Levels from coarse to fine, each twice the one before; the last has `size`, all iterations sum to `iterations`.

    With fewer iterations than levels, the coarsest levels are left out.

    >>> plan_scales(384, 200)
    (Scale(side=96, iterations=95), Scale(side=192, iterations=63), Scale(side=384, iterations=42))
    """
    sides = [size]
    while sides[0] // 2 >= COARSEST_SIDE and len(sides) < iterations:
        sides.insert(0, sides[0] // 2)
    weights = [COARSER_GETS**level for level in reversed(range(len(sides)))]
    counts = [max(1, int(iterations * weight / sum(weights))) for weight in weights]
    counts[0] += iterations - sum(counts)  # what rounding left over goes where it is cheapest
    return tuple(Scale(side, count) for side, count in zip(sides, counts, strict=True))


def fitted_size(width: int, height: int, side: int) -> tuple[int, int]:
    """(width, height) with the longest side `side` and the same aspect ratio, rounded to pixels.

    >>> fitted_size(640, 427, 384)
    (384, 256)
    """
    scale = side / max(width, height)
    return max(NARROWEST_SIDE, round(width * scale)), max(NARROWEST_SIDE, round(height * scale))
