"""One picture of a scene, from the sky to the style, in one numbered story."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.starter.recipe.brush import Brush
from models.starter.recipe.light import light_of, mix
from models.starter.recipe.places import beach, desert, forest, lake, meadow, mountains, water
from models.starter.recipe.scene import Scene
from models.starter.recipe.sky import draw_sky, draw_weather
from models.starter.recipe.stage import Stage
from models.starter.recipe.styles import apply_style
from models.starter.recipe.things import DRAWINGS, PAINTS
from models.starter.recipe.towns import city, harbour, village

PLACES = {
    "lake": lake, "forest": forest, "mountains": mountains, "desert": desert, "city": city, "beach": beach,
    "meadow": meadow, "village": village, "harbour": harbour,
}  # fmt: skip
AFLOAT, ALOFT = frozenset({"boat"}), frozenset({"balloon", "birds"})
# Height of each thing in pixels when it stands near and alone; for birds half the wing span.
SIZES = {
    "house": 66, "castle": 92, "lighthouse": 112, "boat": 74, "balloon": 84, "tree": 100, "car": 58, "birds": 34,
    "cat": 74,
}  # fmt: skip
SIZE_BY_COUNT = {1: 1.0, 2: 0.8, 3: 0.68}


def render(scene: Scene, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The scene as RGB pixels, (256, 256, 3) in [0, 255]; the same seed gives the same picture."""
    brush = Brush(light_of(scene, rng), rng)
    draw_sky(brush, scene, horizon=150)  # 1. what is above
    stage = PLACES[scene.place](brush, scene)  # 2. the ground from far to near
    late = scene.thing in AFLOAT or (stage.things_last and scene.thing not in ALOFT)
    if not late:
        _draw_things(brush, scene, stage)  # 3. things that the water mirrors
    if stage.waterline is not None:
        if scene.place in ("lake", "city"):
            water(brush, stage.waterline)
        brush.reflect(stage.waterline, stage.mirror)  # 4. the mirror image
    stage.front()  # 5. the foreground
    if late:
        _draw_things(brush, scene, stage)
    draw_weather(brush, scene)  # 6. the air
    return apply_style(brush.rgb(), scene, rng)  # 7. the hand that drew it


def _draw_things(brush: Brush, scene: Scene, stage: Stage) -> None:
    """`count` things side by side where they belong: afloat, aloft or on the ground."""
    if not scene.thing:
        return
    rng, light = brush.rng, brush.light
    brush.light = replace(light, ambient=mix(light.ambient, np.ones(3), 0.0 if light.neon else 0.45), dull=0.0)
    afloat, aloft = scene.thing in AFLOAT, scene.thing in ALOFT
    low, high = (54.0, 202.0) if afloat or aloft else stage.land_x
    if scene.count > 1:
        low, high = min(low, 60.0), max(high, 196.0)
    slots = np.linspace(low, high, scene.count + 2)[1:-1] if scene.count == 1 else np.linspace(low, high, scene.count)
    scale = SIZE_BY_COUNT[scene.count] * (1.0 if afloat or aloft else stage.land_scale)
    shift = float(rng.uniform(-0.3, 0.3)) * (high - low) if scene.count == 1 else float(rng.uniform(-8, 8))
    for slot in slots:
        x = float(slot) + shift + float(rng.uniform(-4, 4))
        size = SIZES[scene.thing] * scale * float(rng.uniform(0.9, 1.12))
        if afloat:
            y = (stage.water_y or 200) + float(rng.uniform(-6, 10))
        elif aloft:
            y = float(rng.uniform(102, 132) if scene.thing == "balloon" else rng.uniform(48, 104))
        else:
            y = stage.land(x)
        colour = np.clip(PAINTS[scene.colour] * rng.uniform(0.94, 1.05), 0, 1)
        DRAWINGS[scene.thing](brush, x, y, size, colour, scene.season == "winter" or scene.weather == "snow")
    brush.light = light
