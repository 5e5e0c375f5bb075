"""Other sources of features than the engine's own, with the same interface, which need no download either."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.starter.recipe.judge import JUDGE, Judge, load_judge
from webui.engine.style.patches import PATCH
from webui.engine.style.vgg import Vgg19


class Softened(nn.Module):
    """SWAG (Wang, Li & Vasconcelos 2021): a softmax over all of a layer's activations, so that no peak dominates its
    Gram.

    Departure: multiplied by the number of activations, so that their mean is 1 whatever the size of the picture.
    """

    origin = "random VGG-19, softmax"

    def __init__(self, network: Vgg19) -> None:
        super().__init__()
        self.network, self.dtype, self.margin = network, network.dtype, network.margin

    def forward(self, picture: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
        """As `Vgg19.forward`."""
        found = self.network(picture, names)
        return {name: _softened(features.float()) for name, features in found.items()}


def _softened(features: Tensor) -> Tensor:
    """The features after the softmax, in the same shape."""
    return functional.softmax(features.flatten(), dim=0).view_as(features) * features.numel()


class PixelPatches(nn.Module):
    """Every patch of PATCH² pixels as a vector: with sliced Wasserstein, GPDM (Elnekave & Weiss 2022)."""

    origin, dtype, margin = "pixel patches", torch.float32, PATCH // 2

    def forward(self, picture: Tensor, _names: Sequence[str]) -> dict[str, Tensor]:
        """(1, 3, H, W) → one layer of patches, (1, 3·PATCH², H, W), whatever the names."""
        height, width = picture.shape[-2:]
        padded = functional.pad(picture, (PATCH // 2,) * 4, mode="replicate")
        return {"conv1_1": functional.unfold(padded, PATCH).view(1, -1, height, width)}


class Judged(nn.Module):
    """The first two stages of the starter's judge, which was trained on drawn pictures; 4 and 8
    pixels for each place.
    """

    origin, dtype, margin = "the starter's judge", torch.float32, 32

    def __init__(self) -> None:
        super().__init__()
        judge: Judge = load_judge(JUDGE)
        self.stages = nn.ModuleList([judge.body[:2], judge.body[2:4]]).eval().requires_grad_(False)

    def forward(self, picture: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
        """(1, 3, H, W) in [0, 1] → the features for `conv3_1` and `conv4_1`."""
        first = self.stages[0](picture * 2 - 1)
        found = {"conv3_1": first, "conv4_1": self.stages[1](first)}
        return {name: found[name] for name in names}
