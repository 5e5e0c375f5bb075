"""The places on land, from far to near: forest, mountains, desert and meadow."""

from models.starter.recipe import plants
from models.starter.recipe.brush import Brush
from models.starter.recipe.ground import ROCK, corner_trees, dots, fence, grass_of, hill, peaks, season_marks
from models.starter.recipe.light import mix, rgb
from models.starter.recipe.outlines import SIZE, height_at
from models.starter.recipe.plants import LEAVES, SNOW, conifer, leafy, row
from models.starter.recipe.scene import Scene
from models.starter.recipe.stage import Stage


def forest(brush: Brush, scene: Scene) -> Stage:
    """Rows of trees behind one another, a path between them, shafts of sun."""
    rng, grass = brush.rng, grass_of(scene)
    firs = {"summer": float(rng.choice((0.15, 0.8))), "winter": float(rng.choice((0.4, 0.95)))}.get(scene.season, 0.06)
    for depth, base, size, number in ((0.85, 150, 66, 13), (0.58, 164, 86, 10), (0.3, 180, 108, 7)):
        line = hill(brush, base, 8, mix(grass, plants.CONIFERS[scene.season], depth * 0.7), depth)
        gap = (100, 156) if depth < 0.5 else None
        row(brush, scene.season, number, size, depth, lambda x, line=line: height_at(line, x), firs, gap)
    ground = hill(brush, 194, 8, grass * 0.92, 0.1, foot=grass * 0.75)
    sway = float(rng.uniform(-22, 22))
    path = [(120, 192), (136, 192), (144 + sway, 216), (200, 260), (66, 260), (108 + sway, 216)]
    earth = mix(rgb(0.84, 0.72, 0.54), SNOW, 0.6 if scene.season == "winter" else 0.0)
    brush.polygon(path, earth, 0.05, edge=False)
    season_marks(brush, scene, ground, 40)
    for x in (float(rng.uniform(-4, 24)), float(rng.uniform(232, 260))):
        draw = conifer if rng.random() < firs else leafy
        draw(brush, x, 240, float(rng.uniform(150, 190)), scene.season)
    if brush.light.sun_shows and scene.time != "night" and not brush.hand.flat:
        x, y = brush.light.sun
        for offset in rng.uniform(-70, 70, 3):
            beam = [(x - 4, y), (x + 4, y), (x + offset + 24, 230), (x + offset - 14, 230)]
            brush.beam(beam, brush.light.glow, 0.10)
    return Stage(lambda x: max(height_at(ground, x) + 34, 230), (96, 160), 1.0, things_last=True)


def mountains(brush: Brush, scene: Scene) -> Stage:
    """Three ranges and green foothills."""
    rng, grass = brush.rng, grass_of(scene)
    snow = scene.season == "winter" or rng.random() < 0.75
    peaks(brush, 176, float(rng.uniform(100, 132)), 0.8, snow)
    peaks(brush, 184, float(rng.uniform(76, 104)), 0.4, snow, ROCK * rgb(0.95, 0.97, 1.05))
    middle = hill(brush, 192, 26, mix(grass, ROCK, 0.2), 0.3)
    if rng.random() < 0.8:
        firs = 0.9 if scene.season in ("summer", "winter") else 0.35
        row(brush, scene.season, 13, 24, 0.25, lambda x: height_at(middle, x), firs)
    near = hill(brush, 224, 22, grass * 0.96, 0.05, foot=grass * 0.72)
    season_marks(brush, scene, near)
    if rng.random() < 0.6 and scene.thing != "tree":
        draw = conifer if scene.season in ("summer", "winter") else leafy
        for x in (float(rng.uniform(0, 34)), float(rng.uniform(222, 256))):
            draw(brush, x, height_at(near, x) + 8, float(rng.uniform(56, 80)), scene.season)
    return Stage(lambda x: height_at(near, x) + 16, (76, 180))


def desert(brush: Brush, scene: Scene) -> Stage:
    """Dunes with a lit and a shaded side, mesas far away, cacti."""
    rng = brush.rng
    tones = (rgb(0.97, 0.79, 0.48), rgb(0.95, 0.68, 0.40), rgb(0.98, 0.84, 0.58))
    sand = tones[int(rng.integers(len(tones)))]
    if rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 4))):
            x, width, height = float(rng.uniform(0, SIZE)), float(rng.uniform(24, 52)), float(rng.uniform(28, 58))
            top = 158 - height
            brush.polygon([(x - width, 168), (x - width * 0.7, top), (x + width * 0.7, top), (x + width, 168)],
                          rgb(0.80, 0.46, 0.34), 0.55)  # fmt: skip
            brush.polygon([(x + width * 0.25, 168), (x + width * 0.2, top), (x + width * 0.7, top), (x + width, 168)],
                          rgb(0.62, 0.34, 0.28), 0.55, edge=False)  # fmt: skip
    line: list[tuple[float, float]] = []
    for index, base in enumerate((168, 184, 204, 228)):
        depth = 0.5 - 0.16 * index
        line = hill(brush, base, float(rng.uniform(14, 28)), sand * (0.92 + 0.03 * index), depth, 0.3, foot=sand * 0.7)
        top = min(line, key=lambda point: point[1])
        side = 1.0 if brush.light.sun[0] < SIZE / 2 else -1.0
        crest = [(x, y) for x, y in line if 0 <= (x - top[0]) * side <= 100]
        if len(crest) > 3:
            brush.polygon([*crest, (top[0] + side * 50, top[1] + 34)], sand * 0.78, depth, edge=False)
    for _ in range(int(rng.integers(1, 4))):
        x = float(rng.choice((rng.uniform(6, 50), rng.uniform(206, 250))))
        plants.cactus(brush, x, height_at(line, x) + 10, float(rng.uniform(34, 60)))
    return Stage(lambda x: height_at(line, x) + 16, (80, 176))


def meadow(brush: Brush, scene: Scene) -> Stage:
    """Hills behind one another, flowers in front."""
    rng, grass = brush.rng, grass_of(scene)
    if rng.random() < 0.35:
        peaks(brush, 168, float(rng.uniform(40, 64)), 0.9, rng.random() < 0.5 or scene.snowy)
    distant = rgb(0.55, 0.65, 0.85) if scene.snowy else rgb(0.4, 0.6, 0.5)
    firs = 0.25 if scene.season in ("summer", "winter") else 0.05
    for depth, base in ((0.7, 168), (0.45, 184)):
        line = hill(brush, base, 32, mix(grass, distant, depth * 0.35), depth)
        if scene.thing != "tree":
            few = (5, 40 - 20 * depth) if scene.snowy or scene.weather == "fog" else (3, 26 - 12 * depth)
            number, tall = (9, 38 - 16 * depth) if scene.trees else few
            row(brush, scene.season, number, tall, depth, lambda x, line=line: height_at(line, x), firs)
    if scene.trees:
        line = hill(brush, 198, 18, grass * 0.95, 0.22)
        row(brush, scene.season, 9, 60, 0.18, lambda x: height_at(line, x), 0.15, (84, 172))
    near = hill(brush, 214, 22, grass, 0.05, foot=grass * 0.74)
    season_marks(brush, scene, near, 110)
    if scene.season == "summer" and not scene.snowy:
        dots(brush, near, (LEAVES["summer"][2],), 16)
    if rng.random() < 0.4 and scene.count == 1:
        fence(brush, near)
    if scene.trees:
        corner_trees(brush, scene, near, 96)
    return Stage(lambda x: height_at(near, x) + 20, (76, 180), 1.04)
