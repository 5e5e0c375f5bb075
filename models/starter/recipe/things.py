"""The things of a scene, each drawn from its foot (x, y) upwards at a height of `size` pixels or so."""

from collections.abc import Callable

import numpy as np

from models.starter.recipe.animals import bird, cat, dog, horse, shadow
from models.starter.recipe.brush import Brush
from models.starter.recipe.light import Colour, mix, rgb
from models.starter.recipe.paints import CREAM, GLASS, LAMP, PAINTS
from models.starter.recipe.plants import SNOW, conifer, leafy
from models.starter.recipe.vehicles import balloon, boat, car, train

WHITISH = 0.9  # mean of a colour from which on it counts as white


def window(brush: Brush, x: float, y: float, width: float, height: float) -> None:
    """By its upper left corner; lit at night."""
    if brush.light.lamps:
        brush.glow_rectangle(x, y, width, height, LAMP)
        brush.shine(x + width / 2, y + height / 2, max(width, height) * 1.6, LAMP, 0.35)
    else:
        brush.rectangle(x, y, width, height, GLASS, edge=False)


def house(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A gabled house: walls in `colour`, with a dark door and a dark roof."""
    width, wall = size * 1.15, size * 0.58
    left, top = x - width / 2, y - wall
    shadow(brush, x, y, width * 0.6)
    brush.rectangle(x + width * 0.2, y - size * 1.04, width * 0.12, size * 0.35, rgb(0.45, 0.35, 0.33))
    brush.rectangle(left, top, width, wall, colour)
    brush.rectangle(x, top, width / 2, wall, colour * 0.88, edge=False)
    roof = SNOW if winter else rgb(0.44, 0.28, 0.25) if float(colour.mean()) > 0.42 else rgb(0.34, 0.31, 0.38)
    brush.polygon([(left - size * 0.1, top + 1), (left + width + size * 0.1, top + 1), (x + width * 0.28, y - size),
                   (x - width * 0.28, y - size)], roof)  # fmt: skip
    brush.rectangle(x - size * 0.1, y - wall * 0.6, size * 0.2, wall * 0.6, rgb(0.33, 0.21, 0.17), edge=False)
    for side in (-0.38, 0.19):
        window(brush, x + side * width, y - wall * 0.74, size * 0.21, size * 0.21)


def castle(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """Three towers with pointed roofs; walls in a pale tone of `colour`, roofs in a deep one."""
    white = float(colour.mean()) > WHITISH
    stone = mix(rgb(0.86, 0.83, 0.80), colour, 0.6 if not white else 1.0)
    roofs = colour * 0.72 if not white else rgb(0.60, 0.66, 0.78)
    shadow(brush, x, y, size * 0.6)
    brush.rectangle(x - size * 0.4, y - size * 0.42, size * 0.8, size * 0.42, stone)
    for step in range(5):
        brush.rectangle(
            x - size * 0.36 + step * size * 0.16, y - size * 0.48, size * 0.08, size * 0.08, stone, edge=False
        )
    for dx, height, width in ((-0.4, 0.6, 0.24), (0.4, 0.64, 0.24), (0.0, 0.74, 0.28)):
        left = x + dx * size - width * size / 2
        brush.rectangle(left, y - height * size, width * size, height * size, stone * 0.97)
        brush.rectangle(left + width * size * 0.55, y - height * size, width * size * 0.45, height * size, stone * 0.84,
                        edge=False)  # fmt: skip
        top = (x + dx * size, y - (height + 0.34) * size)
        brush.polygon([(left - size * 0.04, y - height * size), (left + (width + 0.04) * size, y - height * size), top],
                      roofs)  # fmt: skip
        if winter:
            brush.polygon([top, (top[0] - size * 0.07, y - (height + 0.16) * size),
                           (top[0] + size * 0.06, y - (height + 0.18) * size)], SNOW, edge=False)  # fmt: skip
        window(brush, x + dx * size - size * 0.045, y - height * size * 0.8, size * 0.09, size * 0.13)
    brush.cluster([(x, y - size * 0.13, size * 0.1, size * 0.12)], rgb(0.28, 0.21, 0.20), edge=False, polygons=[
        [(x - size * 0.1, y - size * 0.13), (x + size * 0.1, y - size * 0.13), (x + size * 0.1, y),
         (x - size * 0.1, y)]])  # fmt: skip


def lighthouse(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A tower in bands of cream and `colour`, its lamp shining when it is dark."""
    del winter
    low, high, bands = size * 0.18, size * 0.12, 5
    tone = colour if float(colour.mean()) < WHITISH else rgb(0.97, 0.97, 0.95)
    for band in range(bands):
        a, b = band / bands, (band + 1) / bands
        wide_a, wide_b = low + (high - low) * a, low + (high - low) * b
        band_colour = tone if band % 2 == 0 else CREAM if float(colour.mean()) < WHITISH else rgb(0.80, 0.83, 0.87)
        brush.polygon([(x - wide_a, y - a * size * 0.74), (x + wide_a, y - a * size * 0.74),
                       (x + wide_b, y - b * size * 0.74), (x - wide_b, y - b * size * 0.74)], band_colour)  # fmt: skip
    brush.rectangle(x - high * 1.3, y - size * 0.77, high * 2.6, size * 0.045, rgb(0.3, 0.3, 0.34))
    window(brush, x - high * 0.75, y - size * 0.88, high * 1.5, size * 0.11)
    brush.polygon([(x - high * 1.1, y - size * 0.88), (x + high * 1.1, y - size * 0.88), (x, y - size)],
                  tone if float(colour.mean()) < WHITISH else rgb(0.5, 0.5, 0.55))  # fmt: skip
    if brush.light.lamps:
        side = float(brush.rng.choice((-1, 1)))
        lamp = y - size * 0.83
        for spread, alpha in ((0.30, 0.18), (0.16, 0.26)):
            points = [(x, lamp), (x + side * 190, lamp - 190 * spread), (x + side * 190, lamp + 190 * spread * 0.4)]
            brush.beam(points, LAMP, alpha)
        brush.shine(x, lamp, size * 0.32, LAMP, 0.85)


def windmill(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A tapering tower in `colour` with a dark cap and four pale sails."""
    shadow(brush, x, y, size * 0.3)
    low, high, top = size * 0.23, size * 0.13, y - size * 0.62
    brush.polygon([(x - low, y), (x + low, y), (x + high, top), (x - high, top)], colour)
    brush.polygon([(x + low * 0.2, y), (x + low, y), (x + high, top), (x + high * 0.2, top)], colour * 0.85, edge=False)
    brush.cluster([(x, top, high * 1.25, size * 0.12)], SNOW if winter else rgb(0.40, 0.27, 0.24))
    brush.rectangle(x - size * 0.06, y - size * 0.18, size * 0.12, size * 0.18, rgb(0.33, 0.21, 0.17), edge=False)
    window(brush, x - size * 0.05, y - size * 0.42, size * 0.1, size * 0.1)
    turn = float(brush.rng.uniform(0.15, 1.4))
    hub, reach, wide = (x, top - size * 0.02), size * 0.45, size * 0.11
    for blade in range(4):
        angle = turn + blade * np.pi / 2
        along, across = np.array((np.cos(angle), np.sin(angle))), np.array((-np.sin(angle), np.cos(angle)))
        points = [hub + along * reach * 0.2, hub + along * reach, hub + along * reach + across * wide,
                  hub + along * reach * 0.2 + across * wide]  # fmt: skip
        brush.polygon([(float(point[0]), float(point[1])) for point in points], CREAM)
        tip = hub + along * reach
        brush.line([hub, (float(tip[0]), float(tip[1]))], rgb(0.35, 0.24, 0.2), max(size * 0.022, 1))
    brush.oval(*hub, size * 0.035, size * 0.035, rgb(0.3, 0.2, 0.18), edge=False)


def tree(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A big tree with a crown in `colour`."""
    season = "winter" if winter else "summer"
    shadow(brush, x, y, size * 0.3)
    if np.allclose(colour, PAINTS["green"], atol=0.06) and winter:
        conifer(brush, x, y, size, season)
    else:
        leafy(brush, x, y, size, season, colour=colour)


Drawing = Callable[[Brush, float, float, float, Colour, bool], None]
DRAWINGS: dict[str, Drawing] = {
    "house": house, "castle": castle, "lighthouse": lighthouse, "windmill": windmill, "boat": boat, "balloon": balloon,
    "tree": tree, "car": car, "train": train, "birds": bird, "cat": cat, "dog": dog, "horse": horse,
}  # fmt: skip
