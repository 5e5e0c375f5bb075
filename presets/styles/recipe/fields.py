"""What lies under every style: smooth noise, a flow that strokes follow, and colours that a palette gives to places.

All fields are (SIDE, SIDE) in float32, places in pixels. Knows no brush.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Field = NDArray[np.float32]
Pixels = NDArray[np.float32]  # (SIDE, SIDE, 3) in [0, 1]

SIDE = 512
ROWS, COLUMNS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)


def noise(rng: np.random.Generator, width: float) -> Field:
    """Noise about 0 with unit deviation, its grains `width` pixels wide; it goes on at the edges."""
    field = gaussian_filter(rng.normal(size=(SIDE, SIDE)).astype(np.float32), width, mode="wrap")
    return ((field - field.mean()) / field.std()).astype(np.float32)


def ranks(field: Field) -> Field:
    """The same order of values, spread evenly over [0, 1]."""
    flat = field.ravel()
    order = np.empty(flat.size, np.float32)
    order[flat.argsort(kind="stable")] = np.linspace(0, 1, flat.size, dtype=np.float32)
    return order.reshape(field.shape)


def colours(hexes: str) -> Pixels:
    """`"#102030 #ffffff"` → (N, 3) in [0, 1]."""
    return np.array([[int(one[i : i + 2], 16) / 255 for i in (1, 3, 5)] for one in hexes.split()], np.float32)


def along(palette: Pixels, field: Field) -> Pixels:
    """The palette's colours where the field's values in [0, 1] point to, mixed between neighbours."""
    place = np.clip(field, 0, 1) * (len(palette) - 1)
    low = np.clip(place.astype(int), 0, len(palette) - 2)
    share = (place - low)[..., None].astype(np.float32)
    return palette[low] * (1 - share) + palette[low + 1] * share


def swirls(rng: np.random.Generator, count: int) -> Field:
    """Angles of a flow that turns about `count` centres and else wavers, in radians."""
    x, y = np.ones((SIDE, SIDE), np.float32), 0.4 * noise(rng, 60)
    for _ in range(count):
        row, column = rng.uniform(0, SIDE, 2)
        reach = rng.uniform(45, 110)
        down, right = ROWS - row, COLUMNS - column
        pull = 3.2 * np.exp(-(down**2 + right**2) / (2 * reach**2)) * rng.choice((-1, 1)) / reach
        x, y = x - pull * down, y + pull * right
    return np.arctan2(y, x).astype(np.float32)


def lit(height: Field, strength: float) -> Field:
    """Light from the upper left on a relief, about 0."""
    down, right = np.gradient(height)
    return (-strength * (down + right)).astype(np.float32)


def paper(rng: np.random.Generator, tint: str = "#f6f1e4") -> Pixels:
    """Paper with a fine grain."""
    return colours(tint)[0] * (1 + 0.012 * noise(rng, 0.8) + 0.012 * noise(rng, 9))[..., None]
