"""Hills, rock, snow and flowers: what the places stand on, in the scene's light."""

import numpy as np
import skia

from models.starter.recipe.brush import Brush
from models.starter.recipe.light import Colour, rgb
from models.starter.recipe.outlines import SIZE, ground_under, height_at, outline
from models.starter.recipe.plants import GRASS, LEAVES, SNOW, leafy
from models.starter.recipe.scene import Scene

Line = list[tuple[float, float]]
ROCK = rgb(0.45, 0.46, 0.55)
EVENING_SNOW = rgb(0.84, 1.02, 1.26)  # lavender in the warm light, which takes more blue away than it has
BLOSSOMS = (rgb(1.00, 0.62, 0.76), rgb(1.00, 0.97, 0.98), rgb(0.98, 0.80, 0.88))
POPPIES = (rgb(0.95, 0.25, 0.28), rgb(1.0, 0.85, 0.22), rgb(0.98, 0.98, 0.95), rgb(0.70, 0.42, 0.88))


def grass_of(scene: Scene) -> Colour:
    """The ground's colour in the season."""
    if scene.snowy and scene.time == "sunset":
        return EVENING_SNOW
    return GRASS["winter" if scene.snowy else scene.season]


def hill(brush: Brush, base: float, height: float, colour: Colour, depth: float, roughness: float = 0.4,
         foot: Colour | None = None) -> Line:  # fmt: skip
    """A rolling hill over the whole width, its ridge lit by a low sun or the moon; returns its outline."""
    line = outline(brush.rng, base, height, roughness)
    path = skia.Path()
    path.addPoly([skia.Point(x, y) for x, y in ground_under(line)], True)
    brush.fill(path, colour, depth, foot=foot)
    if brush.light.lamps and not brush.light.neon and brush.hand.contour is None:
        rim = brush.light.on(colour, depth) * 0.55 + brush.light.glow * 0.45
        brush.line([(x, y + 0.6) for x, y in line], rim, 1.5, 0.5 * (1 - 0.5 * depth), lit=False)
    return line


def peaks(brush: Brush, base: float, height: float, depth: float, snow: bool, colour: Colour = ROCK) -> None:
    """A range of pointed mountains, lit from one side."""
    rng = brush.rng
    side = 1.0 if brush.light.sun[0] < SIZE / 2 else -1.0  # where the shade is
    x = float(rng.uniform(-50, -10))
    tops = []
    while x < SIZE + 40:
        tops.append((x, height * float(rng.uniform(0.5, 1.0))))
        x += float(rng.uniform(0.55, 0.95)) * height
    for index in rng.permutation(len(tops)):
        x, rise = tops[int(index)]
        half, top = rise * float(rng.uniform(0.75, 1.0)), base - rise
        brush.polygon([(x - half, base + 6), (x, top), (x + half, base + 6)], colour, depth)
        shade = [(x, top), (x + side * half * 0.12, base - rise * 0.62), (x - side * half * 0.06, base - rise * 0.3),
                 (x + side * half * 0.1, base + 6), (x + side * half, base + 6)]  # fmt: skip
        brush.polygon(shade, colour * 0.76, depth, edge=False)
        if snow and rise > height * 0.45:
            cap = rise * 0.38
            spread = half * 0.38
            zigzag = [(x - spread, top + cap), (x - spread * 0.45, top + cap * 0.72),
                      (x - spread * 0.1, top + cap * 1.15), (x + spread * 0.4, top + cap * 0.75),
                      (x + spread, top + cap)]  # fmt: skip
            brush.polygon([(x, top), *zigzag], SNOW, depth * 0.7, edge=False)
            half_cap = [(x, top), *(zigzag[2:] if side > 0 else zigzag[2::-1])]
            brush.polygon(half_cap, SNOW * np.array((0.78, 0.85, 0.95)), depth * 0.7, edge=False)


def dots(brush: Brush, line: Line, colours: tuple[Colour, ...], number: int, bottom: float = SIZE) -> None:
    """Flowers or leaves on the ground under the line, larger towards the viewer."""
    rng = brush.rng
    x, near, tone = rng.uniform(0, SIZE, number), rng.uniform(0, 1, number), rng.integers(len(colours), size=number)
    for index in np.argsort(near):
        top = height_at(line, float(x[index])) + 5
        y, size = top + near[index] * (bottom - top), 1.2 + 2.8 * near[index]
        brush.oval(float(x[index]), float(y), size, size * 0.75, colours[int(tone[index])], 0.0, edge=False)


def fence(brush: Brush, line: Line) -> None:
    """A wooden fence along the ground, open in the middle."""
    wood = rgb(0.62, 0.46, 0.33)
    for left, right in ((-6.0, 70.0), (186.0, 262.0)):
        posts = [(float(x), height_at(line, float(x)) + 16) for x in np.arange(left, right + 1, 19)]
        for rise in (8, 15):
            brush.line([(x, y - rise) for x, y in posts], wood * 0.9, 2.6)
        for x, y in posts:
            brush.rectangle(x - 2, y - 20, 4, 21, wood)


def season_marks(brush: Brush, scene: Scene, line: Line, number: int = 46) -> None:
    """What tells the season from near by: blossoms in spring, poppies in summer, fallen leaves in autumn."""
    if scene.snowy:
        return
    if scene.season == "spring":
        dots(brush, line, BLOSSOMS, number)
    elif scene.season == "autumn":
        dots(brush, line, LEAVES["autumn"], number)
    else:
        first, second = (int(index) for index in brush.rng.choice(len(POPPIES), 2, replace=False))
        dots(brush, line, (POPPIES[first], POPPIES[second]), number // 2)


def corner_trees(brush: Brush, scene: Scene, line: Line, height: float, chance: float = 0.7) -> None:
    """Trees in leaf at either edge of the picture, unless trees are what is counted in it."""
    for x in (float(brush.rng.uniform(-6, 22)), float(brush.rng.uniform(234, 262))):
        if brush.rng.random() < chance and scene.thing != "tree":
            tall = height * float(brush.rng.uniform(0.8, 1.15))
            leafy(brush, x, height_at(line, x) + 8, tall, scene.season)
