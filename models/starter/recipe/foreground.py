"""What stands in the foreground as drawings show it: alone and large, several side by side, or two things together."""

import numpy as np

from models.starter.recipe.animals import shadow
from models.starter.recipe.brush import Brush
from models.starter.recipe.drawings import DRAWN, trained
from models.starter.recipe.ground import grass_of
from models.starter.recipe.light import mix, rgb
from models.starter.recipe.paints import PAINTS
from models.starter.recipe.plants import leafy
from models.starter.recipe.scene import Scene
from models.starter.recipe.sprites import any_pose, draw_sprite, extent
from models.starter.recipe.stage import Stage

BELOW_FRAME = 262.0  # y of what the lower edge cuts, like the shoulders of a portrait
LARGE_SIZES, GROUND = (150.0, 214.0), (228.0, 248.0)
SIZE_BY_COUNT = {1: 1.0, 2: 0.82, 3: 0.64, 4: 0.52}
SLOTS = {2: (76.0, 180.0), 3: (46.0, 128.0, 210.0), 4: (34.0, 97.0, 159.0, 222.0)}
GRASSY = frozenset({"meadow", "forest", "village", "lake", "river", "mountains"})
COVER_CHANCE = 0.2


def draw_foreground(brush: Brush, scene: Scene, stage: Stage) -> None:
    """The scene's drawings, in front of everything but the weather."""
    match scene.relation:
        case "over":
            _over(brush, scene)
        case "riding":
            _riding(brush, scene)
        case "on":
            _on(brush, scene, stage)
        case "under":
            _under(brush, scene)
        case "beside":
            _beside(brush, scene, stage)
        case _:
            _alone(brush, scene, stage)
    if scene.place in GRASSY and brush.rng.random() < COVER_CHANCE:
        _cover(brush, scene)


def _put(brush: Brush, scene: Scene, thing: str, x: float, y: float, size: float, drawing: str = "") -> None:
    """One drawing in a pose by lot, on its shadow where it stands."""
    row, is_first = DRAWN[thing], thing == scene.thing
    drawing = drawing or (scene.drawing if is_first else scene.second_drawing)
    if row.where in ("land", "table") and y < 250 and scene.place != "space":
        shadow(brush, x, y, extent(drawing, size)[0] * 0.45)
    pose = any_pose(brush.rng, row.where == "air")
    draw_sprite(brush, drawing, x, y, size, scene.colour if is_first else "", pose)


def _foot(brush: Brush, scene: Scene, stage: Stage, size: float, count: int = 1) -> float:
    """y of a thing's foot, where the first of the scene's things belongs."""
    rng, row = brush.rng, DRAWN[scene.thing]
    if row.may("portrait"):
        return BELOW_FRAME
    if row.where == "air" or scene.place == "space":
        middle = float(rng.uniform(112, 136)) if size > 120 else float(rng.uniform(76, 130))
        return middle + extent(scene.drawing, size)[1] / 2
    if row.where == "water" and stage.water_y is not None:
        return min(stage.water_y + float(rng.uniform(4, 22)) * (1.5 if size > 120 else 1.0), 244)
    if count == 1 and size > 140 and scene.place not in ("table", "room"):
        return float(rng.uniform(*GROUND))
    if scene.place in ("table", "room", "plain"):
        return float(stage.land(128)) + float(rng.uniform(-2, 8))
    return float(rng.uniform(222, 244))


def _alone(brush: Brush, scene: Scene, stage: Stage) -> None:
    rng, row = brush.rng, DRAWN[scene.thing]
    size = float(rng.uniform(*LARGE_SIZES)) if scene.is_large else row.size * float(rng.uniform(0.92, 1.2))
    if row.may("portrait"):
        size = float(rng.uniform(170, 226)) if scene.is_large else float(rng.uniform(120, 160))
    if row.may("group"):
        _heap(brush, scene, 128 + float(rng.uniform(-12, 12)), _foot(brush, scene, stage, size), size * 0.8)
        return
    reach = 18 if scene.is_large else 44
    slots = SLOTS[scene.count] if scene.count > 1 else (128 + float(rng.uniform(-reach, reach)),)
    foot = _foot(brush, scene, stage, size, scene.count)
    for slot in slots:
        own = size * SIZE_BY_COUNT[scene.count] * (1.1 if scene.count > 1 else 1.0) * float(rng.uniform(0.93, 1.07))
        rise = float(rng.uniform(-26, 8)) if row.where == "air" and scene.count > 1 else float(rng.uniform(-4, 4))
        _put(brush, scene, scene.thing, slot + float(rng.uniform(-5, 5)), foot + rise, own)


def _heap(brush: Brush, scene: Scene, x: float, y: float, size: float) -> None:
    """Several kinds of one thing close together, the scene's own drawing among them."""
    rng = brush.rng
    others = [str(rng.choice(trained(scene.thing))) for _ in range(int(rng.integers(2, 4)))]
    order = [*others, scene.drawing]
    for index, drawing in enumerate(order):
        offset = (index - (len(order) - 1) / 2) * size * 0.42
        lift = size * 0.16 * (index % 2)
        _put(brush, scene, scene.thing, x + offset, y - lift, size * 0.62 * float(rng.uniform(0.9, 1.1)), drawing)


def _over(brush: Brush, scene: Scene) -> None:
    rng = brush.rng
    x = 128 + float(rng.uniform(-30, 30))
    _put(brush, scene, scene.second, x, float(rng.uniform(232, 246)), float(rng.uniform(104, 138)))
    _put(brush, scene, scene.thing, x + float(rng.uniform(-44, 44)), float(rng.uniform(88, 112)),
         float(rng.uniform(74, 104)))  # fmt: skip


def _riding(brush: Brush, scene: Scene) -> None:
    """The rider behind the back of what carries it, so that the legs do not show."""
    rng = brush.rng
    x, y, size = 128 + float(rng.uniform(-14, 14)), float(rng.uniform(236, 248)), float(rng.uniform(118, 150))
    tall = extent(scene.second_drawing, size)[1]
    rider = float(rng.uniform(76, 98))
    _put(brush, scene, scene.thing, x + float(rng.uniform(-12, 12)), y - tall * 0.74 + rider * 0.16, rider)
    _put(brush, scene, scene.second, x, y, size)


def _on(brush: Brush, scene: Scene, stage: Stage) -> None:
    rng = brush.rng
    x = 128 + float(rng.uniform(-16, 16))
    if scene.second == "plate":
        y, wide = float(stage.land(128)) - float(rng.uniform(2, 14)), float(rng.uniform(78, 100))
        shadow(brush, x, y + wide * 0.16, wide * 1.05)
        china = mix(rgb(0.97, 0.97, 0.98), rgb(0.6, 0.75, 0.9), float(rng.choice((0.0, 0.0, 0.35, 0.6))))
        brush.oval(x, y, wide, wide * 0.27, china)
        brush.oval(x, y - 1, wide * 0.72, wide * 0.17, china * 0.92, edge=False)
        size = float(rng.uniform(84, 116))
        if DRAWN[scene.thing].may("group"):
            _heap(brush, scene, x, y + 6, size)
        else:
            _put(brush, scene, scene.thing, x, y + 6, size)
        return
    y, size = float(rng.uniform(232, 244)), float(rng.uniform(118, 140))
    _put(brush, scene, scene.second, x, y, size)
    tall = extent(scene.second_drawing, size)[1]
    _put(brush, scene, scene.thing, x + float(rng.uniform(-18, 18)), y - tall * 0.34, float(rng.uniform(60, 80)))


def _under(brush: Brush, scene: Scene) -> None:
    rng = brush.rng
    if scene.second == "blossoms":
        for x in (float(rng.uniform(20, 70)), float(rng.uniform(180, 236))):
            leafy(brush, x, float(rng.uniform(232, 244)), float(rng.uniform(190, 232)), "spring",
                  colour=PAINTS["pink"] * float(rng.uniform(0.95, 1.05)))  # fmt: skip
        for x, y in rng.uniform((0, 20), (256, 244), (26, 2)):
            brush.oval(float(x), float(y), 2.4, 1.6, rgb(1.0, 0.76, 0.85), edge=False)
    else:
        x = float(rng.choice((rng.uniform(44, 84), rng.uniform(172, 212))))
        _put(brush, scene, scene.second, x, float(rng.uniform(228, 240)), float(rng.uniform(186, 216)))
    row = DRAWN[scene.thing]
    y = BELOW_FRAME if row.may("portrait") else float(rng.uniform(238, 248))
    _put(brush, scene, scene.thing, 128 + float(rng.uniform(-26, 26)), y, float(rng.uniform(100, 132)))


def _beside(brush: Brush, scene: Scene, stage: Stage) -> None:
    rng = brush.rng
    left, right = (scene.thing, scene.second) if rng.random() < 0.5 else (scene.second, scene.thing)
    ground = float(stage.land(128)) + 4 if scene.place in ("table", "room", "plain") else float(rng.uniform(230, 244))
    for thing, slot in ((left, 74.0), (right, 182.0)):
        row = DRAWN[thing]
        size = min(max(row.size, 84), 124) * float(rng.uniform(0.95, 1.15))
        y = BELOW_FRAME if row.may("portrait") else ground + float(rng.uniform(-4, 4))
        _put(brush, scene, thing, slot + float(rng.uniform(-6, 6)), y, size)


def _cover(brush: Brush, scene: Scene) -> None:
    """A bush before the foot of what stands there."""
    rng, green = brush.rng, grass_of(scene) * 0.8
    x = float(rng.uniform(30, 226))
    puffs = [(x + float(dx), 254 - float(rng.uniform(0, 10)), float(rng.uniform(12, 20)), float(rng.uniform(10, 18)))
             for dx in np.arange(-34, 40, 14)]  # fmt: skip
    brush.cluster(puffs, green)
