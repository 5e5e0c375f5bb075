"""What a picture shows: a Scene, and how scenes are drawn by lot.

A scene is everything that a caption may name. What it leaves open (where hills lie, which shade a roof has) is
decided by the renderer from the same seed.
"""

from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TypeVar

import numpy as np

TREE_PLACES = frozenset({"lake", "meadow", "village", "river"})  # where trees may be or not; a forest has them always
SEASONLESS_PLACES = frozenset({"desert", "beach", "harbour", "city"})  # only snow tells the season there

# Chances of each value where nothing forbids it; plain values are common so that a short prompt gets a plain picture.
PLACE_CHANCES = {
    "lake": 12, "forest": 10, "mountains": 10, "desert": 9, "city": 12, "beach": 10, "meadow": 10, "village": 9,
    "harbour": 10, "river": 13,
}  # fmt: skip
TIME_CHANCES = {"day": 38, "sunset": 31, "night": 31}
WEATHER_CHANCES = {
    "clear": 30, "clouds": 13, "rain": 10, "snow": 9, "fog": 10, "storm": 9, "rainbow": 9, "aurora": 10,
}  # fmt: skip
STYLE_CHANCES = {
    "flat": 36, "watercolour": 7, "oil": 7, "ink": 7, "pencil": 7, "pixel": 7, "woodcut": 7, "neon": 8, "papercut": 7,
    "mosaic": 7,
}  # fmt: skip
SEASON_CHANCES = {"spring": 24, "summer": 28, "autumn": 26, "winter": 22}
COUNT_CHANCES = {1: 40, 2: 22, 3: 20, 4: 18}
THING_CHANCE, TREES_CHANCE, FUTURISTIC_CHANCE = 0.66, 0.5, 0.35
TIMES_OF_WEATHER = {"rainbow": {"day": 6, "sunset": 4}, "aurora": {"night": 1}}  # others come at any time

THINGS_AT = {
    "lake": ("house", "castle", "windmill", "boat", "boat", "balloon", "tree", "birds", "train", "horse", "cat"),
    "forest": ("house", "car", "cat", "birds", "dog", "horse", "castle"),
    "mountains": ("house", "castle", "balloon", "tree", "tree", "train", "horse", "windmill", "dog", "car", "cat"),
    "desert": ("castle", "balloon", "car", "birds", "tree", "tree", "train", "horse", "cat", "house"),
    "city": ("car", "car", "balloon", "birds", "boat", "dog", "cat", "cat", "train"),
    "beach": ("lighthouse", "lighthouse", "boat", "balloon", "birds", "house", "cat", "horse"),
    "meadow": ("house", "castle", "balloon", "tree", "car", "cat", "windmill", "windmill", "train", "dog", "horse"),
    "village": ("car", "cat", "balloon", "castle", "tree", "tree", "windmill", "windmill", "train", "dog"),
    "harbour": ("lighthouse", "lighthouse", "lighthouse", "boat", "boat", "balloon", "birds"),
    "river": (
        "house",
        "castle",
        "windmill",
        "windmill",
        "boat",
        "boat",
        "balloon",
        "tree",
        "tree",
        "birds",
        "train",
        "car",
        "cat",
        "dog",
        "horse",
    ),
}
COLOURS_OF = {
    "house": ("red", "blue", "yellow", "white", "green", "orange", "purple", "pink"),
    "castle": ("white", "red", "blue", "purple", "yellow", "pink"),
    "lighthouse": ("red", "blue", "white", "green"),
    "windmill": ("white", "red", "blue", "yellow"),
    "boat": ("red", "blue", "white", "yellow", "green", "orange", "purple"),
    "balloon": ("red", "orange", "yellow", "green", "blue", "purple", "pink"),
    "tree": ("green", "pink", "orange", "red", "yellow"),
    "car": ("red", "blue", "yellow", "green", "orange", "purple", "white", "black"),
    "train": ("red", "blue", "green", "yellow", "black"),
    "birds": ("white", "black", "red", "blue"),
    "cat": ("orange", "black", "white"),
    "dog": ("brown", "black", "white"),
    "horse": ("brown", "black", "white"),
}
COUNTABLE = frozenset({"house", "windmill", "boat", "balloon", "tree", "car", "birds", "cat", "dog", "horse"})

T = TypeVar("T")
Value = str | int
Pair = tuple[tuple[str, Value], tuple[str, Value]]
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
)
PAIR_TRIES = 50_000


@dataclass(frozen=True)
class Scene:
    """One picture's attributes; `thing` and `colour` may be empty, `count` is in [1, 4]."""

    place: str
    time: str
    season: str
    weather: str
    style: str
    trees: bool
    futuristic: bool
    thing: str
    colour: str
    count: int

    @property
    def snowy(self) -> bool:
        """Whether snow lies on the ground."""
        return self.season == "winter" or self.weather == "snow"

    @property
    def season_shows(self) -> bool:
        """Whether a caption may name the season."""
        return self.place not in SEASONLESS_PLACES or self.season == "winter"

    def holds(self, pair: Pair) -> bool:
        """Whether both values of the pair are this scene's."""
        return all(getattr(self, name) == value for name, value in pair)


def _pick(rng: np.random.Generator, chances: dict[T, int]) -> T:
    bounds = list(accumulate(chances.values()))
    ticket = rng.random() * bounds[-1]
    return next(value for value, bound in zip(chances, bounds, strict=True) if ticket < bound)


def _one(rng: np.random.Generator, values: tuple[str, ...]) -> str:
    return values[int(rng.integers(len(values)))]


def _colour(rng: np.random.Generator, scene: Scene) -> str:
    """A colour in which the thing can be seen: nothing black in the dark, nothing white on snow."""
    dark, neon = scene.time == "night" or scene.weather == "storm", scene.style == "neon"
    unseen = {"black", "brown"} if neon else {"black"} if dark else set[str]()
    if scene.snowy and scene.thing not in ("boat", "birds") and not dark and not neon:
        unseen = unseen | {"white"}
    return _one(rng, tuple(colour for colour in COLOURS_OF[scene.thing] if colour not in unseen))


def _any_scene(rng: np.random.Generator) -> Scene:
    place, style, weather = _pick(rng, PLACE_CHANCES), _pick(rng, STYLE_CHANCES), _pick(rng, WEATHER_CHANCES)
    while place == "desert" and weather in ("rain", "snow"):
        weather = _pick(rng, WEATHER_CHANCES)
    time = _pick(rng, TIMES_OF_WEATHER.get(weather, TIME_CHANCES))
    season = "summer" if place in SEASONLESS_PLACES else _pick(rng, SEASON_CHANCES)
    thing = _one(rng, THINGS_AT[place]) if rng.random() < THING_CHANCE else ""
    trees = place in TREE_PLACES and thing != "tree" and rng.random() < TREES_CHANCE
    scene = Scene(
        place=place,
        time=time,
        season="winter" if weather == "snow" else season,
        weather=weather,
        style=style,
        trees=place == "forest" or trees,
        futuristic=place == "city" and rng.random() < FUTURISTIC_CHANCE,
        thing=thing,
        colour="",
        count=_pick(rng, COUNT_CHANCES) if thing in COUNTABLE else 1,
    )
    return replace(scene, colour=_colour(rng, scene)) if thing else scene


def sample_scene(rng: np.random.Generator, held_out: bool = False) -> Scene:
    """A scene by lot, in which nothing contradicts anything else (no snow in summer).

    No pair of HELD_OUT is in it unless `held_out` is true, which draws from all scenes.
    """
    while True:
        scene = _any_scene(rng)
        if held_out or not any(scene.holds(pair) for pair in HELD_OUT):
            return scene


def sample_with(rng: np.random.Generator, pair: Pair) -> Scene:
    """A scene by lot that holds the pair, which may be one of HELD_OUT.

    Raises:
        ValueError: No scene holds both values.
    """
    for _ in range(PAIR_TRIES):
        scene = _any_scene(rng)
        if scene.holds(pair):
            return scene
    raise ValueError(f"no scene holds {pair}")
