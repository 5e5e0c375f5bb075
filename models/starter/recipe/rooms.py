"""Places without weather, and the open sea: a plain backdrop, a table, a room, and space."""

import numpy as np

from models.starter.recipe.brush import Brush
from models.starter.recipe.ground import hill
from models.starter.recipe.light import Colour, mix, rgb
from models.starter.recipe.outlines import SIZE
from models.starter.recipe.scene import Scene
from models.starter.recipe.stage import Stage
from models.starter.recipe.waters import ripples, water

BACKDROPS = (
    rgb(0.97, 0.96, 0.93), rgb(0.90, 0.94, 0.98), rgb(0.98, 0.90, 0.84), rgb(0.86, 0.94, 0.86), rgb(0.96, 0.88, 0.94),
    rgb(0.99, 0.95, 0.78), rgb(0.72, 0.86, 0.95), rgb(0.62, 0.80, 0.76), rgb(0.96, 0.72, 0.62), rgb(0.80, 0.74, 0.92),
    rgb(0.35, 0.42, 0.55), rgb(0.24, 0.30, 0.36), rgb(0.55, 0.60, 0.68), rgb(0.98, 0.98, 0.98), rgb(0.86, 0.82, 0.74),
)  # fmt: skip
WALLS = (
    rgb(0.93, 0.88, 0.78),
    rgb(0.78, 0.87, 0.89),
    rgb(0.88, 0.80, 0.84),
    rgb(0.80, 0.86, 0.76),
    rgb(0.92, 0.84, 0.70),
)
WOODS = (rgb(0.66, 0.46, 0.30), rgb(0.78, 0.58, 0.38), rgb(0.50, 0.33, 0.22), rgb(0.84, 0.68, 0.48))
FLOORS = (rgb(0.74, 0.56, 0.40), rgb(0.60, 0.46, 0.36), rgb(0.66, 0.64, 0.62), rgb(0.80, 0.70, 0.58))
SPACE = ((rgb(0.02, 0.03, 0.10), rgb(0.08, 0.06, 0.22)), (rgb(0.01, 0.02, 0.06), rgb(0.03, 0.12, 0.22)),
         (rgb(0.06, 0.02, 0.12), rgb(0.22, 0.06, 0.28)))  # fmt: skip


def _any(brush: Brush, colours: tuple[Colour, ...]) -> Colour:
    return colours[int(brush.rng.integers(len(colours)))] * float(brush.rng.uniform(0.92, 1.03))


def plain(brush: Brush, scene: Scene) -> Stage:
    """A backdrop in one colour, a gradient, a glow behind the thing, a disc, or a wall and a floor."""
    rng = brush.rng
    tone = _any(brush, BACKDROPS)
    if brush.light.neon:
        tone = tone * 0.3
    kind = int(rng.integers(5))
    other = mix(tone, _any(brush, BACKDROPS), 0.5) if kind else tone
    brush.wash(0, SIZE, (brush.light.on(tone, 0), brush.light.on(other if kind == 1 else tone, 0)))
    if kind == 2:
        brush.shine(128, 118, float(rng.uniform(110, 170)), mix(tone, rgb(1, 1, 1), 0.6), 0.8)
    elif kind == 3:
        brush.oval(128, float(rng.uniform(116, 136)), *(2 * [float(rng.uniform(78, 112))]), mix(tone, other, 0.9), 0.2)
    elif kind == 4:
        floor = float(rng.uniform(176, 214))
        brush.rectangle(-4, floor, SIZE + 8, SIZE - floor + 4, mix(tone, rgb(0.3, 0.3, 0.35), 0.16), 0.1, edge=False)
    del scene
    return Stage(lambda _x: 238, (104, 152), 1.0, water_y=226)


def _wall(brush: Brush, foot: float) -> Colour:
    tone = _any(brush, WALLS)
    if brush.light.neon:
        tone = tone * 0.35
    brush.wash(0, foot + 2, (brush.light.on(tone, 0), brush.light.on(tone * 0.93, 0)))
    return tone


def _window(brush: Brush, x: float, y: float) -> None:
    brush.rectangle(x - 26, y - 34, 52, 68, rgb(0.96, 0.95, 0.92), 0.1)
    sky = _any(brush, (rgb(0.62, 0.82, 0.95), rgb(0.98, 0.82, 0.62), rgb(0.45, 0.55, 0.75)))
    for column in (-1, 0):
        for line in (-1, 0):
            brush.rectangle(x + column * 23 + 1, y + line * 31 + 1, 21, 29, sky, 0.1, edge=False)


def _picture(brush: Brush, x: float, y: float) -> None:
    brush.rectangle(x - 20, y - 16, 40, 32, _any(brush, WOODS), 0.1)
    brush.rectangle(x - 16, y - 12, 32, 24, _any(brush, BACKDROPS), 0.1, edge=False)


def room(brush: Brush, scene: Scene) -> Stage:
    """A wall with a window or a picture, a floor, a rug."""
    rng = brush.rng
    foot = float(rng.uniform(164, 186))
    _wall(brush, foot)
    sides = [float(rng.uniform(30, 70)), float(rng.uniform(186, 226))]
    for x in sides if rng.random() < 0.4 else sides[: int(rng.integers(1, 2))]:
        (_window if rng.random() < 0.6 else _picture)(brush, x, float(rng.uniform(58, 92)))
    floor = _any(brush, FLOORS)
    brush.rectangle(-4, foot, SIZE + 8, SIZE - foot + 4, floor, 0.0, edge=False)
    brush.rectangle(-4, foot - 4, SIZE + 8, 5, floor * 0.7, 0.0, edge=False)
    if rng.random() < 0.5:
        brush.oval(
            128, 226, float(rng.uniform(70, 104)), float(rng.uniform(16, 24)), _any(brush, BACKDROPS) * 0.85, 0.0
        )
    del scene
    return Stage(lambda _x: 234, (90, 166), 0.95, water_y=230)


def table(brush: Brush, scene: Scene) -> Stage:
    """A table top from edge to edge, a wall behind it."""
    rng = brush.rng
    edge = float(rng.uniform(150, 182))
    _wall(brush, edge)
    if rng.random() < 0.4:
        (_window if rng.random() < 0.6 else _picture)(brush, float(rng.uniform(30, 226)), float(rng.uniform(50, 80)))
    wood = _any(brush, WOODS)
    brush.rectangle(-4, edge, SIZE + 8, SIZE - edge + 4, wood, 0.0, edge=False)
    for step in range(1, 4):
        y = edge + (SIZE - edge) * (step / 4) ** 1.3
        brush.line([(-4, y), (SIZE + 4, y)], wood * 0.82, 1.2 + 0.5 * step)
    brush.rectangle(-4, edge - 2, SIZE + 8, 5, mix(wood, rgb(1, 1, 1), 0.25), 0.0, edge=False)
    del scene
    return Stage(lambda _x: (edge + SIZE) / 2 + 22, (96, 160), 0.95, water_y=230)


def space(brush: Brush, scene: Scene) -> Stage:
    """Darkness with stars, a nebula, now and then a planet's edge."""
    rng = brush.rng
    top, low = SPACE[int(rng.integers(len(SPACE)))]
    brush.wash(0, SIZE, (top, low))
    for _ in range(int(rng.integers(1, 4))):
        tone = mix(rgb(0.5, 0.2, 0.7), rgb(0.1, 0.5, 0.8), float(rng.uniform(0, 1)))
        brush.shine(float(rng.uniform(0, SIZE)), float(rng.uniform(0, SIZE)), float(rng.uniform(50, 120)), tone, 0.35)
    for _ in range(int(rng.integers(50, 110))):
        x, y, size = (float(value) for value in rng.uniform((0, 0, 0.5), (SIZE, SIZE, 1.9)))
        brush.glow_disc(x, y, size, size, rgb(1, 1, 0.92), float(rng.uniform(0.5, 1)))
    if rng.random() < 0.4:
        x, y, radius = (float(value) for value in rng.uniform((10, 20, 16), (246, 90, 34)))
        brush.oval(x, y, radius, radius, _any(brush, WOODS + BACKDROPS[6:10]), 0.1)
    del scene
    return Stage(lambda _x: 236, (100, 156), 1.0, water_y=226)


def sea(brush: Brush, scene: Scene) -> Stage:
    """Open water to the horizon, seldom a coast far away."""
    rng = brush.rng
    horizon = float(rng.uniform(122, 150))
    if rng.random() < 0.25:
        hill(brush, horizon + 3, 14, rgb(0.40, 0.50, 0.52), 0.8)
    water(brush, horizon, rgb(0.10, 0.42, 0.66) * float(rng.uniform(0.85, 1.15)))

    def front() -> None:
        ripples(brush, horizon, 46)
        for _ in range(int(rng.integers(3, 9))):
            x, near = float(rng.uniform(-10, SIZE)), float(rng.uniform(0.2, 1))
            y = horizon + 6 + near * (SIZE - horizon - 12)
            crest = [(x + dx * 16 * near, y - float(np.sin(dx * np.pi / 2) ** 2) * 5 * near) for dx in (0, 1, 2, 3, 4)]
            brush.line(crest, rgb(0.94, 0.98, 1.0), 1.4 * near + 0.6, 0.7)

    del scene
    return Stage(lambda _x: 240, (70, 186), 1.0, water_y=horizon + 62, waterline=horizon, mirror=0.4, front=front)
