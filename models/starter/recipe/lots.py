"""Random scenes, and what never occurs together in training."""

import numpy as np

from models.starter.recipe.cast import any_composition
from models.starter.recipe.landscapes import any_landscape
from models.starter.recipe.scene import Pair, Scene
from models.starter.recipe.values import VALUES, Values, knows

LANDSCAPE_CHANCE = 0.3
# Values that never stand together in training, though each stands with others: what the model makes of them is asked.
HELD_OUT: tuple[Pair, ...] = (
    (("style", "woodcut"), ("place", "desert")),
    (("style", "oil"), ("place", "harbour")),
    (("style", "neon"), ("place", "village")),
    (("style", "mosaic"), ("thing", "lighthouse")),
    (("style", "ink"), ("thing", "castle")),
    (("style", "papercut"), ("weather", "fog")),
    (("style", "pencil"), ("weather", "aurora")),
    (("place", "city"), ("weather", "rainbow")),
    (("place", "river"), ("season", "winter")),
    (("thing", "cat"), ("time", "night")),
    (("thing", "train"), ("weather", "snow")),
    (("thing", "balloon"), ("colour", "purple")),
    (("thing", "dragon"), ("style", "pencil")),
    (("thing", "fox"), ("place", "beach")),
    (("thing", "penguin"), ("place", "desert")),
    (("thing", "robot"), ("style", "mosaic")),
    (("thing", "elephant"), ("place", "city")),
    (("thing", "astronaut"), ("second", "unicorn")),
    (("thing", "dragon"), ("second", "church")),
    (("thing", "rabbit"), ("second", "palm")),
)
PAIR_TRIES = 200_000


def _any_scene(rng: np.random.Generator, is_examined: bool) -> Scene:
    if rng.random() < LANDSCAPE_CHANCE:
        return any_landscape(rng)
    return any_composition(rng, is_examined)


def sample_scene(rng: np.random.Generator, held_out: bool = False, is_examined: bool = False) -> Scene:
    """A random scene in which nothing contradicts anything else (no snow in summer).

    It contains no pair of HELD_OUT unless `held_out` is true, which draws from all scenes. An examination's scenes
    (`is_examined`) also show the drawings that nothing was trained on.
    """
    while True:
        scene = _any_scene(rng, is_examined)
        if held_out or not any(scene.holds(pair) for pair in HELD_OUT):
            return scene


def sample_with(rng: np.random.Generator, pair: Pair, values: Values = VALUES) -> Scene:
    """A random scene that has the pair, which may be one of HELD_OUT, and can be described with these values.

    Raises ValueError if no scene has both values.
    """
    for _ in range(PAIR_TRIES):
        scene = _any_scene(rng, False)
        if scene.holds(pair) and knows(values, scene):
            return scene
    raise ValueError(f"no scene holds {pair}")
