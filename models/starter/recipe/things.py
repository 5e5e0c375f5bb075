"""The things of a scene, each drawn from its foot (x, y) upwards at a height of `size` pixels or so."""

from collections.abc import Callable

import numpy as np

from models.starter.recipe.brush import Brush
from models.starter.recipe.light import Colour, mix, rgb
from models.starter.recipe.plants import SNOW, conifer, leafy

PAINTS = {
    "red": rgb(0.86, 0.18, 0.18), "orange": rgb(0.96, 0.55, 0.13), "yellow": rgb(0.98, 0.82, 0.22),
    "green": rgb(0.24, 0.64, 0.32), "blue": rgb(0.17, 0.42, 0.83), "purple": rgb(0.55, 0.27, 0.70),
    "pink": rgb(0.97, 0.58, 0.72), "white": rgb(0.96, 0.96, 0.94), "black": rgb(0.13, 0.13, 0.16),
}  # fmt: skip
LAMP = rgb(1.0, 0.85, 0.45)
GLASS = rgb(0.55, 0.72, 0.85)
CREAM = rgb(0.95, 0.90, 0.80)
WHITE = rgb(1, 1, 1)


def _window(brush: Brush, x: float, y: float, width: float, height: float) -> None:
    """By its upper left corner; lit at night."""
    if brush.light.lamps:
        brush.glow_rectangle(x, y, width, height, LAMP)
        brush.shine(x + width / 2, y + height / 2, max(width, height) * 1.6, LAMP, 0.35)
    else:
        brush.rectangle(x, y, width, height, GLASS, edge=False)


def house(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A gabled house: walls in `colour`, with a lighter door and a dark roof."""
    width, wall = size * 1.15, size * 0.55
    left, top = x - width / 2, y - wall
    brush.rectangle(x + width * 0.2, y - size * 1.02, width * 0.11, size * 0.35, rgb(0.45, 0.35, 0.33))
    brush.rectangle(left, top, width, wall, colour)
    brush.rectangle(x, top, width / 2, wall, colour * 0.86, edge=False)
    roof = SNOW if winter else rgb(0.42, 0.27, 0.25) if float(colour.mean()) > 0.42 else rgb(0.33, 0.30, 0.36)
    brush.polygon([(left - size * 0.1, top + 1), (left + width + size * 0.1, top + 1), (x + width * 0.28, y - size),
                   (x - width * 0.28, y - size)], roof)  # fmt: skip
    brush.rectangle(x - size * 0.1, y - wall * 0.62, size * 0.2, wall * 0.62, rgb(0.35, 0.22, 0.18), edge=False)
    for side in (-0.36, 0.19):
        _window(brush, x + side * width, y - wall * 0.75, size * 0.19, size * 0.2)


def castle(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """Three towers with pointed roofs in `colour`, walls of pale stone."""
    stone = rgb(0.80, 0.77, 0.74) if float(colour.mean()) < 0.9 else rgb(0.94, 0.93, 0.92)
    roofs = colour if float(colour.mean()) < 0.9 else rgb(0.80, 0.82, 0.88)
    brush.rectangle(x - size * 0.4, y - size * 0.42, size * 0.8, size * 0.42, stone)
    for step in range(5):
        brush.rectangle(
            x - size * 0.36 + step * size * 0.16, y - size * 0.48, size * 0.08, size * 0.08, stone, edge=False
        )
    for dx, height, width in ((-0.4, 0.62, 0.22), (0.4, 0.66, 0.22), (0.0, 0.78, 0.26)):
        left = x + dx * size - width * size / 2
        brush.rectangle(left, y - height * size, width * size, height * size, stone * 0.95)
        brush.rectangle(left + width * size * 0.55, y - height * size, width * size * 0.45, height * size, stone * 0.84,
                        edge=False)  # fmt: skip
        roof = [(left - size * 0.03, y - height * size), (left + (width + 0.03) * size, y - height * size),
                (x + dx * size, y - (height + 0.34) * size)]  # fmt: skip
        brush.polygon(roof, roofs)
        if winter:
            brush.polygon([roof[2], (roof[2][0] - size * 0.07, y - (height + 0.16) * size),
                           (roof[2][0] + size * 0.06, y - (height + 0.18) * size)], SNOW, edge=False)  # fmt: skip
        _window(brush, x + dx * size - size * 0.035, y - height * size * 0.78, size * 0.07, size * 0.11)
    brush.oval(x, y - size * 0.12, size * 0.09, size * 0.12, rgb(0.30, 0.22, 0.20), edge=False)
    brush.rectangle(x - size * 0.09, y - size * 0.12, size * 0.18, size * 0.12, rgb(0.30, 0.22, 0.20), edge=False)


def lighthouse(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A tower in bands of white and `colour`, its lamp shining when it is dark."""
    del winter
    low, high, bands = size * 0.17, size * 0.11, 5
    for band in range(bands):
        a, b = band / bands, (band + 1) / bands
        wide_a, wide_b = low + (high - low) * a, low + (high - low) * b
        band_colour = (colour if float(colour.mean()) < 0.9 else rgb(0.65, 0.68, 0.72)) if band % 2 == 0 else CREAM
        brush.polygon([(x - wide_a, y - a * size * 0.74), (x + wide_a, y - a * size * 0.74),
                       (x + wide_b, y - b * size * 0.74), (x - wide_b, y - b * size * 0.74)], band_colour)  # fmt: skip
    brush.rectangle(x - high * 1.25, y - size * 0.77, high * 2.5, size * 0.04, rgb(0.3, 0.3, 0.34))
    _window(brush, x - high * 0.7, y - size * 0.88, high * 1.4, size * 0.11)
    brush.polygon([(x - high, y - size * 0.88), (x + high, y - size * 0.88), (x, y - size)],
                  colour if float(colour.mean()) < 0.9 else rgb(0.5, 0.5, 0.55))  # fmt: skip
    if brush.light.lamps:
        side = float(brush.rng.choice((-1, 1)))
        lamp = y - size * 0.83
        for spread, alpha in ((0.30, 0.16), (0.16, 0.22)):
            points = [(x, lamp), (x + side * 150, lamp - 150 * spread), (x + side * 150, lamp + 150 * spread * 0.4)]
            brush.beam(points, LAMP, alpha)
        brush.shine(x, lamp, size * 0.32, LAMP, 0.8)


def boat(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A sailing boat with a hull in `colour` on its own dim reflection; y is the waterline."""
    del winter
    brush.oval(x, y + size * 0.12, size * 0.42, size * 0.07, brush.light.on(colour, 0.0) * 0.6, edge=False)
    sail = CREAM if float(colour.mean()) < 0.9 else WHITE
    brush.polygon(
        [(x - size * 0.03, y - size * 0.18), (x - size * 0.03, y - size), (x - size * 0.36, y - size * 0.2)], sail
    )
    jib = [(x + size * 0.03, y - size * 0.18), (x + size * 0.03, y - size * 0.9), (x + size * 0.34, y - size * 0.2)]
    brush.polygon(jib, mix(sail, colour, 0.75))
    brush.line([(x, y), (x, y - size)], rgb(0.35, 0.25, 0.2), max(size * 0.03, 1))
    brush.polygon([(x - size * 0.5, y - size * 0.16), (x + size * 0.5, y - size * 0.16),
                   (x + size * 0.34, y + size * 0.08), (x - size * 0.34, y + size * 0.08)], colour)  # fmt: skip
    if brush.light.lamps and not brush.light.neon:
        brush.shine(x + size * 0.2, y - size * 0.2, size * 0.25, LAMP, 0.7)


def balloon(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A hot-air balloon; y is the basket's foot."""
    del winter
    radius = size * 0.38
    middle = y - size + radius
    for side in (-1, 1):
        brush.line([(x + side * radius * 0.75, middle + radius * 0.7), (x + side * size * 0.07, y - size * 0.1)],
                   rgb(0.4, 0.3, 0.25), 1)  # fmt: skip
    skirt = [(x - radius * 0.93, middle + radius * 0.36), (x + radius * 0.93, middle + radius * 0.36),
             (x + size * 0.1, y - size * 0.2), (x - size * 0.1, y - size * 0.2)]  # fmt: skip
    pale = mix(colour, WHITE, 0.55) if float(colour.mean()) < 0.9 else rgb(0.8, 0.85, 0.9)
    brush.polygon(skirt, colour, edge=False)
    brush.oval(x, middle, radius, radius, colour)
    brush.oval(x, middle, radius * 0.62, radius, pale, edge=False)
    brush.polygon([(x - radius * 0.58, middle + radius * 0.36), (x + radius * 0.58, middle + radius * 0.36),
                   (x + size * 0.06, y - size * 0.2), (x - size * 0.06, y - size * 0.2)], pale, edge=False)  # fmt: skip
    brush.oval(x, middle, radius * 0.26, radius, colour, edge=False)
    brush.rectangle(x - size * 0.08, y - size * 0.12, size * 0.16, size * 0.12, rgb(0.55, 0.38, 0.24))
    if brush.light.lamps and not brush.light.neon:
        brush.shine(x, y - size * 0.3, size * 0.35, LAMP, 0.6)


def tree(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A big tree with a crown in `colour`."""
    season = "winter" if winter else "summer"
    if np.allclose(colour, PAINTS["green"]) and winter:
        conifer(brush, x, y, size, season)
    else:
        leafy(brush, x, y, size, season, colour=colour)


def car(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A small car from its side, facing either way."""
    del winter
    way = float(brush.rng.choice((-1, 1)))
    width, height = size * 1.25, size * 0.34
    brush.oval(x, y, width * 0.52, size * 0.05, rgb(0.15, 0.15, 0.17), edge=False)
    cabin = [(-0.36, -0.48), (0.3, -0.48), (0.16, -0.84), (-0.24, -0.84)]
    brush.polygon([(x + way * dx * width, y + dy * size) for dx, dy in cabin], colour)
    panes = [(-0.27, -0.5), (0.2, -0.5), (0.11, -0.76), (-0.19, -0.76)]
    brush.polygon([(x + way * dx * width, y + dy * size) for dx, dy in panes], rgb(0.72, 0.86, 0.94), edge=False)
    brush.rectangle(x - width / 2, y - size * 0.5, width, height, colour, radius=size * 0.12)
    for dx in (-0.27, 0.27):
        brush.oval(x + dx * width, y - size * 0.13, size * 0.15, size * 0.15, rgb(0.13, 0.13, 0.15))
        brush.oval(x + dx * width, y - size * 0.13, size * 0.07, size * 0.07, rgb(0.75, 0.75, 0.78), edge=False)
    if brush.light.lamps:
        brush.shine(x + way * width * 0.5, y - size * 0.36, size * 0.4, LAMP, 0.85)


def bird(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A bird in flight with both wings raised."""
    del winter
    tilt = float(brush.rng.uniform(-0.12, 0.12))
    dark = colour * 0.75
    for side in (-1, 1):
        rise = 0.42 + side * tilt
        tip = (x + side * size * 0.72, y - size * rise)
        brush.polygon([(x - size * 0.1, y), (x + side * size * 0.3, y - size * (rise + 0.1)), tip,
                       (x + side * size * 0.3, y - size * (rise - 0.14)), (x + size * 0.1, y + size * 0.04)],
                      colour if side < 0 else dark)  # fmt: skip
    brush.oval(x, y, size * 0.24, size * 0.1, colour)
    brush.oval(x + size * 0.24, y - size * 0.05, size * 0.09, size * 0.08, colour, edge=False)
    brush.polygon([(x + size * 0.3, y - size * 0.07), (x + size * 0.42, y - size * 0.03), (x + size * 0.3, y)],
                  rgb(0.95, 0.65, 0.15), edge=False)  # fmt: skip


def cat(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A sitting cat that looks at the viewer."""
    del winter
    tail = [(x + size * 0.24, y - size * 0.06), (x + size * 0.44, y - size * 0.2), (x + size * 0.38, y - size * 0.46)]
    brush.line(tail, colour * 0.9, size * 0.1)
    brush.oval(x, y - size * 0.28, size * 0.27, size * 0.3, colour)
    for side in (-1, 1):
        brush.polygon([(x + side * size * 0.23, y - size * 0.7), (x + side * size * 0.2, y - size),
                       (x + side * size * 0.05, y - size * 0.82)], colour)  # fmt: skip
    brush.oval(x, y - size * 0.68, size * 0.25, size * 0.21, colour)
    pale = mix(colour, WHITE, 0.7)
    brush.oval(x, y - size * 0.24, size * 0.12, size * 0.18, pale, edge=False)
    brush.oval(x, y - size * 0.6, size * 0.1, size * 0.08, pale, edge=False)
    eyes = rgb(0.45, 0.85, 0.35) if float(colour.mean()) < 0.3 else rgb(0.1, 0.12, 0.1)
    for side in (-1, 1):
        brush.glow_disc(x + side * size * 0.1, y - size * 0.7, size * 0.045, size * 0.055, eyes)


Drawing = Callable[[Brush, float, float, float, Colour, bool], None]
DRAWINGS: dict[str, Drawing] = {
    "house": house, "castle": castle, "lighthouse": lighthouse, "boat": boat, "balloon": balloon, "tree": tree,
    "car": car, "birds": bird, "cat": cat,
}  # fmt: skip
