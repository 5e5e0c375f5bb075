"""One picture of a scene, from the sky to the style, in one numbered story."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.starter.recipe.brush import Brush
from models.starter.recipe.foreground import draw_foreground
from models.starter.recipe.hands import HANDS, PLAIN
from models.starter.recipe.light import Light, light_of, mix
from models.starter.recipe.outlines import SIZE
from models.starter.recipe.paints import PAINTS
from models.starter.recipe.places import desert, forest, meadow, mountains
from models.starter.recipe.rooms import plain, room, sea, space, table
from models.starter.recipe.scene import Scene
from models.starter.recipe.sky import draw_sky, draw_weather
from models.starter.recipe.stage import Stage
from models.starter.recipe.styles import apply_style
from models.starter.recipe.things import DRAWINGS
from models.starter.recipe.towns import city, village
from models.starter.recipe.waters import beach, harbour, lake, river, water

PLACES = {
    "lake": lake, "forest": forest, "mountains": mountains, "desert": desert, "city": city, "beach": beach,
    "meadow": meadow, "village": village, "harbour": harbour, "river": river, "sea": sea, "space": space, "room": room,
    "table": table, "plain": plain,
}  # fmt: skip
AFLOAT, ALOFT = frozenset({"boat"}), frozenset({"balloon", "birds"})
# Height of each thing in units when it stands near and alone; for birds half the wing span.
SIZES = {
    "house": 96, "castle": 116, "lighthouse": 136, "windmill": 128, "boat": 98, "balloon": 108, "tree": 122, "car": 84,
    "train": 66, "birds": 52, "cat": 98, "dog": 94, "horse": 112,
}  # fmt: skip
OWN_LIGHT = {"day": 0.5, "sunset": 0.62, "night": 0.6}  # how far things keep their colour whatever the hour does
SIZE_BY_COUNT = {1: 1.0, 2: 0.78, 3: 0.62, 4: 0.5}
SLOTS = {2: (76.0, 180.0), 3: (46.0, 128.0, 210.0), 4: (34.0, 97.0, 159.0, 222.0)}  # where several things stand


def render(scene: Scene, rng: np.random.Generator, size: int = SIZE) -> NDArray[np.uint8]:
    """The scene as RGB pixels, (size, size, 3) in [0, 255]; the same seed gives the same picture at every size."""
    brush = Brush(light_of(scene, rng), rng, size, HANDS.get(scene.style, PLAIN))
    if not scene.is_indoors:
        draw_sky(brush, scene)  # 1. what is above
    stage = PLACES[scene.place](brush, scene)  # 2. the ground from far to near
    late = scene.thing in AFLOAT or (stage.things_last and scene.thing not in ALOFT)
    draw_things = _draw_nothing if scene.drawing else _draw_things
    if not late:
        draw_things(brush, scene, stage)  # 3. things that the water mirrors
    if stage.waterline is not None:
        stage.before_mirror()
        if scene.place in ("lake", "city", "river"):
            water(brush, stage.waterline)
        brush.reflect(stage.waterline, stage.mirror)  # 4. the mirror image
    stage.front()  # 5. the foreground
    if late:
        draw_things(brush, scene, stage)
    if scene.drawing:
        light = brush.light
        brush.light = _own_light(light, scene)
        draw_foreground(brush, scene, stage)
        brush.light = light
    if not scene.is_indoors:
        draw_weather(brush, scene)  # 6. the air
    return apply_style(brush.rgb(), scene, rng)  # 7. the hand that drew it


def _own_light(light: Light, scene: Scene) -> Light:
    """The light on things, which keep their colour whatever the hour does."""
    own = 0.38 if light.neon else OWN_LIGHT[scene.time]
    return replace(light, ambient=mix(light.ambient, np.ones(3), own), dull=0.0)


def _draw_nothing(_brush: Brush, _scene: Scene, _stage: Stage) -> None:
    """Where a drawing shows the thing."""


def _draw_things(brush: Brush, scene: Scene, stage: Stage) -> None:
    """`count` things side by side where they belong: afloat, aloft or on the ground."""
    if not scene.thing:
        return
    rng, light = brush.rng, brush.light
    brush.light = _own_light(light, scene)
    afloat, aloft = scene.thing in AFLOAT, scene.thing in ALOFT
    scale = SIZE_BY_COUNT[scene.count] * (1.0 if afloat or aloft else stage.land_scale)
    low, high = (70.0, 186.0) if afloat or aloft else stage.land_x
    if scene.thing == "train":
        low, high = 118.0, 138.0  # it is as long as the picture is wide
    slots = SLOTS[scene.count] if scene.count > 1 else (float(rng.uniform(low, high)),)
    for slot in slots:
        x = slot + float(rng.uniform(-4, 4))
        size = SIZES[scene.thing] * scale * float(rng.uniform(0.92, 1.1))
        if afloat:
            y = (stage.water_y or 200) + float(rng.uniform(-4, 8))
        elif aloft:
            y = float(rng.uniform(124, 142) if scene.thing == "balloon" else rng.uniform(66, 116))
        else:
            y = stage.land(x)
        colour = np.clip(PAINTS[scene.colour] * rng.uniform(0.94, 1.05), 0, 1)
        DRAWINGS[scene.thing](brush, x, y, size, colour, scene.snowy)
    brush.light = light
