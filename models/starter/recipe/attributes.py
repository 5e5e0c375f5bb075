"""A judge's answers as class numbers: a column for each attribute of its values. Knows no pictures and no texts."""

import torch
from torch import Tensor

from models.starter.recipe.scene import Scene
from models.starter.recipe.values import VALUES, Values, shows


def answers(scene: Scene, values: Values = VALUES) -> Tensor:
    """One class number for each attribute, (attributes,); -1 if the picture does not show it."""
    return torch.tensor(
        [part.index(getattr(scene, name)) if shows(scene, name) else -1 for name, part in values.items()]
    )


def split(logits: Tensor, values: Values = VALUES) -> dict[str, Tensor]:
    """(B, classes) as one (B, values) for each attribute."""
    parts = logits.split([len(part) for part in values.values()], dim=1)
    return dict(zip(values, parts, strict=True))
