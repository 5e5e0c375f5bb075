"""The natural places: terrain from far to near, in the scene's light."""

import numpy as np
import skia

from models.starter.recipe import plants
from models.starter.recipe.brush import SIZE, Brush, ground_under, height_at, outline
from models.starter.recipe.light import Colour, mix, rgb
from models.starter.recipe.plants import GRASS, SNOW, conifer, leafy, row
from models.starter.recipe.scene import Scene
from models.starter.recipe.stage import Stage

ROCK = rgb(0.45, 0.46, 0.55)
WATER = rgb(0.24, 0.52, 0.66)
SAND = rgb(0.95, 0.84, 0.62)


def grass_of(scene: Scene) -> Colour:
    """The ground's colour in the season."""
    return GRASS["winter" if scene.weather == "snow" else scene.season]


def hill(brush: Brush, base: float, height: float, colour: Colour, depth: float, roughness: float = 0.4,
         foot: Colour | None = None) -> list[tuple[float, float]]:  # fmt: skip
    """A rolling hill over the whole width; returns its outline."""
    line = outline(brush.rng, base, height, roughness)
    path = skia.Path()
    path.addPoly([skia.Point(x, y) for x, y in ground_under(line)], True)
    brush.fill(path, colour, depth, foot=foot)
    return line


def peaks(brush: Brush, base: float, height: float, depth: float, snow: bool, colour: Colour = ROCK) -> None:
    """A range of pointed mountains, lit from one side."""
    rng = brush.rng
    side = float(rng.choice((-1, 1)))
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
        brush.polygon(shade, colour * 0.78, depth, edge=False)
        if snow and rise > height * 0.45:
            cap = rise * 0.34
            spread = half * 0.34
            zigzag = [(x - spread, top + cap), (x - spread * 0.45, top + cap * 0.72),
                      (x - spread * 0.1, top + cap * 1.15), (x + spread * 0.4, top + cap * 0.75),
                      (x + spread, top + cap)]  # fmt: skip
            brush.polygon([(x, top), *zigzag], SNOW, depth * 0.7, edge=False)
            half_cap = [(x, top), *(zigzag[2:] if side > 0 else zigzag[2::-1])]
            brush.polygon(half_cap, SNOW * np.array((0.80, 0.86, 0.94)), depth * 0.7, edge=False)


def water(brush: Brush, top: float, colour: Colour = WATER) -> None:
    """Water from `top` to the lower edge, under the sky's light."""
    far = mix(brush.light.on(colour, 0.3), brush.light.sky[2], 0.45)
    near = mix(brush.light.on(colour * 0.75, 0.0), brush.light.sky[1], 0.2)
    brush.veil(top, SIZE, (far, near), (1, 1))


def ripples(brush: Brush, top: float, number: int = 34) -> None:
    """Short bright and dark strokes that widen towards the viewer."""
    rng = brush.rng
    for _ in range(number):
        near = float(rng.uniform(0, 1)) ** 0.8
        y = top + 3 + near * (SIZE - top - 4)
        x, length = float(rng.uniform(-10, SIZE)), (8 + 30 * near) * float(rng.uniform(0.5, 1.2))
        tone = mix(brush.light.sky[2], rgb(1, 1, 1), 0.3) if rng.random() < 0.65 else brush.light.sky[0] * 0.8
        brush.line([(x, y), (x + length, y)], tone, 0.7 + 1.1 * near, 0.38, lit=False)


def lake(brush: Brush, scene: Scene) -> Stage:
    """Mountains, a wooded far shore, its mirror image, and a near bank."""
    rng, grass = brush.rng, grass_of(scene)
    shore = float(rng.uniform(140, 158))
    if rng.random() < 0.75:
        peaks(brush, shore - 4, float(rng.uniform(48, 84)), 0.75, rng.random() < 0.6 or scene.season == "winter")
    hill(brush, shore - 6, 26, mix(grass, ROCK, 0.35), 0.55)
    line = hill(brush, shore + 3, 9, grass * 0.92, 0.2)
    firs = float(rng.choice((0.1, 0.5, 0.9))) if scene.season in ("summer", "winter") else 0.08
    gap = (88, 168) if scene.thing in ("house", "castle", "tree") else None
    if scene.trees:
        row(brush, scene.season, 17, 36, 0.28, lambda x: height_at(line, x), firs, gap)
        row(brush, scene.season, 14, 44, 0.12, lambda x: height_at(line, x) + 3, firs, gap)
    else:
        row(brush, scene.season, 5, 20, 0.3, lambda x: height_at(line, x), firs, gap)

    def front() -> None:
        ripples(brush, shore)
        bank = hill(brush, SIZE + 6, 26, grass * 0.8, 0.0, foot=grass * 0.6)
        if scene.trees:
            for x in (float(rng.uniform(4, 26)), float(rng.uniform(230, 252))):
                if rng.random() < 0.8:
                    size = float(rng.uniform(92, 124))
                    draw = conifer if rng.random() < firs else leafy
                    draw(brush, x, max(height_at(bank, x), 236) + 4, size, scene.season)

    def land(x: float) -> float:
        return min(height_at(line, x) + 6, shore)

    return Stage(land, (84, 172), 0.78, water_y=shore + 46, waterline=shore, mirror=0.62, front=front)


def forest(brush: Brush, scene: Scene) -> Stage:
    """Rows of trees behind one another, a path between them."""
    rng, grass = brush.rng, grass_of(scene)
    firs = {"summer": float(rng.choice((0.2, 0.9))), "winter": float(rng.choice((0.3, 0.95)))}.get(scene.season, 0.06)
    for depth, base, size, number in ((0.85, 150, 66, 15), (0.6, 164, 84, 12), (0.35, 180, 104, 9)):
        line = hill(brush, base, 8, mix(grass, plants.CONIFERS[scene.season], depth * 0.7), depth)
        gap = (104, 152) if depth < 0.5 else None
        row(brush, scene.season, number, size, depth, lambda x, line=line: height_at(line, x), firs, gap)
    ground = hill(brush, 194, 8, grass * 0.88, 0.1, foot=grass * 0.72)
    sway = float(rng.uniform(-22, 22))
    path = [(122, 192), (134, 192), (140 + sway, 216), (196, 260), (72, 260), (112 + sway, 216)]
    earth = mix(rgb(0.80, 0.68, 0.50), SNOW, 0.7 if scene.season == "winter" else 0.0)
    brush.polygon(path, earth, 0.05, edge=False)
    for x in (float(rng.uniform(2, 34)), float(rng.uniform(222, 254))):
        draw = conifer if rng.random() < firs else leafy
        draw(brush, x, 238, float(rng.uniform(150, 190)), scene.season)
    return Stage(lambda x: max(height_at(ground, x) + 26, 222), (92, 164), 0.9, things_last=True)


def mountains(brush: Brush, scene: Scene) -> Stage:
    """Three ranges and green foothills."""
    rng, grass = brush.rng, grass_of(scene)
    snow = scene.season == "winter" or rng.random() < 0.75
    peaks(brush, 176, float(rng.uniform(96, 128)), 0.85, snow)
    peaks(brush, 184, float(rng.uniform(76, 104)), 0.45, snow, ROCK * rgb(0.95, 0.97, 1.05))
    middle = hill(brush, 192, 26, mix(grass, ROCK, 0.25), 0.3)
    if rng.random() < 0.7:
        row(brush, scene.season, 15, 20, 0.28, lambda x: height_at(middle, x), 0.9)
    near = hill(brush, 226, 22, grass * 0.9, 0.05, foot=grass * 0.68)
    if rng.random() < 0.6:
        for x in (float(rng.uniform(6, 50)), float(rng.uniform(206, 250))):
            conifer(brush, x, height_at(near, x) + 4, float(rng.uniform(44, 66)), scene.season)
    return Stage(lambda x: height_at(near, x) + 10, (72, 184), 0.85)


def desert(brush: Brush, scene: Scene) -> Stage:
    """Dunes with a lit and a shaded side, mesas far away, cacti."""
    rng = brush.rng
    tones = (rgb(0.95, 0.78, 0.50), rgb(0.93, 0.68, 0.42), rgb(0.96, 0.83, 0.60))
    sand = tones[int(rng.integers(len(tones)))]
    if rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 4))):
            x, width, height = float(rng.uniform(0, SIZE)), float(rng.uniform(24, 52)), float(rng.uniform(24, 52))
            brush.polygon([(x - width, 168), (x - width * 0.7, 158 - height), (x + width * 0.7, 158 - height),
                           (x + width, 168)], rgb(0.78, 0.46, 0.34), 0.6)  # fmt: skip
    line: list[tuple[float, float]] = []
    for index, base in enumerate((168, 184, 204, 228)):
        depth = 0.55 - 0.18 * index
        line = hill(brush, base, float(rng.uniform(14, 26)), sand, depth, 0.3, foot=sand * 0.72)
        top = min(line, key=lambda point: point[1])
        side = float(rng.choice((-1, 1)))
        crest = [(x, y) for x, y in line if 0 <= (x - top[0]) * side <= 100]
        if len(crest) > 3:
            brush.polygon([*crest, (top[0] + side * 50, top[1] + 30)], sand * 0.83, depth, edge=False)
    for _ in range(int(rng.integers(0, 4))):
        x = float(rng.choice((rng.uniform(6, 60), rng.uniform(196, 250))))
        plants.cactus(brush, x, height_at(line, x) + 10, float(rng.uniform(26, 50)))
    return Stage(lambda x: height_at(line, x) + 12, (80, 176), 0.9)


def beach(brush: Brush, scene: Scene) -> Stage:
    """Sea to the horizon, a curved strip of sand, palms."""
    rng = brush.rng
    horizon = float(rng.uniform(124, 142))
    if rng.random() < 0.4:
        hill(brush, horizon + 4, 18, rgb(0.40, 0.58, 0.45), 0.7)
    water(brush, horizon, rgb(0.16, 0.60, 0.70))
    sand = mix(SAND, SNOW, 0.8) if scene.weather == "snow" else SAND
    tilt = float(rng.choice((-1, 1)))
    xs = np.linspace(-6, 262, 24)
    edge = [(float(x), 202 - tilt * (float(x) - 128) * 0.16 + 5 * float(np.sin(x / 34.0))) for x in xs]

    def front() -> None:
        ripples(brush, horizon, 40)
        foam = [(x, y - 4) for x, y in edge]
        brush.polygon(ground_under(foam), rgb(0.96, 0.98, 0.98), 0.1, edge=False)
        brush.polygon(ground_under(edge), sand, 0.0)
        brush.line([(x, y + 5) for x, y in edge], sand * 0.84, 5, 0.7)
        if scene.weather != "snow" and rng.random() < 0.75:
            x = float(rng.uniform(14, 44)) if tilt > 0 else float(rng.uniform(212, 242))
            x = SIZE - x if rng.random() < 0.3 else x
            plants.palm(brush, x, height_at(edge, x) + 18, float(rng.uniform(80, 116)))

    low = (150, 206) if tilt > 0 else (50, 106)
    return Stage(lambda x: height_at(edge, x) + 24, low, 0.95, water_y=horizon + 34, waterline=horizon, mirror=0.35,
                 front=front, things_last=True)  # fmt: skip


def meadow(brush: Brush, scene: Scene) -> Stage:
    """Green hills behind one another, flowers in front."""
    rng, grass = brush.rng, grass_of(scene)
    for depth, base in ((0.75, 164), (0.5, 180)):
        line = hill(brush, base, 30, mix(grass, rgb(0.4, 0.6, 0.5), depth * 0.4), depth)
        if scene.trees:
            row(brush, scene.season, 9, 34 - 16 * depth, depth, lambda x, line=line: height_at(line, x),
                0.2 if scene.season == "summer" else 0.05)  # fmt: skip
    if scene.trees:
        line = hill(brush, 194, 18, grass * 0.95, 0.25)
        row(brush, scene.season, 9, 52, 0.2, lambda x: height_at(line, x), 0.15, (84, 172))
    near = hill(brush, 214, 22, grass, 0.05, foot=grass * 0.74)
    if scene.season in ("spring", "summer") and scene.weather != "snow":
        tones = (rgb(0.95, 0.30, 0.35), rgb(1.0, 0.85, 0.25), rgb(0.98, 0.98, 0.95), rgb(0.75, 0.45, 0.85))
        chosen = [tones[int(index)] for index in rng.choice(4, 2, replace=False)]
        for _ in range(80):
            x, near_by = float(rng.uniform(0, SIZE)), float(rng.uniform(0, 1))
            y = height_at(near, x) + 6 + near_by * (SIZE - height_at(near, x))
            size = 1.0 + 2.6 * near_by
            brush.oval(x, y, size, size * 0.8, chosen[int(rng.integers(2))], 0.0, edge=False)
    return Stage(lambda x: height_at(near, x) + 12, (76, 180), 1.0)
