"""What a caption claims about a picture, as class numbers, and which pictures it is true of."""

from torch import Tensor

from models.starter.recipe.questions import mentions
from models.starter.recipe.scene import Scene
from models.starter.recipe.values import ATTRIBUTES, VALUES


def claims_of(text: str) -> list[int]:
    """What a caption says about the attributes, as class numbers; nothing about the thing if it names two."""
    found = mentions(text)
    said = {mention.attribute: mention.value for mention in found}
    if len({mention.value for mention in found if mention.attribute == "thing"}) > 1:
        said.pop("thing")
    return [values.index(said[name]) if name in said else -1 for name, values in VALUES.items()]


def truths_of(scene: Scene) -> list[int]:
    """All attributes as class numbers, whether the picture shows them or not."""
    return [VALUES[name].index(getattr(scene, name)) for name in ATTRIBUTES]


def compatible(truths: Tensor, claims: Tensor) -> Tensor:
    """Whether caption j says nothing untrue of picture i: (P, 8) class numbers and (T, 8) claims to booleans (P, T)."""
    said = claims[None]
    return ((said < 0) | (said == truths[:, None])).all(dim=2)
