"""What a picture shows: a Scene, and how scenes are drawn by lot.

A scene is everything that a caption may name. What it leaves open (where hills lie, which shade a roof has) is
decided by the renderer from the same seed.
"""

from dataclasses import dataclass

import numpy as np

WATER_PLACES = frozenset({"lake", "beach", "harbour"})
TREE_PLACES = frozenset({"lake", "meadow", "village", "forest"})
SEASONLESS_PLACES = frozenset({"desert", "beach", "harbour", "city"})

# Chances of each value where nothing forbids it; plain values are common so that a short prompt gets a plain picture.
PLACE_CHANCES = {
    "lake": 15, "forest": 11, "mountains": 12, "desert": 10, "city": 14, "beach": 10, "meadow": 11, "village": 10,
    "harbour": 7,
}  # fmt: skip
TIME_CHANCES = {"day": 5, "sunset": 3, "night": 3}
WEATHER_CHANCES = {"clear": 5, "clouds": 2, "rain": 1, "snow": 1, "fog": 1}
STYLE_CHANCES = {"flat": 55, "watercolour": 13, "pixel": 10, "neon": 12, "ink": 10}
SEASON_CHANCES = {"spring": 2, "summer": 5, "autumn": 4, "winter": 3}

THINGS_AT = {
    "lake": ("house", "castle", "boat", "boat", "balloon", "tree", "birds"),
    "forest": ("house", "car", "cat", "birds"),
    "mountains": ("house", "castle", "balloon", "balloon", "birds", "tree"),
    "desert": ("castle", "balloon", "car", "car", "birds", "tree"),
    "city": ("car", "car", "balloon", "birds", "boat"),
    "beach": ("lighthouse", "boat", "balloon", "birds", "house", "cat"),
    "meadow": ("house", "castle", "balloon", "tree", "tree", "car", "cat", "birds"),
    "village": ("car", "cat", "balloon", "birds", "castle", "tree"),
    "harbour": ("lighthouse", "lighthouse", "boat", "boat", "balloon", "birds"),
}
COLOURS_OF = {
    "house": ("red", "blue", "yellow", "white", "green", "orange", "purple", "pink"),
    "castle": ("white", "red", "blue", "purple", "yellow"),
    "lighthouse": ("red", "blue", "white", "green"),
    "boat": ("red", "blue", "white", "yellow", "green", "orange", "purple"),
    "balloon": ("red", "orange", "yellow", "green", "blue", "purple", "pink"),
    "tree": ("green", "pink", "orange", "red", "yellow"),
    "car": ("red", "blue", "yellow", "green", "orange", "purple", "white", "black"),
    "birds": ("white", "black", "red", "blue"),
    "cat": ("orange", "black", "white"),
}
COUNTABLE = frozenset({"house", "boat", "balloon", "tree", "car", "birds"})


@dataclass(frozen=True)
class Scene:
    """One picture's attributes; `thing` and `colour` may be empty, `count` is in [1, 3]."""

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


def _pick(rng: np.random.Generator, chances: dict[str, int]) -> str:
    weights = np.array(list(chances.values()), dtype=float)
    return str(rng.choice(list(chances), p=weights / weights.sum()))


def sample_scene(rng: np.random.Generator) -> Scene:
    """A scene by lot, in which nothing contradicts anything else (no snow in summer)."""
    place = _pick(rng, PLACE_CHANCES)
    style = _pick(rng, STYLE_CHANCES)
    time = "night" if style == "neon" and rng.random() < 0.75 else _pick(rng, TIME_CHANCES)
    season = "summer" if place in SEASONLESS_PLACES else _pick(rng, SEASON_CHANCES)
    weather = _pick(rng, WEATHER_CHANCES)
    if weather == "snow":
        season = "winter"
    if place == "desert" and weather in ("rain", "snow"):
        weather, season = "clear", "summer"
    thing = str(rng.choice(THINGS_AT[place])) if rng.random() < 0.55 else ""
    colour = str(rng.choice(COLOURS_OF[thing])) if thing else ""
    if thing == "tree" and rng.random() < 0.5:
        colour = {"spring": "pink", "summer": "green", "autumn": "orange", "winter": "green"}[season]
    if thing == "birds" and time == "night" and colour == "black":
        colour = "white"  # black birds would not be seen
    count = int(rng.choice((1, 2, 3), p=(0.6, 0.22, 0.18))) if thing in COUNTABLE else 1
    return Scene(
        place=place,
        time=time,
        season=season,
        weather=weather,
        style=style,
        trees=place == "forest" or (place in TREE_PLACES and rng.random() < 0.55),
        futuristic=place == "city" and rng.random() < 0.35,
        thing=thing,
        colour=colour,
        count=count,
    )
