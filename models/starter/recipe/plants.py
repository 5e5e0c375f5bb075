"""Trees of each season, alone and in rows."""

from collections.abc import Callable

import numpy as np

from models.starter.recipe.brush import Brush
from models.starter.recipe.light import Colour, mix, rgb

TRUNK = rgb(0.36, 0.25, 0.20)
SNOW = rgb(0.95, 0.97, 1.0)
LEAVES = {
    "spring": (rgb(0.98, 0.64, 0.76), rgb(1.00, 0.78, 0.85), rgb(0.95, 0.56, 0.70)),
    "summer": (rgb(0.24, 0.55, 0.28), rgb(0.34, 0.64, 0.30), rgb(0.18, 0.47, 0.32)),
    "autumn": (rgb(0.90, 0.48, 0.13), rgb(0.80, 0.28, 0.14), rgb(0.95, 0.68, 0.18)),
    "winter": (rgb(0.80, 0.86, 0.92), rgb(0.70, 0.78, 0.86), rgb(0.88, 0.92, 0.96)),
}
CONIFERS = {
    "spring": rgb(0.22, 0.48, 0.34), "summer": rgb(0.13, 0.40, 0.29), "autumn": rgb(0.28, 0.38, 0.24),
    "winter": rgb(0.30, 0.44, 0.46),
}  # fmt: skip
PUFFS = ((-0.62, 0.25, 0.62), (0.62, 0.2, 0.62), (0.0, 0.3, 0.75), (0.0, -0.3, 0.8))  # of a crown: x, y, radius
GRASS = {
    "spring": rgb(0.66, 0.84, 0.44), "summer": rgb(0.34, 0.64, 0.27), "autumn": rgb(0.76, 0.65, 0.25),
    "winter": rgb(0.90, 0.94, 0.98),
}  # fmt: skip


def leaf_colour(season: str, rng: np.random.Generator) -> Colour:
    """One of the season's leaf colours, a little varied."""
    shades = LEAVES[season]
    colour = shades[int(rng.choice(len(shades), p=(0.5, 0.3, 0.2)))]
    return np.clip(colour * rng.uniform(0.92, 1.06), 0, 1)


def conifer(brush: Brush, x: float, y: float, height: float, season: str, depth: float = 0.0) -> None:
    """A fir of three tiers whose foot is at (x, y)."""
    colour = CONIFERS[season] * float(brush.rng.uniform(0.85, 1.12))
    width = height * 0.42
    brush.rectangle(x - height * 0.035, y - height * 0.14, height * 0.07, height * 0.14, TRUNK, depth, edge=False)
    for tier in range(3):
        foot, top = y - height * (0.1 + 0.27 * tier), y - height * (0.52 + 0.24 * tier)
        half = width * (0.5 - 0.11 * tier)
        brush.polygon([(x - half, foot), (x + half, foot), (x, top)], colour * (0.9 + 0.08 * tier), depth)
        if season == "winter":
            brush.polygon(
                [(x, top), (x - half * 0.55, foot - (foot - top) * 0.42), (x + half * 0.45, foot - (foot - top) * 0.5)],
                SNOW, depth, edge=False,
            )  # fmt: skip


def leafy(brush: Brush, x: float, y: float, height: float, season: str, depth: float = 0.0,
          colour: Colour | None = None) -> None:  # fmt: skip
    """A round-crowned tree; in winter, without a colour, its branches are bare."""
    rng = brush.rng
    radius = height * 0.3
    crown = y - height + radius
    brush.polygon(
        [(x - height * 0.05, y), (x + height * 0.05, y), (x + height * 0.025, crown), (x - height * 0.025, crown)],
        TRUNK, depth, edge=False,
    )  # fmt: skip
    if season == "winter" and colour is None:
        for side in (-1, 1):
            for rise, reach in ((0.45, 0.30), (0.6, 0.26), (0.78, 0.16)):
                tip = (x + side * height * reach, y - height * (rise + 0.24))
                brush.line([(x, y - height * rise), tip], TRUNK, max(height * 0.03, 0.8), depth=depth)
                brush.line(
                    [(x, y - height * rise - 1), (tip[0], tip[1] - 1)], SNOW, max(height * 0.014, 0.5), depth=depth
                )
        return
    leaf = leaf_colour(season, rng) if colour is None else colour
    dark, bright = leaf * 0.82, mix(leaf, rgb(1, 1, 0.85), 0.22)
    brush.cluster([(x + dx * radius, crown + dy * radius, radius * size, radius * size * 0.92)
                   for dx, dy, size in PUFFS], dark, depth)  # fmt: skip
    if brush.light.neon:
        return
    brush.cluster([(x + dx * radius - radius * 0.1, crown + dy * radius - radius * 0.12, radius * size * 0.84,
                    radius * size * 0.76) for dx, dy, size in PUFFS], leaf, depth, edge=False)  # fmt: skip
    brush.oval(x - radius * 0.22, crown - radius * 0.42, radius * 0.42, radius * 0.34, bright, depth, edge=False)


def palm(brush: Brush, x: float, y: float, height: float, depth: float = 0.0) -> None:
    """A palm, leaning a little."""
    lean = height * float(brush.rng.uniform(-0.2, 0.2))
    top = (x + lean, y - height)
    brush.line([(x, y), (x + lean * 0.4, y - height * 0.5), top], rgb(0.55, 0.40, 0.27), height * 0.06, depth=depth)
    for angle in (-160, -125, -90, -55, -20, 10, 170):
        dx, dy = np.cos(np.radians(angle)) * height * 0.42, np.sin(np.radians(angle)) * height * 0.3
        tip = (top[0] + dx, top[1] + dy + height * 0.12)
        bend = (top[0] + dx * 0.55, top[1] + dy * 0.9)
        brush.polygon([top, bend, tip, (bend[0], bend[1] + height * 0.07)], rgb(0.20, 0.52, 0.30), depth)


def cactus(brush: Brush, x: float, y: float, height: float, depth: float = 0.0) -> None:
    """A saguaro with two arms."""
    green, width = rgb(0.25, 0.50, 0.32), height * 0.16
    for side, rise in ((-1, 0.35), (1, 0.5)):
        elbow = x + side * height * 0.28
        brush.line([(x, y - height * rise), (elbow, y - height * rise), (elbow, y - height * (rise + 0.3))], green,
                   width * 0.75, depth=depth)  # fmt: skip
    brush.rectangle(x - width / 2, y - height, width, height, green, depth, radius=width / 2)


def row(brush: Brush, season: str, number: int, height: float, depth: float, ground: Callable[[float], float],
        firs: float, gap: tuple[float, float] | None = None) -> None:  # fmt: skip
    """Trees along a line of ground; `firs` is their share in [0, 1], `gap` an x range left open."""
    xs = np.linspace(-6, 262, number) + brush.rng.uniform(-7, 7, number)
    for x in brush.rng.permutation(xs):
        if gap and gap[0] < x < gap[1]:
            continue
        size = height * float(brush.rng.uniform(0.72, 1.15))
        if brush.rng.random() < firs:
            conifer(brush, float(x), ground(float(x)) + 2, size, season, depth)
        else:
            leafy(brush, float(x), ground(float(x)) + 2, size * 0.9, season, depth)
