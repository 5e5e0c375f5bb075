"""Random compositions: a thing in the foreground as a drawing shows it, large or small, or two things and their
relation.

Large single things are the most common, since people ask for them first.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import numpy as np

from models.starter.recipe.drawings import ASKED, ASKED_WEIGHT, DRAWN, Drawn, all_drawings, trained
from models.starter.recipe.landscapes import FUTURISTIC_CHANCE, SEASON_CHANCES, TIMES_OF_WEATHER, TREE_PLACES
from models.starter.recipe.scene import COUNTABLE, INDOORS, SEASONLESS_PLACES, Scene, one_of, pick

PAIR_CHANCE, LARGE_CHANCE, TINT_CHANCE, TREES_CHANCE = 0.3, 0.6, 0.4, 0.25
COUNT_CHANCES = {1: 76, 2: 10, 3: 8, 4: 6}
STYLE_CHANCES = {
    "flat": 50, "watercolour": 6, "oil": 6, "ink": 5, "pencil": 6, "pixel": 6, "woodcut": 5, "neon": 6, "papercut": 5,
    "mosaic": 5,
}  # fmt: skip
TIME_CHANCES = {"day": 56, "sunset": 22, "night": 22}
WEATHER_CHANCES = {
    "clear": 62, "clouds": 9, "rain": 5, "snow": 6, "fog": 5, "storm": 4, "rainbow": 5, "aurora": 4,
}  # fmt: skip
RELATION_CHANCES = {"over": 3, "riding": 3, "on": 3, "under": 2, "beside": 3}
TINTS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black")

# Where things are, by kind or by where they move; each place as often as its number says.
PLACES_OF: Mapping[str, Mapping[str, int]] = {
    "animal": {"plain": 9, "meadow": 4, "forest": 4, "room": 2, "beach": 2, "village": 2, "mountains": 2, "lake": 1,
               "river": 1, "desert": 2, "city": 1},
    "person": {"plain": 12, "room": 3, "meadow": 2, "city": 2, "forest": 2, "beach": 2, "village": 1, "mountains": 1},
    "plant": {"plain": 6, "meadow": 5, "forest": 1, "village": 2, "lake": 2, "beach": 1, "desert": 1},
    "vehicle": {"plain": 6, "city": 4, "village": 3, "desert": 2, "beach": 1, "mountains": 2, "meadow": 2},
    "building": {"plain": 3, "meadow": 3, "mountains": 3, "village": 2, "lake": 2, "forest": 2, "river": 1, "beach": 1,
                 "desert": 2},
    "furniture": {"room": 6, "plain": 5},
    "table": {"table": 6, "plain": 6},
    "air": {"plain": 7, "mountains": 2, "sea": 2, "city": 2, "meadow": 2, "lake": 1, "desert": 1, "village": 1},
    "water": {"sea": 6, "lake": 3, "harbour": 2, "river": 1, "plain": 5},
    "space": {"space": 8, "plain": 4, "desert": 1, "city": 1},
    "snow": {"meadow": 3, "village": 3, "forest": 2, "mountains": 2, "plain": 1},
}  # fmt: skip
SPACEFARING = frozenset({"rocket", "ufo", "planet", "globe", "astronaut", "robot"})
OUTDOORS = {"meadow": 4, "mountains": 3, "village": 2, "desert": 2, "lake": 2, "beach": 2, "forest": 2}
ABOVE = ("dragon", "birds", "eagle", "butterfly", "airplane", "helicopter", "balloon", "rocket", "ufo", "fairy")
BELOW = ("castle", "house", "church", "temple", "tower", "tent", "ferris_wheel", "fountain", "volcano", "tree", "palm")
PETS = ("cat", "dog", "rabbit", "owl", "parrot", "chick", "teddy", "mouse", "monkey", "frog", "penguin", "fox")
SEATS = ("sofa", "bed", "chair")
SHELTERS = ("blossoms", "blossoms", "tree", "palm", "fir")


def places_of(thing: str) -> Mapping[str, int]:
    """Where a thing may be, and how often."""
    drawn = DRAWN[thing]
    if thing == "snowman":
        return PLACES_OF["snow"]
    if thing in SPACEFARING:
        return PLACES_OF["space"]
    where = drawn.where if drawn.where != "land" else drawn.kind
    return PLACES_OF.get(where, PLACES_OF["table"])


@cache
def things_at(place: str) -> tuple[str, ...]:
    """All things that may be at a place."""
    return tuple(thing for thing in DRAWN if place in places_of(thing))


@cache
def _chances(is_chosen: Callable[[Drawn], bool]) -> dict[str, int]:
    """The things that are chosen, and how often each is."""
    return {key: ASKED_WEIGHT if key in ASKED else 1 for key, drawn in DRAWN.items() if is_chosen(drawn)}


def _is_any(_drawn: Drawn) -> bool:
    return True


def _rides(drawn: Drawn) -> bool:
    return drawn.may("rides")


def _is_ridden(drawn: Drawn) -> bool:
    return drawn.may("ridden")


def _is_food(drawn: Drawn) -> bool:
    return drawn.kind == "food"


def _is_alive(drawn: Drawn) -> bool:
    return drawn.kind in ("animal", "person") and drawn.where in ("land", "air")


def _stands(drawn: Drawn) -> bool:
    return drawn.where == "land" and drawn.kind in ("animal", "person", "vehicle", "plant")


def _lies(drawn: Drawn) -> bool:
    return drawn.where == "table"


def _drawing(rng: np.random.Generator, thing: str, is_examined: bool, is_ridden: bool = False) -> str:
    """One of the thing's drawings; a mere head carries nobody."""
    if thing not in DRAWN:
        return ""  # of the renderer's own shapes
    drawings = (all_drawings if is_examined else trained)(thing)
    return one_of(rng, tuple(one for one in drawings if not (is_ridden and one.endswith("-face"))))


def _two(rng: np.random.Generator, chances: Mapping[str, int]) -> tuple[str, str]:
    first = pick(rng, chances)
    return first, pick(rng, {key: chance for key, chance in chances.items() if key != first})


def _pair(rng: np.random.Generator) -> tuple[str, str, str, str]:
    """A relation, two things, and a place."""
    relation = pick(rng, RELATION_CHANCES)
    match relation:
        case "over":
            return relation, one_of(rng, ABOVE), one_of(rng, BELOW), pick(rng, OUTDOORS)
        case "riding":
            places = {"plain": 6, **OUTDOORS, "city": 1, "space": 2}
            return relation, pick(rng, _chances(_rides)), pick(rng, _chances(_is_ridden)), pick(rng, places)
        case "on" if rng.random() < 0.6:
            return relation, pick(rng, _chances(_is_food)), "plate", pick(rng, {"table": 2, "plain": 1})
        case "on":
            return relation, one_of(rng, PETS), one_of(rng, SEATS), pick(rng, {"room": 3, "plain": 1})
        case "under":
            places = {"meadow": 4, "lake": 2, "village": 2, "plain": 3, "beach": 1}
            return relation, pick(rng, _chances(_is_alive)), one_of(rng, SHELTERS), pick(rng, places)
        case _ if rng.random() < 0.6:
            return relation, *_two(rng, _chances(_stands)), pick(rng, {"plain": 6, **OUTDOORS, "city": 1})
        case _:
            return relation, *_two(rng, _chances(_lies)), pick(rng, {"table": 3, "plain": 2})


def _air_of(rng: np.random.Generator, scene: Scene) -> Scene:
    """The scene with hour, weather and season; indoors there is none of them, and it counts as a clear summer's day."""
    if scene.place in INDOORS:
        return scene
    weather = pick(rng, WEATHER_CHANCES)
    while scene.place == "desert" and weather in ("rain", "snow"):
        weather = pick(rng, WEATHER_CHANCES)
    time = pick(rng, TIMES_OF_WEATHER.get(weather, TIME_CHANCES))
    season = "summer" if scene.place in SEASONLESS_PLACES else pick(rng, SEASON_CHANCES)
    if weather == "snow" or scene.thing == "snowman":
        season = "winter"
    trees = scene.place in TREE_PLACES and rng.random() < TREES_CHANCE
    return replace(
        scene, weather=weather, time=time, season=season, trees=scene.place == "forest" or trees,
        futuristic=scene.place == "city" and rng.random() < FUTURISTIC_CHANCE,
    )  # fmt: skip


def any_backdrop(rng: np.random.Generator) -> Scene:
    """A place in flat colours with nothing in its foreground."""
    thing = pick(rng, _chances(_is_any))
    scene = Scene(pick(rng, places_of(thing)), "day", "summer", "clear", "flat", False, False, "", "", 1)
    return _air_of(rng, scene)


def _tint(rng: np.random.Generator, scene: Scene) -> str:
    """A colour for the thing, or none; one in which it can be seen."""
    if not DRAWN[scene.thing].may("tint") or rng.random() > TINT_CHANCE:
        return ""
    dark = scene.style == "neon" or scene.time == "night" or scene.weather == "storm" or scene.place == "space"
    unseen = {"black"} if dark else {"white"} if scene.snowy or scene.place == "plain" else set[str]()
    return one_of(rng, tuple(colour for colour in TINTS if colour not in unseen))


def any_composition(rng: np.random.Generator, is_examined: bool = False) -> Scene:
    """A thing in the foreground; for an examination (`is_examined`) it may be a drawing that nothing was trained on."""
    relation = second = ""
    if rng.random() < PAIR_CHANCE:
        relation, thing, second, place = _pair(rng)
    else:
        thing = pick(rng, _chances(_is_any))
        place = pick(rng, places_of(thing))
    count = 1 if second or thing not in COUNTABLE else pick(rng, COUNT_CHANCES)
    scene = Scene(
        place=place,
        time="day",
        season="summer",
        weather="clear",
        style=pick(rng, STYLE_CHANCES),
        trees=False,
        futuristic=False,
        thing=thing,
        colour="",
        count=count,
        drawing=_drawing(rng, thing, is_examined),
        is_large=not second and count == 1 and rng.random() < LARGE_CHANCE,
        relation=relation,
        second=second,
        second_drawing=_drawing(rng, second, is_examined, relation == "riding") if second else "",
    )
    scene = _air_of(rng, scene)
    return replace(scene, colour=_tint(rng, scene))
