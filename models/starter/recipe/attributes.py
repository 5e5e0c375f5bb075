"""What of a scene can be seen in its picture: the questions that a judge may be asked, and their answers.

Every picture shows its place, time, weather, style and main thing. The rest shows only sometimes; where it does not, no
judge could tell, and it is neither asked in training nor counted. Knows nothing of pictures or texts.
"""

import torch
from torch import Tensor

from models.starter.recipe.scene import COUNTABLE, Scene
from models.starter.recipe.text import VALUES as ALL_VALUES

ATTRIBUTES = ("place", "time", "season", "weather", "style", "thing", "colour", "count")
VALUES: dict[str, list[str | int | bool]] = {name: ALL_VALUES[name] for name in ATTRIBUTES}
CLASSES = sum(len(values) for values in VALUES.values())


def shows(scene: Scene, attribute: str) -> bool:
    """Whether the scene's picture tells the attribute's value from all others."""
    match attribute:
        case "season":
            return scene.season_shows
        case "colour":
            return bool(scene.thing)
        case "count":
            return scene.thing in COUNTABLE
        case _:
            return True


def answers(scene: Scene) -> Tensor:
    """One class number for each attribute, (8,); -1 where the picture does not show it."""
    return torch.tensor(
        [values.index(getattr(scene, name)) if shows(scene, name) else -1 for name, values in VALUES.items()]
    )


def split(logits: Tensor) -> dict[str, Tensor]:
    """(B, CLASSES) as one (B, values) for each attribute."""
    parts = logits.split([len(values) for values in VALUES.values()], dim=1)
    return dict(zip(VALUES, parts, strict=True))
