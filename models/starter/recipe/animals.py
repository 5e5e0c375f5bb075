"""Animals, each drawn from its foot (x, y) upwards at a height of `size` units or so."""

from collections.abc import Sequence

from models.starter.recipe.brush import Brush
from models.starter.recipe.light import Colour, mix, rgb
from models.starter.recipe.paints import WHITE

Shape = Sequence[tuple[float, float]]
Round = tuple[float, float, float, float]


def _animal(brush: Brush, x: float, y: float, size: float, way: float, colour: Colour, rounds: Sequence[Round],
            shapes: Sequence[Shape]) -> None:  # fmt: skip
    """One silhouette of ellipses (x, y, rx, ry) and polygons in parts of `size`, facing right where `way` is 1."""
    brush.cluster(
        [(x + way * dx * size, y + dy * size, rx * size, ry * size) for dx, dy, rx, ry in rounds],
        colour,
        polygons=[[(x + way * dx * size, y + dy * size) for dx, dy in shape] for shape in shapes],
    )


def shadow(brush: Brush, x: float, y: float, width: float) -> None:
    """The ground's dark patch under something that stands there."""
    brush.glow_disc(x, y, width, width * 0.13, rgb(0.05, 0.06, 0.12), 0.3)


def bird(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A bird in flight with both wings raised; `size` is half its span."""
    del winter
    tilt = float(brush.rng.uniform(-0.12, 0.12))
    for side, tone in ((1, colour * 0.72), (-1, colour * 0.93)):
        rise = 0.5 + side * tilt
        wing = [(-0.12, 0.02), (side * 0.32, -rise - 0.16), (side * 0.85, -rise), (side * 0.42, -rise + 0.22),
                (0.14, 0.1)]  # fmt: skip
        brush.polygon([(x + dx * size, y + dy * size) for dx, dy in wing], tone)
        if float(colour.mean()) > 0.9:  # a gull's
            tip = [(side * 0.6, -rise - 0.08), (side * 0.85, -rise), (side * 0.62, -rise + 0.12)]
            brush.polygon([(x + dx * size, y + dy * size) for dx, dy in tip], rgb(0.2, 0.22, 0.28), edge=False)
    tail = [(-0.22, -0.06), (-0.55, 0.0), (-0.52, 0.14), (-0.2, 0.1)]
    _animal(brush, x, y, size, 1, colour, [(0, 0.02, 0.3, 0.14), (0.3, -0.06, 0.13, 0.12)], [tail])
    beak = [(0.4, -0.1), (0.56, -0.04), (0.4, 0.02)]
    brush.polygon([(x + dx * size, y + dy * size) for dx, dy in beak], rgb(0.98, 0.65, 0.12), edge=False)


def cat(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A sitting cat that looks at the viewer."""
    del winter
    shadow(brush, x, y, size * 0.4)
    way = float(brush.rng.choice((-1, 1)))
    tail = [(0.16, -0.02), (0.42, -0.06), (0.5, -0.26), (0.42, -0.5), (0.34, -0.48), (0.4, -0.26), (0.34, -0.16),
            (0.16, -0.16)]  # fmt: skip
    ears = [[(-0.26, -0.66), (-0.24, -1.0), (-0.04, -0.84)], [(0.26, -0.66), (0.24, -1.0), (0.04, -0.84)]]
    rounds = [(0, -0.27, 0.28, 0.29), (0, -0.68, 0.27, 0.22), (-0.13, -0.05, 0.12, 0.06), (0.13, -0.05, 0.12, 0.06)]
    _animal(brush, x, y, size, way, colour, rounds, [tail, *ears])
    pale = mix(colour, WHITE, 0.75)
    brush.oval(x, y - size * 0.26, size * 0.13, size * 0.18, pale, edge=False)
    brush.oval(x, y - size * 0.6, size * 0.12, size * 0.08, pale, edge=False)
    eyes = rgb(0.55, 0.95, 0.35) if float(colour.mean()) < 0.3 else rgb(0.1, 0.12, 0.1)
    for side in (-1, 1):
        brush.glow_disc(x + side * size * 0.11, y - size * 0.71, size * 0.05, size * 0.06, eyes)
    brush.glow_disc(x, y - size * 0.61, size * 0.03, size * 0.025, rgb(0.85, 0.4, 0.45))


def dog(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A standing dog from its side, with hanging ears and a raised tail."""
    del winter
    shadow(brush, x, y, size * 0.55)
    way = float(brush.rng.choice((-1, 1)))
    legs = [[(dx, -0.4), (dx + 0.14, -0.4), (dx + 0.13, 0.0), (dx + 0.01, 0.0)] for dx in (-0.44, -0.27, 0.1, 0.25)]
    tail = [(-0.4, -0.56), (-0.62, -0.86), (-0.55, -0.9), (-0.32, -0.66)]
    neck = [(0.16, -0.66), (0.28, -0.92), (0.5, -0.8), (0.42, -0.44)]
    body = [(-0.44, -0.34), (-0.46, -0.62), (0.2, -0.68), (0.42, -0.6), (0.4, -0.32)]
    rounds = [(-0.32, -0.5, 0.17, 0.19), (0.28, -0.48, 0.17, 0.2), (0.4, -0.86, 0.19, 0.16), (0.58, -0.8, 0.15, 0.09)]
    _animal(brush, x, y, size, way, colour, rounds, [*legs, tail, neck, body])
    brush.oval(x + way * size * 0.3, y - size * 0.82, size * 0.08, size * 0.17, colour * 0.62, edge=False)
    brush.glow_disc(x + way * size * 0.72, y - size * 0.82, size * 0.045, size * 0.04, rgb(0.08, 0.08, 0.09))
    eye = rgb(0.08, 0.08, 0.09) if float(colour.mean()) > 0.25 else WHITE
    brush.glow_disc(x + way * size * 0.46, y - size * 0.89, size * 0.035, size * 0.035, eye)
    collar = [(0.2, -0.72), (0.4, -0.62), (0.38, -0.56), (0.17, -0.67)]
    brush.polygon([(x + way * dx * size, y + dy * size) for dx, dy in collar], rgb(0.85, 0.2, 0.2), edge=False)


def horse(brush: Brush, x: float, y: float, size: float, colour: Colour, winter: bool = False) -> None:
    """A horse from its side, head up, with a dark mane and tail."""
    del winter
    shadow(brush, x, y, size * 0.5)
    way = float(brush.rng.choice((-1, 1)))
    dark = colour * 0.45 if float(colour.mean()) > 0.2 else rgb(0.30, 0.28, 0.32)
    tail = [(-0.42, -0.62), (-0.56, -0.5), (-0.58, -0.14), (-0.48, -0.2), (-0.4, -0.5)]
    brush.polygon([(x + way * dx * size, y + dy * size) for dx, dy in tail], dark)
    legs = [[(dx, -0.4), (dx + 0.13, -0.4), (dx + 0.10, 0.0), (dx + 0.01, 0.0)] for dx in (-0.43, -0.28, 0.12, 0.26)]
    neck = [(0.1, -0.6), (0.26, -0.96), (0.42, -0.94), (0.42, -0.76), (0.4, -0.42)]
    head = [(0.26, -0.98), (0.42, -1.0), (0.66, -0.78), (0.62, -0.68), (0.52, -0.69), (0.34, -0.8)]
    ear = [(0.3, -0.96), (0.33, -1.08), (0.39, -0.97)]
    body = [(-0.42, -0.4), (-0.44, -0.62), (0.0, -0.6), (0.3, -0.62), (0.4, -0.4), (0.0, -0.33)]
    rounds = [(-0.28, -0.51, 0.18, 0.17), (0.24, -0.5, 0.18, 0.18)]
    _animal(brush, x, y, size, way, colour, rounds, [*legs, neck, head, ear, body])
    mane = [(0.28, -1.0), (0.2, -0.96), (0.04, -0.6), (0.16, -0.64), (0.28, -0.88), (0.36, -0.98)]
    brush.polygon([(x + way * dx * size, y + dy * size) for dx, dy in mane], dark, edge=False)
    for leg in legs:
        hoof = leg[2][0] - 0.06
        left = x + way * hoof * size - size * 0.055
        brush.rectangle(left, y - size * 0.06, size * 0.11, size * 0.06, dark, edge=False)
    brush.glow_disc(x + way * size * 0.43, y - size * 0.9, size * 0.025, size * 0.025, rgb(0.05, 0.05, 0.06))
