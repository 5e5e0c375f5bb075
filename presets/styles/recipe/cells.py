"""Styles made of pieces: the places nearest to each of many points, joined by grout, lead or sharp edges."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from presets.styles.recipe.fields import COLUMNS, ROWS, SIDE, Field, Pixels, along, colours, noise, ranks, swirls

_PLACES = np.stack([ROWS.ravel(), COLUMNS.ravel()], 1)


def _cells(points: np.ndarray, stretch: Field | None = None) -> tuple[np.ndarray, Field]:
    """Which point (N, 2) is nearest to each place, (SIDE, SIDE), and how far the border is, in pixels."""
    found = cKDTree(points).query(_PLACES, k=2)
    nearest = found[1][:, 0].reshape(SIDE, SIDE)
    gap = (found[0][:, 1] - found[0][:, 0]).reshape(SIDE, SIDE).astype(np.float32)
    return nearest, gap if stretch is None else gap * stretch


def _spread_points(rng: np.random.Generator, count: int, rounds: int) -> np.ndarray:
    """Points that have moved apart (Lloyd 1982)."""
    points = rng.uniform(0, SIDE, (count, 2))
    for _ in range(rounds):
        nearest, _gap = _cells(points)
        amount = np.bincount(nearest.ravel(), minlength=count).clip(1)
        sums = [np.bincount(nearest.ravel(), weights=_PLACES[:, i], minlength=count) for i in (0, 1)]
        points = np.stack(sums, 1) / amount[:, None]
    return points


def mosaic(rng: np.random.Generator) -> Pixels:
    """Small stones of glass and gold in a grey bed, each tilted to the light a little."""
    points = _spread_points(rng, 2600, 5)
    nearest, gap = _cells(points)
    palette = colours("#12355b #1f6f8b #49a7a0 #d9c88f #c9973a #8e3b2e #f1e7d0")
    drift = ranks(noise(rng, 48))[points[:, 0].astype(int).clip(0, 511), points[:, 1].astype(int).clip(0, 511)]
    stones = along(palette, drift) * rng.uniform(0.75, 1.15, (len(points), 1)) + rng.normal(0, 0.03, (len(points), 3))
    cover = np.clip((gap - 1.3) / 1.2, 0, 1)[..., None]
    shine = 0.12 * noise(rng, 1.2)[..., None] * stones[nearest]
    return cover * (stones[nearest] + shine) + (1 - cover) * (colours("#4a453f")[0] + 0.03 * noise(rng, 1)[..., None])


def stained_glass(rng: np.random.Generator) -> Pixels:
    """Glowing panes between bars of lead."""
    points = _spread_points(rng, 170, 1)
    nearest, gap = _cells(points)
    panes = colours("#0f3fa8 #1c7bd6 #12876b #f2b90f #e2581b #b3122f #6b1f8a #f6e7a8")[rng.integers(0, 8, len(points))]
    glow = 0.82 + 0.14 * noise(rng, 22) + 0.05 * noise(rng, 2)
    light = np.clip(gap / 26, 0, 1) * 0.35 + 0.75
    glass = panes[nearest] * (glow * light)[..., None]
    lead = np.clip((gap - 3.2) / 1.6, 0, 1)[..., None]
    return lead * glass + (1 - lead) * (0.07 + 0.02 * noise(rng, 2)[..., None])


def facets(rng: np.random.Generator) -> Pixels:
    """Planes that lie over one another, each shaded from one edge to the other, in ochre, grey and blue."""
    palette = colours("#3a3026 #6d5536 #a37c46 #cfae74 #e6d6b0 #8d9695 #566773 #2e3d4d")
    picture = np.asarray(along(palette, ranks(noise(rng, 60))))
    for _ in range(260):
        centre, reach = rng.uniform(-30, SIDE + 30, 2), rng.uniform(26, 95)
        turns = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 5)))
        corners = [(float(centre[0] + reach * np.cos(t)), float(centre[1] + reach * np.sin(t))) for t in turns]
        sheet = Image.new("L", (SIDE, SIDE))
        ImageDraw.Draw(sheet).polygon(corners, fill=255)
        inside = gaussian_filter(np.asarray(sheet, np.float32) / 255, 0.7)
        direction = rng.uniform(0, 2 * np.pi)
        slope = (COLUMNS - centre[0]) * np.cos(direction) + (ROWS - centre[1]) * np.sin(direction)
        share = (inside * np.clip(0.55 + slope / reach * 0.55, 0.05, 0.95))[..., None]
        picture = picture * (1 - share) + palette[rng.integers(0, 8)] * share
        edge = np.clip(np.abs(np.gradient(inside)[0]) + np.abs(np.gradient(inside)[1]), 0, 1)[..., None]
        picture = picture * (1 - 0.5 * edge)
    return picture * (1 + 0.05 * np.sin((ROWS * np.cos(0.4) + COLUMNS) / 2.2 + 2 * np.sin(swirls(rng, 3))))[..., None]
