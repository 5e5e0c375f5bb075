"""The pyramid: at which sizes the picture is optimised, and how many iterations each of them gets.

Knows no tensors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

COARSEST_SIDE = 96  # pixels: below, a patch of 7 covers so much that the content's shapes get lost (tried at 48)
COARSEST_OF_NOISE = 16  # pixels: features hardly see what is wrong on the large, which noise gets right at small sizes
FACTOR = math.sqrt(2)  # from one scale to the next, as in crowsonkb/style-transfer-pytorch
COARSER_GETS = math.sqrt(1.5)  # times the iterations of the next finer scale, which costs twice as much each
NARROWEST_SIDE = 8  # pixels: a shorter side is never narrower, however long and thin the content is


@dataclass(frozen=True)
class Scale:
    """One level: its longest side in pixels, and its iterations."""

    side: int
    iterations: int


def plan_scales(size: int, iterations: int, coarsest: int = COARSEST_SIDE) -> tuple[Scale, ...]:
    """The levels from coarse to fine, each √2 times as large as the one before; the last has `size`.

    Their iterations add up to `iterations`. No level is smaller than `coarsest` unless it is the only one. With fewer
    iterations than levels, the coarsest levels are left out.

    >>> plan_scales(192, 60)
    (Scale(side=96, iterations=25), Scale(side=136, iterations=19), Scale(side=192, iterations=16))
    """
    levels = 1 + max(0, math.floor(math.log(size / coarsest, FACTOR) + 1e-9))
    levels = min(levels, iterations)
    sides = [round(size / FACTOR**level) for level in reversed(range(levels))]
    weights = [COARSER_GETS**level for level in reversed(range(levels))]
    counts = [max(1, int(iterations * weight / sum(weights))) for weight in weights]
    counts[0] += iterations - sum(counts)  # what rounding left over goes where it is cheapest
    while counts[0] < 1:  # so few that one for each of the finer ones took what was the coarsest's
        largest = counts.index(max(counts))
        counts[largest] -= 1
        counts[0] += 1
    return tuple(Scale(side, count) for side, count in zip(sides, counts, strict=True))


def fitted_size(width: int, height: int, side: int) -> tuple[int, int]:
    """(width, height) with the longest side `side` and the same aspect ratio, rounded to pixels.

    >>> fitted_size(640, 427, 384)
    (384, 256)
    """
    scale = side / max(width, height)
    return max(NARROWEST_SIDE, round(width * scale)), max(NARROWEST_SIDE, round(height * scale))
