"""The built places: city and village."""

from models.starter.recipe import plants
from models.starter.recipe.brush import Brush
from models.starter.recipe.ground import corner_trees, grass_of, hill, peaks, season_marks
from models.starter.recipe.light import Colour, mix, rgb
from models.starter.recipe.outlines import SIZE, height_at
from models.starter.recipe.paints import LAMP
from models.starter.recipe.plants import SNOW
from models.starter.recipe.scene import Scene
from models.starter.recipe.stage import Stage
from models.starter.recipe.things import house
from models.starter.recipe.waters import ripples

FACADES = (
    rgb(0.36, 0.45, 0.60), rgb(0.50, 0.55, 0.65), rgb(0.62, 0.55, 0.58), rgb(0.42, 0.50, 0.55), rgb(0.70, 0.62, 0.56),
)  # fmt: skip
NEON_FACADES = (rgb(0.1, 0.8, 1.0), rgb(1.0, 0.2, 0.7), rgb(0.6, 0.3, 1.0), rgb(0.2, 0.5, 1.0))
COTTAGES = (
    rgb(0.95, 0.90, 0.80), rgb(0.90, 0.78, 0.62), rgb(0.80, 0.66, 0.56), rgb(0.93, 0.93, 0.90), rgb(0.76, 0.72, 0.66),
)  # fmt: skip


def _windows(brush: Brush, x: float, top: float, width: float, bottom: float, depth: float) -> None:
    rng = brush.rng
    columns = max(2, int(width / 8))
    step = width / columns
    share = 0.6 if brush.light.lamps else 0.75
    tint = LAMP if not brush.light.neon else (rgb(0.5, 0.95, 1.0) if rng.random() < 0.5 else rgb(1.0, 0.6, 0.9))
    y = top + 6
    while y < bottom - 6:
        for column in range(columns):
            if rng.random() < share:
                left = x + column * step + step * 0.25
                if brush.light.lamps:
                    brush.glow_rectangle(left, y, step * 0.5, 4, tint, 1 - depth * 0.6)
                else:
                    brush.rectangle(left, y, step * 0.5, 4, rgb(0.72, 0.84, 0.93), depth, edge=False)
        y += 9


def _tower(brush: Brush, x: float, base: float, width: float, height: float, colour: Colour, depth: float,
           futuristic: bool) -> None:  # fmt: skip
    rng = brush.rng
    top = base - height
    crown = int(rng.integers(4))
    if futuristic and crown == 0:
        brush.polygon([(x, base), (x + width * 0.25, top), (x + width * 0.75, top), (x + width, base)], colour, depth)
        brush.oval(x + width / 2, top, width * 0.5, width * 0.3, colour, depth)
    elif futuristic and crown == 1:
        brush.polygon([(x, base), (x, top + width * 0.8), (x + width / 2, top - width * 0.6),
                       (x + width, top + width * 0.8), (x + width, base)], colour, depth)  # fmt: skip
    elif futuristic and crown == 2:
        brush.rectangle(x, top, width, height + 4, colour, depth, radius=width / 2)
        brush.oval(x + width / 2, top + height * 0.3, width * 0.85, width * 0.22, mix(colour, rgb(1, 1, 1), 0.3), depth)
    else:
        brush.rectangle(x, top, width, height + 4, colour, depth)
        if crown == 1:
            brush.rectangle(x + width * 0.2, top - 8, width * 0.6, 9, colour, depth)
        elif crown == 2:
            brush.line([(x + width / 2, top), (x + width / 2, top - 16)], colour, 1.6, depth=depth)
        elif crown == 3:
            brush.polygon([(x, top), (x + width, top), (x + width, top - width * 0.4)], colour, depth)
    if not brush.light.neon and crown != 1:
        brush.rectangle(x + width * 0.68, top + 4, width * 0.32, height, colour * 0.82, depth, edge=False)
    if depth < 0.7:
        inset = width * (0.28 if futuristic and crown < 2 else 0.08)
        _windows(brush, x + inset, top + (8 if futuristic else 2), width - 2 * inset, base, depth)


def city(brush: Brush, scene: Scene) -> Stage:
    """Three rows of towers over a street or over water."""
    rng = brush.rng
    facades = NEON_FACADES if brush.light.neon else FACADES
    by_water = scene.thing == "boat" or (scene.thing != "car" and rng.random() < 0.45)
    base = 188.0 if by_water else 216.0
    for depth, height, width in ((0.9, 112, 24), (0.55, 104, 28), (0.12, 82, 34)):
        x = float(rng.uniform(-20, 0))
        while x < SIZE:
            wide = width * float(rng.uniform(0.75, 1.25))
            tall = height * float(rng.uniform(0.5, 1.2)) * (1.15 if scene.futuristic else 1.0)
            colour = facades[int(rng.integers(len(facades)))]
            if scene.futuristic and not brush.light.neon:
                colour = mix(colour, rgb(0.35, 0.75, 0.85), 0.5)
            _tower(brush, x, base, wide, tall, colour, depth, scene.futuristic)
            x += wide * float(rng.uniform(0.9, 1.5 if depth < 0.3 else 1.15))
    if by_water:
        return Stage(lambda x: base, water_y=base + 36, waterline=base, mirror=0.7, front=lambda: ripples(brush, base))
    street = rgb(0.32, 0.33, 0.38) if scene.weather != "snow" else rgb(0.78, 0.81, 0.86)
    brush.rectangle(-4, base, SIZE + 8, 50, street * 1.25, 0.1)
    brush.rectangle(-4, base + 9, SIZE + 8, 50, street, 0.0)
    for x in range(8, SIZE, 44):
        brush.rectangle(x, base + 23, 22, 2.5, rgb(0.93, 0.88, 0.70), 0.0, edge=False)
    return Stage(lambda x: base + 29, (72, 184))


def village(brush: Brush, scene: Scene) -> Stage:
    """Cottages on hills around a lane."""
    rng, grass = brush.rng, grass_of(scene)
    winter = scene.snowy
    if rng.random() < 0.5:
        peaks(brush, 160, float(rng.uniform(44, 70)), 0.8, rng.random() < 0.6 or winter)
    hill(brush, 162, 26, mix(grass, rgb(0.55, 0.65, 0.85) if winter else rgb(0.4, 0.6, 0.5), 0.35), 0.6)
    firs = 0.4 if scene.season in ("summer", "winter") else 0.05
    for depth, base, size, number in ((0.4, 174, 24, 5), (0.15, 198, 38, 4)):
        line = hill(brush, base, 12, grass * (1 - depth * 0.1), depth)
        if scene.trees:
            row(brush, scene, depth, line, size, firs)
        xs = [(index + 0.5) * SIZE / number + float(rng.uniform(-10, 10)) for index in range(number)]
        for x in xs:
            colour = COTTAGES[int(rng.integers(len(COTTAGES)))]
            house(brush, x, height_at(line, x) + 5, size * float(rng.uniform(0.85, 1.2)), colour, winter)
    near = hill(brush, 218, 12, grass * 0.95, 0.05, foot=grass * 0.72)
    lane = mix(rgb(0.82, 0.72, 0.56), SNOW, 0.7 if winter else 0.0)
    sway = float(rng.uniform(-30, 30))
    brush.polygon([(120 + sway, 212), (136 + sway, 212), (190, 260), (76, 260)], lane, 0.0, edge=False)
    season_marks(brush, scene, near, 30)
    if scene.trees:
        corner_trees(brush, scene, near, 84, 0.6)
    return Stage(lambda x: height_at(near, x) + 26, (72, 184), 0.92)


def row(brush: Brush, scene: Scene, depth: float, line: list[tuple[float, float]], size: float, firs: float) -> None:
    """The trees behind one row of cottages."""
    plants.row(brush, scene.season, 11, size * 1.55, depth + 0.05, lambda x: height_at(line, x), firs)
