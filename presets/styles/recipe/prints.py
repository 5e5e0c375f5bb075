"""Styles that a press makes: carved lines, flat inks one over the other, and screens of dots."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from presets.styles.recipe.fields import COLUMNS, ROWS, SIDE, Field, Pixels, along, colours, noise, paper, ranks


def _sharp(values: Field, softness: float = 1.0) -> Field:
    """0 below, 1 above, and smooth about 0, over `softness` of the field's unit."""
    return np.clip(values / softness + 0.5, 0, 1).astype(np.float32)


def woodcut(rng: np.random.Generator) -> Pixels:
    """Black lines that swell where it is dark, over two flat inks on cream paper."""
    tone = ranks(noise(rng, 30))
    phase = ROWS * 0.55 + 26 * noise(rng, 45) + 0.25 * COLUMNS
    lines = np.sin(phase * (2 * np.pi / 9)) + 0.18 * noise(rng, 1.2)
    black = _sharp(lines - (2.1 * tone - 1.0), 0.35)
    inks = np.where(tone > 0.62, 0, np.where(tone > 0.34, 1, 2))
    flat = np.stack([gaussian_filter(colours("#f1e6cd #d08a4a #8c3b2d")[inks][..., i], 0.7) for i in range(3)], -1)
    return black[..., None] * colours("#1d1815")[0] + (1 - black[..., None]) * flat * paper(rng, "#fffaf0")


def wave_print(rng: np.random.Generator) -> Pixels:
    """Scales of waves one before the other, in Prussian blue and cream, with fine outlines."""
    picture = paper(rng, "#efe3c6")
    palette = colours("#123a63 #1f5a8a #3f86ac #86b3bf #dfe3cf")
    radius = 44.0
    for line, top in enumerate(np.arange(-radius, SIDE + radius, radius / 2)):
        shift = (line % 2) * radius + 7 * np.sin(line)
        column = (COLUMNS + shift + 5 * noise(rng, 50)) % (2 * radius) - radius
        distance = np.hypot(column, (ROWS - top - radius + 5 * noise(rng, 40)) * 1.0)
        rings = np.clip((distance / radius * 5).astype(int), 0, 4)
        inside = _sharp(radius - distance, 1.4)[..., None]
        edge = np.abs((distance / radius * 5) % 1 - 0.5)  # 0.5 on a ring
        outline = _sharp(edge - 0.42, 0.1)[..., None]
        fill = palette[rings] * (1 - 0.06 * (line % 3))
        scale = fill * (1 - outline) + colours("#0d2440")[0] * outline
        picture = picture * (1 - inside) + scale * inside
    return picture * (1 + 0.05 * noise(rng, 2.5) * (np.abs(noise(rng, 30)) > 0.4))[..., None]


def halftone(rng: np.random.Generator) -> Pixels:
    """A comic's flat colours, its screen of dots and thick black contours."""
    field = noise(rng, 42)
    tone = ranks(field)
    parts = np.clip((tone * 5).astype(int), 0, 4)
    flat = colours("#fff3c2 #ffd21f #f0453a #27a6dd #2b3a8f")[parts]
    across, down = (COLUMNS + ROWS) / np.sqrt(2), (COLUMNS - ROWS) / np.sqrt(2)
    cell = np.hypot(across % 8 - 4, down % 8 - 4)
    dots = _sharp(1.2 + 2.6 * ((tone * 5) % 1) - cell, 1.0)[..., None]
    dotted = flat * (1 - dots) + colours("#ffd21f #f0453a #b81f4c #1b4aa8 #0d1536")[parts] * dots
    steep = np.hypot(*np.gradient(tone * 5)) + 1e-4
    nearest = np.minimum((tone * 5) % 1, 1 - (tone * 5) % 1) / steep  # pixels to the next contour
    contour = _sharp(2.6 - nearest, 1.0)[..., None]
    return dotted * (1 - contour) + 0.05 * contour


def ink_wash(rng: np.random.Generator) -> Pixels:
    """Ridges of diluted ink, dark above and lost in mist below, with dry strokes, on rice paper."""
    picture = paper(rng, "#f3efe4")
    for line in range(9):
        ridge = 40 + 55 * line + 34 * noise(rng, 46)[line * 7] + 5 * noise(rng, 5)[line * 9]
        below = ROWS - ridge[None, :]
        depth = rng.uniform(0.35, 0.95)
        wash = depth * np.exp(-np.clip(below, 0, None) / rng.uniform(22, 60)) * _sharp(below, 2.5)
        wash *= 0.75 + 0.25 * np.tanh(noise(rng, 3) + noise(rng, 18))
        dry = _sharp(noise(rng, 1.0) + 0.9 * noise(rng, 12) - 1.9, 0.5) * np.exp(-np.abs(below) / 26) * 0.7
        picture = (
            picture * (1 - np.clip(wash + dry, 0, 0.97))[..., None]
            + colours("#1c1d22")[0] * np.clip(wash + dry, 0, 0.97)[..., None]
        )
    return picture


def watercolour(rng: np.random.Generator) -> Pixels:
    """Washes over one another on white paper: pigment gathers at their edges and in the grain."""
    picture = paper(rng, "#fbf8f0")
    for hue in rng.permutation(
        colours("#2f6fb0 #58a4c9 #6fae6a #e0b43f #d8643f #b64f86 #5a4f9c #2f6fb0 #e0b43f #6fae6a")
    ):
        wash = noise(rng, 30) + 0.3 * noise(rng, 7) + 0.1 * noise(rng, 2)
        inside = _sharp(wash - 0.75, 0.08)
        rim = np.exp(-(((wash - 0.82) / 0.06) ** 2)) * inside
        bloom = 0.5 + 0.2 * noise(rng, 16) + 0.07 * noise(rng, 1.1)
        cover = np.clip(inside * (0.62 * bloom + 0.1) + 0.3 * rim, 0, 0.95)[..., None]
        picture = picture * (1 - cover * (1 - hue))
    return picture


def ember(rng: np.random.Generator) -> Pixels:
    """Threads of light on black, as of fire or of a city from above."""
    picture = np.zeros((SIDE, SIDE, 3), np.float32) + colours("#07060d")[0]
    palette = colours("#ff5a1f #ffb347 #ffe9b0 #ff2d6f #7a4cff #23c4ff")
    for hue in palette:
        thread = np.abs(noise(rng, 26) + 0.18 * noise(rng, 6))
        picture += hue * (np.exp(-thread / 0.018) + 0.32 * np.exp(-thread / 0.14))[..., None]
    return np.asarray(
        along(colours("#000000 #ffffff"), 1 - np.exp(-1.25 * picture.max(-1))) * 0.12 + 1 - np.exp(-1.15 * picture)
    )
