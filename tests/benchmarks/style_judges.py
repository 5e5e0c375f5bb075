"""How near a picture is to a style and to a content, by two judges that no method optimises.

One is a random network of another architecture and another seed than the engine's: strided 5×5 convolutions with tanh.
The other compares pixel patches of another size, by sliced Wasserstein on fixed directions, at two scales.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SEED = 4711
CHANNELS = (24, 48, 96)
PATCH, DIRECTIONS = 5, 96


class Judges:
    """`content` and `style` are (1, 3, H, W) in [0, 1], the result's size and about that."""

    def __init__(self, content: Tensor, style: Tensor) -> None:
        generator = torch.Generator().manual_seed(SEED)
        inputs, self._weights = 3, []
        for outputs in CHANNELS:
            weight = torch.randn(outputs, inputs, 5, 5, generator=generator)
            self._weights.append(weight * (2 / (25 * inputs)) ** 0.5)
            inputs = outputs
        directions = torch.randn(DIRECTIONS, 3 * PATCH**2, generator=generator)
        self._directions = directions / directions.norm(dim=1, keepdim=True)
        self._content = self._features(_shape_of(content))
        self._style = [_gram(one) for one in self._features(style * 2 - 1)]
        self._patches = self._projected(style)

    @torch.no_grad()
    def style(self, picture: Tensor) -> float:
        """Relative distance of the second moments, mean over the layers; 0 where they agree."""
        found = [_gram(one) for one in self._features(picture * 2 - 1)]
        pairs = zip(found, self._style, strict=True)
        return sum(float((one - other).square().sum() / other.square().sum()) for one, other in pairs) / len(CHANNELS)

    @torch.no_grad()
    def patches(self, picture: Tensor) -> float:
        """Mean absolute difference of projected patches of the same rank, in [0, 1]'s unit."""
        found = []
        for one, other in zip(self._projected(picture), self._patches, strict=True):
            places = torch.linspace(0, other.shape[1] - 1, one.shape[1]).round().long()
            found.append(float((one - other[:, places]).abs().mean()))
        return sum(found) / len(found)

    @torch.no_grad()
    def content(self, picture: Tensor) -> float:
        """Relative distance of features of the brightness, whatever its range; mean over the layers."""
        pairs = zip(self._features(_shape_of(picture)), self._content, strict=True)
        return sum(float((one - other).square().sum() / other.square().sum()) for one, other in pairs) / len(CHANNELS)

    def _features(self, picture: Tensor) -> list[Tensor]:
        found = []
        for weight in self._weights:
            picture = torch.tanh(functional.conv2d(picture, weight, stride=2, padding=2))
            found.append(picture)
        return found

    def _projected(self, picture: Tensor) -> list[Tensor]:
        kernel = self._directions.view(DIRECTIONS, 3, PATCH, PATCH)
        scales = (picture, functional.avg_pool2d(picture, 3))
        return [functional.conv2d(one, kernel).flatten(2)[0].sort(dim=1).values for one in scales]


def _gram(features: Tensor) -> Tensor:
    flat = features[0].flatten(1)
    return flat @ flat.T / flat.shape[1]


def _shape_of(picture: Tensor) -> Tensor:
    """Brightness at zero mean and unit deviation: shapes, whatever the colours and the contrast became."""
    grey = picture.mean(dim=1, keepdim=True)
    return ((grey - grey.mean()) / grey.std().clamp_min(1e-3)).expand(1, 3, -1, -1)
