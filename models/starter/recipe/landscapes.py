"""Landscapes by lot: a place, an hour, a season, a weather, a style, and often a thing in the renderer's own shapes."""

from dataclasses import replace

import numpy as np

from models.starter.recipe.scene import SEASONLESS_PLACES, Scene, one_of, pick

TREE_PLACES = frozenset({"lake", "meadow", "village", "river"})  # where trees may be or not; a forest has them always

# Chances of each value where nothing forbids it; plain values are common so that a short prompt gets a plain picture.
PLACE_CHANCES = {
    "lake": 12, "forest": 10, "mountains": 10, "desert": 9, "city": 12, "beach": 10, "meadow": 10, "village": 9,
    "harbour": 10, "river": 13, "sea": 14,
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
    "sea": ("boat", "boat", "birds", "balloon"),
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
PLAINLY_COUNTED = frozenset({"house", "windmill", "boat", "balloon", "tree", "car", "birds", "cat", "dog", "horse"})


def _colour(rng: np.random.Generator, scene: Scene) -> str:
    """A colour in which the thing can be seen: nothing black in the dark, nothing white on snow."""
    dark, neon = scene.time == "night" or scene.weather == "storm", scene.style == "neon"
    unseen = {"black", "brown"} if neon else {"black"} if dark else set[str]()
    if scene.snowy and scene.thing not in ("boat", "birds") and not dark and not neon:
        unseen = unseen | {"white"}
    return one_of(rng, tuple(colour for colour in COLOURS_OF[scene.thing] if colour not in unseen))


def any_landscape(rng: np.random.Generator) -> Scene:
    """A landscape, with a thing in the renderer's own shapes or none."""
    place, style, weather = pick(rng, PLACE_CHANCES), pick(rng, STYLE_CHANCES), pick(rng, WEATHER_CHANCES)
    while place == "desert" and weather in ("rain", "snow"):
        weather = pick(rng, WEATHER_CHANCES)
    time = pick(rng, TIMES_OF_WEATHER.get(weather, TIME_CHANCES))
    season = "summer" if place in SEASONLESS_PLACES else pick(rng, SEASON_CHANCES)
    thing = one_of(rng, THINGS_AT[place]) if rng.random() < THING_CHANCE else ""
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
        count=pick(rng, COUNT_CHANCES) if thing in PLAINLY_COUNTED else 1,
    )
    return replace(scene, colour=_colour(rng, scene)) if thing else scene
