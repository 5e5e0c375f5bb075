"""Styles made of strokes: what a brush, a needle or a dabbing hand leaves, one after the other, along a flow."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from presets.styles.recipe.fields import SIDE, Field, Pixels, along, colours, lit, noise, ranks, swirls

FINER = 2  # drawn that much larger, for smooth edges


def _inked(colour: Pixels) -> tuple[int, ...]:
    return tuple(int(255 * min(max(float(part), 0), 1)) for part in colour)


def painted(
    rng: np.random.Generator,
    ground: Pixels,
    flow: Field,
    *,
    length: float,
    width: float,
    count: int,
    spread: float,
    bristles: int = 5,
) -> Pixels:
    """`ground` (SIDE, SIDE, 3) painted over with `count` strokes along `flow`; each takes the colour that it starts on.

    `spread` is how far colours stray, in [0, 1]. Every bristle has its own shade, and the paint stands up a little.
    """
    side = SIDE * FINER
    canvas = Image.fromarray((255 * np.clip(ground, 0, 1)).astype(np.uint8)).resize((side, side))
    relief = Image.new("L", (side, side), 128)
    brush, ridge = ImageDraw.Draw(canvas), ImageDraw.Draw(relief)
    for _ in range(count):
        row, column = rng.uniform(0, SIDE, 2)
        colour = ground[int(row), int(column)] + rng.normal(0, spread, 3)
        path = []
        for _ in range(max(2, int(length / 5))):
            path.append((row, column))
            angle = flow[int(row) % SIDE, int(column) % SIDE]
            row, column = row + 5 * np.sin(angle), column + 5 * np.cos(angle)
        across = np.linspace(-0.5, 0.5, bristles) * width
        for offset in across:
            shade = colour * rng.uniform(0.86, 1.12)
            line = [
                (FINER * (c - offset * np.sin(flow[int(r) % SIDE, int(c) % SIDE])),
                 FINER * (r + offset * np.cos(flow[int(r) % SIDE, int(c) % SIDE])))
                for r, c in path
            ]  # fmt: skip
            thick = max(1, round(FINER * width / bristles * 1.5))
            brush.line(line, _inked(shade), thick, joint="curve")
            ridge.line(line, int(rng.uniform(90, 166)), thick, joint="curve")
    picture = np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32) / 255
    height = np.asarray(relief.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32) / 255
    return picture + lit(height, 0.55)[..., None]


def swirling_oil(rng: np.random.Generator) -> Pixels:
    """A night of blues and yellows that turns about itself."""
    flow = swirls(rng, 9)
    palette = colours("#0b1a3f #15357a #2a5fb0 #2a5fb0 #6fa3c9 #d8d9a0 #f3c945 #e8962c")
    return painted(
        rng, along(palette, ranks(noise(rng, 34)) ** 1.25), flow, length=34, width=7, count=9000, spread=0.05
    )


def embroidery(rng: np.random.Generator) -> Pixels:
    """Satin stitches in fields of one direction each."""
    field = noise(rng, 38)
    parts = np.floor(ranks(field) * 7).astype(int)
    flow = np.array([0.3, 1.9, 0.9, 2.6, 1.3, 0.1, 2.2], np.float32)[np.clip(parts, 0, 6)]
    palette = colours("#7a1f2b #c8452f #e7a13a #f3e3bf #2f6f73 #1d3a56 #9a3d63")
    ground = palette[np.clip(parts, 0, 6)]
    return painted(rng, ground, flow, length=20, width=2.6, count=26000, spread=0.035, bristles=2)


def points(rng: np.random.Generator) -> Pixels:
    """Dots of pure colour beside one another, which mix in the eye."""
    palette = colours("#274b8f #3f86b8 #58a05a #c9c04a #efb24a #e36f3d #b6456d")
    ground = along(palette, ranks(noise(rng, 55)))
    canvas = Image.fromarray((255 * (0.35 * ground + 0.62)).astype(np.uint8)).resize((SIDE * FINER, SIDE * FINER))
    brush = ImageDraw.Draw(canvas)
    for _ in range(26000):
        row, column = rng.uniform(0, SIDE, 2)
        colour = ground[int(row), int(column)] + rng.normal(0, 0.13, 3)
        if rng.uniform() < 0.16:
            colour = 1 - colour  # the complement, here and there
        radius = rng.uniform(1.9, 3.1)
        box = [FINER * (column - radius), FINER * (row - radius), FINER * (column + radius), FINER * (row + radius)]
        brush.ellipse(box, _inked(colour))
    return np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32) / 255
