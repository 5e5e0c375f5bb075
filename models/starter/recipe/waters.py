"""The places by the water, from far to near: lake, river, beach and harbour."""

import numpy as np
import skia

from models.starter.recipe import plants
from models.starter.recipe.brush import Brush
from models.starter.recipe.ground import ROCK, corner_trees, grass_of, hill, peaks, season_marks
from models.starter.recipe.light import Colour, mix, rgb
from models.starter.recipe.outlines import SIZE, ground_under, height_at
from models.starter.recipe.plants import SNOW, conifer, leafy, row
from models.starter.recipe.scene import Scene
from models.starter.recipe.stage import Stage
from models.starter.recipe.things import house

WATER = rgb(0.22, 0.54, 0.70)
SAND = rgb(0.96, 0.85, 0.62)
STONES = (rgb(0.72, 0.68, 0.64), rgb(0.66, 0.52, 0.44), rgb(0.80, 0.76, 0.68))
GABLES = (
    rgb(0.88, 0.38, 0.32), rgb(0.97, 0.80, 0.46), rgb(0.50, 0.68, 0.84), rgb(0.95, 0.92, 0.86), rgb(0.56, 0.75, 0.58),
)  # fmt: skip


def water(brush: Brush, top: float, colour: Colour = WATER) -> None:
    """Water from `top` to the lower edge, under the sky's light."""
    far = mix(brush.light.on(colour, 0.3), brush.light.sky[2], 0.5)
    near = mix(brush.light.on(colour * 0.78, 0.0), brush.light.sky[1], 0.25)
    brush.wash(top, SIZE, (far, near), sheets=4)


def ripples(brush: Brush, top: float, number: int = 30) -> None:
    """Short bright and dark strokes that widen towards the viewer, and a path of light under sun or moon."""
    rng, light = brush.rng, brush.light
    for _ in range(number):
        near = float(rng.uniform(0, 1)) ** 0.8
        y = top + 3 + near * (SIZE - top - 4)
        x, length = float(rng.uniform(-10, SIZE)), (8 + 30 * near) * float(rng.uniform(0.5, 1.2))
        tone = mix(light.sky[2], rgb(1, 1, 1), 0.3) if rng.random() < 0.65 else light.sky[0] * 0.8
        brush.line([(x, y), (x + length, y)], tone, 0.7 + 1.1 * near, 0.38, lit=False)
    if not light.sun_shows:
        return
    for step in range(22):
        near = (step + float(rng.uniform(0, 1))) / 22
        y = top + 2 + near * (SIZE - top - 10)
        half = (4 + 20 * near) * float(rng.uniform(0.4, 1.0))
        x = light.sun[0] + float(rng.normal()) * (2 + 7 * near)
        brush.line([(x - half, y), (x + half, y)], light.glow, 1.2 + 1.3 * near, 0.62 - 0.25 * near, lit=False)


def lake(brush: Brush, scene: Scene) -> Stage:
    """Mountains, a wooded far shore, its mirror image, and a near bank."""
    rng, grass = brush.rng, grass_of(scene)
    shore = float(rng.uniform(144, 160))
    if rng.random() < 0.75:
        peaks(brush, shore - 4, float(rng.uniform(54, 88)), 0.7, rng.random() < 0.6 or scene.season == "winter")
    hill(brush, shore - 6, 26, mix(grass, ROCK, 0.3), 0.5)
    line = hill(brush, shore + 3, 9, grass * 0.95, 0.2)
    firs = float(rng.choice((0.1, 0.5, 0.9))) if scene.season in ("summer", "winter") else 0.08
    gap = (80, 176) if scene.thing in ("house", "castle", "tree", "windmill", "dog", "cat", "horse") else None
    gap = (-20, 280) if scene.thing in ("tree", "train") or (gap and scene.count > 1) else gap
    if scene.trees:
        row(brush, scene.season, 15, 42, 0.28, lambda x: height_at(line, x), firs, None)
        row(brush, scene.season, 12, 50, 0.1, lambda x: height_at(line, x) + 3, firs, gap)
    else:
        row(brush, scene.season, 6, 24, 0.3, lambda x: height_at(line, x), firs, gap)

    def front() -> None:
        ripples(brush, shore)
        bank = hill(brush, SIZE + 6, 28, grass * 0.86, 0.0, foot=grass * 0.62)
        season_marks(brush, scene, bank, 26)
        if scene.trees and scene.count < 3:
            for x in (float(rng.uniform(-4, 20)), float(rng.uniform(236, 260))):
                if rng.random() < 0.8:
                    size = float(rng.uniform(92, 124))
                    draw = conifer if rng.random() < firs else leafy
                    draw(brush, x, max(height_at(bank, x), 236) + 4, size, scene.season)

    def land(x: float) -> float:
        return min(height_at(line, x) + 6, shore)

    return Stage(land, (84, 172), 0.84, water_y=shore + 56, waterline=shore, mirror=0.62, front=front)


def _bridge(brush: Brush, deck: float, foot: float, stone: Colour) -> None:
    """A stone bridge over the whole width, its roadway at `deck`, its arches open to the water down to `foot`."""
    rng, light = brush.rng, brush.light
    far = mix(light.on(WATER, 0.3), light.sky[2], 0.35)
    brush.veil(deck + 17, foot, (far, far), (1, 1))
    arches = int(rng.integers(2, 4))
    span = SIZE / arches
    shift = float(rng.uniform(-0.25, 0.25)) * span
    path = skia.Path()
    path.setFillType(skia.PathFillType.kEvenOdd)
    path.addRect(skia.Rect.MakeLTRB(-8, deck, SIZE + 8, foot))
    rise = foot - deck - 13
    for index in range(-1, arches + 1):
        left = shift + index * span + span * 0.09
        right = left + span * 0.82
        path.moveTo(left, foot + 2)
        path.cubicTo(left, foot - rise * 1.3, right, foot - rise * 1.3, right, foot + 2)
        path.close()
    brush.fill(path, stone, 0.08, foot=stone * 0.72)
    brush.rectangle(-8, deck - 7, SIZE + 16, 6, stone * 1.08, 0.06)
    brush.rectangle(-8, deck - 1, SIZE + 16, 3, stone * 0.66, 0.06, edge=False)
    for post in np.arange(shift % 64 - 64, SIZE + 8, 64):
        brush.rectangle(float(post), deck - 13, 8, 13, stone * 1.04, 0.06)
        if brush.light.lamps:
            brush.shine(float(post) + 4, deck - 18, 15, rgb(1.0, 0.85, 0.45), 0.75)
            brush.glow_disc(float(post) + 4, deck - 17, 3, 3, rgb(1.0, 0.92, 0.65))


def river(brush: Brush, scene: Scene) -> Stage:
    """Wooded hills, a stone bridge across, the water under its arches, a bank in front."""
    rng, grass = brush.rng, grass_of(scene)
    deck, foot = float(rng.uniform(158, 168)), 206.0
    if rng.random() < 0.5:
        peaks(brush, 150, float(rng.uniform(46, 80)), 0.75, rng.random() < 0.6 or scene.snowy)
    hill(brush, 150, 30, mix(grass, ROCK, 0.25), 0.5)
    line = hill(brush, deck - 2, 22, grass * 0.95, 0.22)
    firs = float(rng.choice((0.1, 0.6))) if scene.season in ("summer", "winter") else 0.06
    standing = scene.thing in ("house", "castle", "windmill", "tree")
    gap = (-20, 280) if scene.thing == "tree" or (standing and scene.count > 1) else (70, 186) if standing else None
    number, tall = (13, 48) if scene.trees else (4, 32)
    row(brush, scene.season, number, tall, 0.2, lambda x: height_at(line, x) + 3, firs, gap)
    stone = STONES[int(rng.integers(len(STONES)))]
    over_bridge = scene.thing in ("train", "car", "dog", "horse", "cat")
    if not standing:
        _bridge(brush, deck, foot, stone)

    def front() -> None:
        ripples(brush, foot, 16)
        bank = hill(brush, SIZE + 10, 24, grass * 0.86, 0.0, foot=grass * 0.62)
        season_marks(brush, scene, bank, 26)
        if scene.trees:
            corner_trees(brush, scene, [(x, y - 4) for x, y in bank], 84, 0.6)

    def before_mirror() -> None:
        if standing:
            _bridge(brush, deck, foot, stone)

    land_y = deck - 3 if over_bridge else deck + 4
    scale = 0.8 if over_bridge else 0.86
    return Stage(lambda x: land_y, (78, 178), scale, water_y=foot + 20, waterline=foot, mirror=0.62,
                 before_mirror=before_mirror, front=front)  # fmt: skip


def beach(brush: Brush, scene: Scene) -> Stage:
    """Sea to the horizon, a curved strip of sand, palms."""
    rng = brush.rng
    horizon = float(rng.uniform(126, 144))
    if rng.random() < 0.4:
        hill(brush, horizon + 4, 18, rgb(0.40, 0.58, 0.45), 0.7)
    water(brush, horizon, rgb(0.10, 0.62, 0.74))
    sand = mix(SAND, SNOW, 0.85) if scene.weather == "snow" else SAND
    tilt = float(rng.choice((-1, 1)))
    xs = np.linspace(-6, 262, 24)
    edge = [(float(x), 202 - tilt * (float(x) - 128) * 0.16 + 5 * float(np.sin(x / 34.0))) for x in xs]

    def front() -> None:
        ripples(brush, horizon, 34)
        for rise, tone in ((7, rgb(0.62, 0.88, 0.90)), (4, rgb(0.97, 0.99, 0.99))):
            brush.polygon(ground_under([(x, y - rise) for x, y in edge]), tone, 0.1, edge=False)
        brush.polygon(ground_under(edge), sand, 0.0)
        brush.line([(x, y + 5) for x, y in edge], sand * 0.84, 5, 0.7)
        if rng.random() < 0.8 and scene.thing not in ("balloon", "birds"):  # it would hide them
            x = float(rng.uniform(10, 36)) if tilt > 0 else float(rng.uniform(220, 246))
            x = SIZE - x if rng.random() < 0.3 else x
            plants.palm(brush, x, height_at(edge, x) + 18, float(rng.uniform(90, 128)))

    low = (130, 190) if tilt > 0 else (66, 126)
    return Stage(lambda x: height_at(edge, x) + 30, low, water_y=horizon + 44, waterline=horizon, mirror=0.35,
                 front=front, things_last=True)  # fmt: skip


def harbour(brush: Brush, scene: Scene) -> Stage:
    """Sea, a quay with coloured gables on one side, a rock on the other."""
    rng = brush.rng
    horizon = float(rng.uniform(136, 150))
    if rng.random() < 0.6:
        hill(brush, horizon + 3, 24, rgb(0.45, 0.55, 0.55), 0.75)
    water(brush, horizon, rgb(0.16, 0.44, 0.66))
    side = float(rng.choice((-1, 1)))
    middle = 128 + side * 72
    order = rng.permutation(len(GABLES))
    for index in range(4):
        x = middle + (index - 1.5) * 32
        house(brush, x, horizon + 14, float(rng.uniform(36, 46)), GABLES[int(order[index])], scene.weather == "snow")
    quay = SNOW if scene.weather == "snow" else rgb(0.56, 0.50, 0.48)
    brush.rectangle(middle - 74, horizon + 13, 148, 10, quay, 0.1)
    rock = 128 - side * 62

    def front() -> None:
        ripples(brush, horizon + 22, 36)
        for post in range(6):
            brush.rectangle(middle - 64 + post * 26, horizon + 22, 4, 11, rgb(0.35, 0.28, 0.26), 0.05, edge=False)
        if scene.thing == "lighthouse":
            brush.oval(rock, 222, 60, 17, rgb(0.42, 0.40, 0.42), 0.0)
            brush.oval(rock - 5, 216, 45, 11, rgb(0.54, 0.52, 0.52), 0.0, edge=False)

    return Stage(lambda x: 214, (rock, rock), 1.1, water_y=horizon + 68, waterline=horizon + 22, mirror=0.45,
                 front=front, things_last=True)  # fmt: skip
