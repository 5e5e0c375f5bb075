"""What goes by water, air and land, each drawn from its foot (x, y) upwards at a height of `size` units or so."""

import numpy as np

from models.starter.recipe.brush import Brush
from models.starter.recipe.light import Colour, mix, rgb
from models.starter.recipe.outlines import SIZE
from models.starter.recipe.paints import CREAM, GLASS, LAMP, WHITE

IRON = rgb(0.16, 0.16, 0.19)


def boat(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A sailing boat with a hull in `colour` on its own dim reflection; y is the waterline."""
    del winter
    brush.oval(x, y + size * 0.13, size * 0.44, size * 0.07, brush.light.on(colour, 0.0) * 0.6, edge=False)
    sail = CREAM if float(colour.mean()) < 0.9 else rgb(0.86, 0.90, 0.95)
    brush.polygon(
        [(x - size * 0.03, y - size * 0.2), (x - size * 0.03, y - size), (x - size * 0.4, y - size * 0.22)], sail
    )
    jib = [(x + size * 0.03, y - size * 0.2), (x + size * 0.03, y - size * 0.92), (x + size * 0.38, y - size * 0.22)]
    brush.polygon(jib, mix(sail, colour, 0.85))
    brush.line([(x, y), (x, y - size)], rgb(0.35, 0.25, 0.2), max(size * 0.03, 1))
    brush.polygon([(x - size * 0.54, y - size * 0.2), (x + size * 0.54, y - size * 0.2),
                   (x + size * 0.36, y + size * 0.1), (x - size * 0.36, y + size * 0.1)], colour)  # fmt: skip
    brush.polygon([(x - size * 0.53, y - size * 0.2), (x + size * 0.53, y - size * 0.2),
                   (x + size * 0.49, y - size * 0.14), (x - size * 0.49, y - size * 0.14)],
                  mix(colour, WHITE, 0.5), edge=False)  # fmt: skip
    if brush.light.lamps and not brush.light.neon:
        brush.shine(x + size * 0.2, y - size * 0.2, size * 0.25, LAMP, 0.7)


def balloon(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A hot-air balloon; y is the basket's foot."""
    del winter
    radius = size * 0.38
    middle = y - size + radius
    for side in (-1, 1):
        brush.line([(x + side * radius * 0.75, middle + radius * 0.7), (x + side * size * 0.07, y - size * 0.1)],
                   rgb(0.4, 0.3, 0.25), max(size * 0.012, 0.8))  # fmt: skip
    pale = mix(colour, WHITE, 0.5) if float(colour.mean()) < 0.9 else rgb(0.74, 0.80, 0.88)
    skirt = [(x - radius * 0.93, middle + radius * 0.36), (x + radius * 0.93, middle + radius * 0.36),
             (x + size * 0.1, y - size * 0.2), (x - size * 0.1, y - size * 0.2)]  # fmt: skip
    brush.cluster([(x, middle, radius, radius)], colour, polygons=[skirt])
    brush.cluster(
        [(x, middle, radius * 0.56, radius * 0.99)], pale, edge=False,
        polygons=[[(x - radius * 0.52, middle + radius * 0.36), (x + radius * 0.52, middle + radius * 0.36),
                   (x + size * 0.05, y - size * 0.2), (x - size * 0.05, y - size * 0.2)]],
    )  # fmt: skip
    brush.cluster(
        [(x, middle, radius * 0.3, radius * 0.99)], colour, edge=False,
        polygons=[[(x - radius * 0.28, middle + radius * 0.36), (x + radius * 0.28, middle + radius * 0.36),
                   (x + size * 0.03, y - size * 0.2), (x - size * 0.03, y - size * 0.2)]],
    )  # fmt: skip
    brush.rectangle(x - size * 0.09, y - size * 0.13, size * 0.18, size * 0.13, rgb(0.55, 0.38, 0.24))
    if brush.light.lamps and not brush.light.neon:
        brush.shine(x, y - size * 0.3, size * 0.4, LAMP, 0.6)


def _wheel(brush: Brush, x: float, y: float, radius: float) -> None:
    """By its middle."""
    brush.oval(x, y, radius, radius, IRON)
    brush.oval(x, y, radius * 0.48, radius * 0.48, rgb(0.78, 0.78, 0.80), edge=False)


def car(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A small round car from its side, facing either way; 1.3 times as long as `size`."""
    del winter
    way = float(brush.rng.choice((-1, 1)))
    width = size * 1.3
    brush.oval(x, y, width * 0.54, size * 0.06, rgb(0.12, 0.12, 0.15), edge=False)
    cabin = [(-0.38, -0.44), (0.30, -0.44), (0.15, -0.86), (-0.25, -0.86)]
    low = [(-0.5, -0.14), (-0.5, -0.42), (-0.46, -0.5), (0.42, -0.5), (0.5, -0.38), (0.5, -0.14)]
    brush.cluster([], colour, polygons=[[(x + way * dx * width, y + dy * size) for dx, dy in part]
                                        for part in (cabin, low)])  # fmt: skip
    sill = [(-0.5, -0.14), (-0.5, -0.24), (0.5, -0.24), (0.5, -0.14)]
    brush.polygon([(x + way * dx * width, y + dy * size) for dx, dy in sill], colour * 0.78, edge=False)
    for pane in (((-0.29, -0.5), (-0.07, -0.5), (-0.07, -0.78), (-0.2, -0.78)),
                 ((-0.02, -0.5), (0.22, -0.5), (0.11, -0.78), (-0.02, -0.78))):  # fmt: skip
        points = [(x + way * dx * width, y + dy * size) for dx, dy in pane]
        brush.polygon(points, LAMP if brush.light.lamps else rgb(0.78, 0.90, 0.97), edge=False)
    for dx in (-0.28, 0.28):
        _wheel(brush, x + dx * width, y - size * 0.14, size * 0.17)
    if brush.light.lamps:
        brush.shine(x + way * width * 0.5, y - size * 0.34, size * 0.45, LAMP, 0.9)


def train(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A steam engine with two wagons on a track across the picture; 2.6 times as long as high."""
    del winter
    way = float(brush.rng.choice((-1, 1)))
    brush.rectangle(-4, y - size * 0.03, SIZE + 8, size * 0.12, rgb(0.45, 0.40, 0.38), edge=False)
    for sleeper in np.arange(-2, SIZE, 11):
        brush.rectangle(float(sleeper), y - size * 0.01, 5.5, size * 0.1, rgb(0.32, 0.24, 0.20), edge=False)
    brush.line([(-4, y - size * 0.04), (SIZE + 4, y - size * 0.04)], rgb(0.72, 0.72, 0.75), 1.6)

    def box(left: float, top: float, width: float, height: float, tone: Colour, radius: float = 0.02) -> None:
        across = left if way > 0 else -left - width
        brush.rectangle(x + across * size, y + top * size, width * size, height * size, tone, radius=radius * size)

    for wagon in (-1.32, -0.62):
        box(wagon, -0.66, 0.64, 0.52, colour, 0.05)
        box(wagon, -0.72, 0.64, 0.09, mix(colour, rgb(0.2, 0.2, 0.25), 0.6))
        for pane in (0.08, 0.27, 0.46):
            left = wagon + pane if way > 0 else -wagon - pane - 0.11
            brush.glow_rectangle(x + left * size, y - size * 0.54, size * 0.11, size * 0.16,
                                 LAMP if brush.light.lamps else brush.light.on(GLASS, 0.0))  # fmt: skip
    box(0.08, -0.9, 0.42, 0.76, colour)  # the cab
    box(0.03, -0.98, 0.52, 0.1, IRON)
    left = 0.17 if way > 0 else -0.41
    brush.glow_rectangle(x + left * size, y - size * 0.8, size * 0.24, size * 0.24,
                         LAMP if brush.light.lamps else brush.light.on(GLASS, 0.0))  # fmt: skip
    box(0.5, -0.62, 0.72, 0.44, colour * 0.92, 0.1)  # the boiler
    box(0.96, -0.98, 0.16, 0.38, IRON)
    box(0.92, -1.02, 0.24, 0.08, IRON)
    front = [(1.18, -0.22), (1.4, -0.06), (1.18, -0.06)]
    brush.polygon([(x + way * dx * size, y + dy * size) for dx, dy in front], IRON)
    for wheel in (-1.16, -0.84, -0.46, -0.14):
        _wheel(brush, x + way * wheel * size, y - size * 0.12, size * 0.1)
    for wheel, radius in ((0.28, 0.16), (0.66, 0.16), (1.0, 0.13)):
        _wheel(brush, x + way * wheel * size, y - size * (radius + 0.01), size * radius)
    smoke = brush.light.on(rgb(0.93, 0.93, 0.95), 0.2)
    for puff in (3, 2, 1, 0):
        radius = size * (0.10 + 0.05 * puff)
        brush.glow_disc(x + way * size * (1.02 - 0.26 * puff), y - size * (1.16 + 0.16 * puff), radius * 1.2, radius,
                        mix(smoke, brush.light.sky[1], 0.16 * puff))  # fmt: skip
    if brush.light.lamps:
        brush.shine(x + way * size * 1.25, y - size * 0.45, size * 0.4, LAMP, 0.9)
