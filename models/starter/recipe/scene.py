"""What a picture shows: a Scene. Who is drawn where is decided by lot (landscapes.py, cast.py, lots.py).

A scene is everything that a caption may name. What it leaves open (where hills lie, which shade a roof has) is
decided by the renderer from the same seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

import numpy as np

from models.starter.recipe.drawings import DRAWN

INDOORS = frozenset({"plain", "room", "table", "space"})  # where there is neither hour nor weather
# Only snow tells the season there, and indoors nothing does.
SEASONLESS_PLACES = frozenset({"desert", "beach", "harbour", "city", "sea", *INDOORS})
RELATIONS = ("over", "riding", "on", "under", "beside")  # of a thing to a second one
UNCOUNTED = frozenset({"train", "volcano"})  # as long as the picture is wide, or one is enough
COUNTABLE = frozenset({"house", "windmill"}) | {
    key
    for key, drawn in DRAWN.items()
    if not {"bare", "portrait"} & drawn.flags and drawn.kind != "building" and key not in UNCOUNTED
}

T = TypeVar("T")
Value = str | int
Pair = tuple[tuple[str, Value], tuple[str, Value]]


@dataclass(frozen=True)
class Scene:
    """One picture's attributes; `thing`, `colour` and what follows `count` may be empty, `count` is in [1, 4].

    Where `drawing` is empty, the thing is made of the renderer's own shapes.
    """

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
    drawing: str = ""  # `set/icon`
    is_large: bool = False  # the thing fills the picture
    relation: str = ""  # of the thing to the second one
    second: str = ""
    second_drawing: str = ""

    @property
    def snowy(self) -> bool:
        """Whether snow lies on the ground."""
        return self.season == "winter" or self.weather == "snow"

    @property
    def season_shows(self) -> bool:
        """Whether a caption may name the season."""
        return self.place not in SEASONLESS_PLACES or self.season == "winter"

    @property
    def is_indoors(self) -> bool:
        """Whether the place has neither hour nor weather."""
        return self.place in INDOORS

    def holds(self, pair: Pair) -> bool:
        """Whether both values of the pair are this scene's."""
        return all(getattr(self, name) == value for name, value in pair)


def pick(rng: np.random.Generator, chances: Mapping[T, float]) -> T:
    """One of the keys, as often as its value says."""
    bounds = list(accumulate(chances.values()))
    ticket = rng.random() * bounds[-1]
    return next(value for value, bound in zip(chances, bounds, strict=True) if ticket < bound)


def one_of(rng: np.random.Generator, values: tuple[str, ...]) -> str:
    """Any of the values."""
    return values[int(rng.integers(len(values)))]
