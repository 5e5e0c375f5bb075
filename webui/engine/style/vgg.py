"""VGG-19's convolutions (Simonyan & Zisserman 2014) as a source of features, trained or random.

Random weights do nearly as well as trained ones where only correlations within a layer are compared (He, Wang &
Hopcroft 2016), so style transfer works with nothing downloaded. Knows no losses, no files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Layer:
    """One 3×3 convolution. `index` is its place in torchvision's `features`, which is its name in files."""

    name: str
    index: int
    inputs: int
    outputs: int
    is_pooled_before: bool


def _layers() -> tuple[Layer, ...]:
    found, index, inputs = [], 0, 3
    for block, (outputs, count) in enumerate(((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)), start=1):
        for place in range(1, count + 1):
            found.append(Layer(f"conv{block}_{place}", index, inputs, outputs, block > 1 and place == 1))
            index, inputs = index + 2, outputs  # each convolution is followed by its ReLU …
        index += 1  # … and each block by a pooling
    return tuple(found)


LAYERS = _layers()
Pooling = Literal["average", "max"]

# ImageNet's mean and standard deviation by channel, in [0, 1]: what the trained weights expect
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

RANDOM_WIDTH = 0.5  # of VGG-19's channels, for a quarter of its cost
FEATURES_SEED = 0  # of the random weights: one network for every request
SMALLEST_VARIANCE = 0.05  # of a channel: photographs have twice as much, flat pictures none


class _Block(nn.Module):
    """(Pooling,) convolution and ReLU."""

    def __init__(self, weight: Tensor, bias: Tensor, pooling: Pooling | None) -> None:
        super().__init__()
        self.register_buffer("weight", weight.contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", bias)
        self.weight: Tensor
        self.bias: Tensor
        self.pooling = pooling

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(self.convolve(features))

    def convolve(self, features: Tensor) -> Tensor:
        """(1, C, H, W) → (1, C', H or ⌈H/2⌉, W or ⌈W/2⌉), before the ReLU."""
        if self.pooling == "average":
            features = functional.avg_pool2d(features, 2, ceil_mode=True)
        elif self.pooling == "max":
            features = functional.max_pool2d(features, 2, ceil_mode=True)
        # the edge is repeated, where VGG pads with zeros: those would print a frame into the picture
        return functional.conv2d(functional.pad(features, (1, 1, 1, 1), mode="replicate"), self.weight, self.bias)


class Vgg19(nn.Module):
    """The first layers of VGG-19 with constant weights; `origin` says where they are from."""

    def __init__(
        self, weights: Sequence[tuple[Tensor, Tensor]], *, pooling: Pooling, origin: str, dtype: torch.dtype
    ) -> None:
        super().__init__()
        self.origin = origin
        self.dtype = dtype
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))
        self.mean: Tensor
        self.std: Tensor
        self.blocks = nn.ModuleList(
            _Block(weight.to(dtype), bias.to(dtype), pooling if layer.is_pooled_before else None)
            for layer, (weight, bias) in zip(LAYERS, weights, strict=False)
        )
        self.requires_grad_(False)

    def forward(self, picture: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
        """A picture (1, 3, H, W) in [0, 1] → the features of the named layers after the ReLU, (1, C, h, w) of the
        network's `dtype`.
        """
        features = self.entering(picture)
        found: dict[str, Tensor] = {}
        for layer, block in zip(LAYERS, self.blocks, strict=False):
            features = block(features)
            if layer.name in names:
                found[layer.name] = features
            if len(found) == len(set(names)):
                break
        return found

    @property
    def margin(self) -> int:
        """How many pixels to each side a place's features depend on, at most."""
        pixels, stride = 0, 1
        for layer, _block in zip(LAYERS, self.blocks, strict=False):
            if layer.is_pooled_before:
                pixels, stride = pixels + stride, 2 * stride
            pixels += stride
        return pixels

    def entering(self, picture: Tensor) -> Tensor:
        """The input of the first layer: normalised, in the network's number type, channels last (2×
        as fast on a CPU).
        """
        return ((picture - self.mean) / self.std).to(self.dtype).contiguous(memory_format=torch.channels_last)


def stride_of(name: str) -> int:
    """Pixels from one place of the named layer to the next."""
    place = next(place for place, layer in enumerate(LAYERS) if layer.name == name)
    return int(2 ** sum(layer.is_pooled_before for layer in LAYERS[: place + 1]))


def depth_of(names: Sequence[str]) -> int:
    """How many layers it takes to reach the last of the named ones."""
    return 1 + max(place for place, layer in enumerate(LAYERS) if layer.name in names)


def random_vgg19(pictures: Sequence[Tensor], depth: int, dtype: torch.dtype, width: float = RANDOM_WIDTH) -> Vgg19:
    """VGG-19's first `depth` layers with random weights, calibrated to `pictures`, each (1, 3, H, W) in [0, 1].

    Departures from He et al., who draw N(0, 0.015²) for full width: only a share `width` of the channels; half of the
    first layer's filters ignore flat colour, since brightness would otherwise drown all texture; and each channel is
    shifted and scaled to zero mean and unit variance over `pictures`, layer by layer, so that every ReLU divides its
    input and no layer fades away.
    """
    generator = torch.Generator().manual_seed(FEATURES_SEED)
    weights = []
    inputs = 3
    for layer in LAYERS[:depth]:
        outputs = int(layer.outputs * width)
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator)
        if layer is LAYERS[0]:
            weight[: outputs // 2] -= weight[: outputs // 2].mean(dim=(2, 3), keepdim=True)
        weights.append((weight / weight.flatten(1).norm(dim=1).view(-1, 1, 1, 1), torch.zeros(outputs)))
        inputs = outputs
    device = pictures[0].device
    network = Vgg19(weights, pooling="average", origin="random VGG-19", dtype=torch.float32).to(device)
    _calibrate(network, pictures)
    network.dtype = dtype
    for block in network.blocks:
        block.to(dtype)
    return network


@torch.no_grad()
def _calibrate(network: Vgg19, pictures: Sequence[Tensor]) -> None:
    """Sets zero mean and unit variance for each channel before its ReLU, over all `pictures` alike."""
    inputs = [network.entering(picture) for picture in pictures]
    for block in cast(list[_Block], list(network.blocks)):
        outputs = [block.convolve(one) for one in inputs]
        mean = torch.stack([one.mean(dim=(0, 2, 3)) for one in outputs]).mean(0)  # (C,)
        shifted = [one - mean.view(1, -1, 1, 1) for one in outputs]
        variance = torch.stack([one.square().mean(dim=(0, 2, 3)) for one in shifted]).mean(0)
        scale = variance.clamp_min(SMALLEST_VARIANCE).rsqrt()
        block.weight.mul_(scale.view(-1, 1, 1, 1))
        block.bias.copy_(-mean * scale)
        inputs = [functional.relu(one * scale.view(1, -1, 1, 1)) for one in shifted]
