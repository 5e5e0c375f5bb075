"""All values that a scene can have, by attribute; which a picture shows; and who knows which. Knows no torch.

Every picture shows its place, style, main thing and whether there is a second. The rest shows only sometimes; where it
does not, no judge could tell, and it is neither asked in training nor counted. A judge knows the values that it was
trained for (`Values`), and is asked about no scene that has others.
"""

from collections.abc import Mapping

from models.starter.recipe import words
from models.starter.recipe.scene import COUNTABLE, RELATIONS, Scene

Value = str | int | bool
Values = Mapping[str, list[Value]]
ALL_VALUES: dict[str, list[Value]] = {
    "place": [*words.PLACES],
    "time": [*words.TIMES],
    "season": [*words.SEASONS],
    "weather": [*words.WEATHERS],
    "style": [*words.STYLES],
    "trees": [False, True],
    "futuristic": [False, True],
    "thing": ["", *words.THINGS],
    "colour": ["", *words.COLOURS],
    "count": [1, 2, 3, 4],
    "second": ["", *words.THINGS, *words.PROPS],
    "relation": ["", *RELATIONS],
}
ATTRIBUTES = ("place", "time", "season", "weather", "style", "thing", "colour", "count", "second")  # that are judged
VALUES: dict[str, list[Value]] = {name: ALL_VALUES[name] for name in ATTRIBUTES}


def classes(values: Values = VALUES) -> int:
    """How many values there are in all."""
    return sum(len(part) for part in values.values())


def knows(values: Values, scene: Scene) -> bool:
    """Whether these values can say what the scene shows; those of old know no drawings and no second things."""
    known = all(getattr(scene, name) in part for name, part in values.items())
    return known and ("second" in values or not scene.drawing)


def shows(scene: Scene, attribute: str) -> bool:
    """Whether the scene's picture tells the attribute's value from all others."""
    match attribute:
        case "time" | "weather":
            return not scene.is_indoors
        case "season":
            return scene.season_shows
        case "colour":
            return bool(scene.colour)
        case "count":
            return scene.thing in COUNTABLE
        case _:
            return True
