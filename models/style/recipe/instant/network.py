"""Style transfer at once: one pass through a small network that takes any picture's style (Huang & Belongie 2017;
Ghiasi et al. 2017).

First the content gets the style's colours, in closed form. An encoder reads that and the style. Of the style's features
only the means and deviations of the channels are taken, at three scales; from them a style vector is made, which sets
means and deviations in every layer of a decoder, which draws what is added to the picture. A mixture of styles is a
mixture of their colours and vectors. Convolutions alone, so every size of picture will do. Knows no requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from webui.engine.style.colours import coral

WIDTHS = (32, 64, 128)  # channels at 1/2, 1/4 and 1/8 of each side
STYLE_WIDTH = 256
MULTIPLE = 8  # both sides of a picture are padded to it
_SMALLEST_VARIANCE = 1e-5

Features = tuple[Tensor, Tensor, Tensor]


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels)
        self.second = _convolution(channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = self.second(functional.relu(self.first(functional.relu(features))))
        return features + changed


class _Restyled(nn.Module):
    """Gives each channel the mean and deviation that the style vector asks for (adaptive instance normalisation)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.wanted = nn.Linear(STYLE_WIDTH, 2 * channels)

    def forward(self, features: Tensor, style: Tensor) -> Tensor:
        mean, deviation = _mean_and_deviation(features)
        gain, shift = self.wanted(style).float()[:, :, None, None].chunk(2, 1)
        restyled: Tensor = (features.float() - mean) / deviation * (1 + gain) + shift
        return restyled.to(features.dtype)


class _RestyledResidual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.styles = nn.ModuleList(_Restyled(channels) for _ in range(2))
        self.convolutions = nn.ModuleList(_convolution(channels, channels) for _ in range(2))

    def forward(self, features: Tensor, style: Tensor) -> Tensor:
        changed = features
        for restyle, convolve in zip(self.styles, self.convolutions, strict=True):
            changed = convolve(functional.relu(restyle(changed, style)))
        return features + changed


class _Encoder(nn.Module):
    """(B, 3, H, W) in [0, 1] → features at 1/2, 1/4 and 1/8 of each side."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter, eighth = WIDTHS
        self.enter = _convolution(12, half)
        self.to_quarter = _convolution(half, quarter, stride=2)
        self.at_quarter = _Residual(quarter)
        self.to_eighth = _convolution(quarter, eighth, stride=2)
        self.at_eighth = nn.Sequential(_Residual(eighth), _Residual(eighth))

    def forward(self, picture: Tensor) -> Features:
        halves = self.enter(functional.pixel_unshuffle(picture, 2))
        quarters = self.at_quarter(self.to_quarter(functional.relu(halves)))
        return halves, quarters, self.at_eighth(self.to_eighth(functional.relu(quarters)))


class _Decoder(nn.Module):
    """Features at 1/4 and 1/8 of each side and a style vector → what is added to the picture; nothing if untrained."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter, eighth = WIDTHS
        self.enter = _Restyled(eighth)
        self.at_eighth = nn.ModuleList(_RestyledResidual(eighth) for _ in range(3))
        self.to_quarter = _convolution(eighth, quarter)
        self.details = _Restyled(quarter)
        self.at_quarter = nn.ModuleList(_RestyledResidual(quarter) for _ in range(2))
        self.to_half = _convolution(quarter, half)
        self.at_half = _RestyledResidual(half)
        self.leave = _convolution(half, 12)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]  # there is one

    def forward(self, quarters: Tensor, eighths: Tensor, style: Tensor) -> Tensor:
        features = self.enter(eighths, style)
        for block in self.at_eighth:
            features = block(features, style)
        features = _doubled(self.to_quarter(features)) + self.details(quarters, style)
        for block in self.at_quarter:
            features = block(features, style)
        features = self.at_half(_doubled(self.to_half(features)), style)
        return functional.pixel_shuffle(self.leave(functional.relu(features)), 2)


class InstantStyle(nn.Module):
    """The whole network: `style` once for each style, then `paint` for each content and mixture of styles."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = _Encoder()
        self.to_style = nn.Sequential(
            nn.Linear(2 * sum(WIDTHS), STYLE_WIDTH), nn.ReLU(), nn.Linear(STYLE_WIDTH, STYLE_WIDTH)
        )
        self.decoder = _Decoder()

    def style(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1], both sides multiples of 8 → its style vector, (B, STYLE_WIDTH)."""
        found = [part.flatten(1) for features in self.encoder(picture) for part in _mean_and_deviation(features)]
        vector: Tensor = self.to_style(torch.cat(found, 1).to(picture.dtype))
        return vector

    def paint(self, content: Tensor, style: Tensor) -> Tensor:
        """Contents in the style's colours, (B, 3, H, W) in [0, 1], both sides multiples of 8, and style vectors
        (B, STYLE_WIDTH) → (B, 3, H, W), about [0, 1]."""
        _, quarters, eighths = self.encoder(content)
        picture: Tensor = content + self.decoder(quarters, eighths, style)
        return picture


def load_instant(file: Path, device: torch.device, dtype: torch.dtype) -> InstantStyle:
    """The trained network. Raises OSError, and RuntimeError for another network's weights."""
    network = InstantStyle()
    network.load_state_dict(load_file(file))
    network.eval().requires_grad_(False)
    return network.to(device, dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


@torch.inference_mode()
def stylise(network: InstantStyle, content: Tensor, styles: Sequence[tuple[Tensor, float]], strength: float) -> Tensor:
    """`content` (1, 3, H, W) in [0, 1] in the mixture of `styles`, each a picture (1, 3, h, w) with its weight > 0.

    `strength` in [0, 1] goes from the content's own style to theirs. The same shape and range, float32.
    """
    dtype = next(network.parameters()).dtype
    total = sum(weight for _, weight in styles)
    vector = torch.stack([network.style(_padded(one).to(dtype)).float() * (w / total) for one, w in styles]).sum(0)
    coloured = torch.stack([coral(content, one)(content) * (w / total) for one, w in styles]).sum(0)
    if strength < 1:
        vector = torch.lerp(network.style(_padded(content).to(dtype)).float(), vector, strength)
        coloured = torch.lerp(content, coloured, strength)
    painted = network.paint(_padded(coloured).to(dtype), vector.to(dtype)).float()
    return painted[..., : content.shape[-2], : content.shape[-1]].clamp(0, 1)


def _padded(picture: Tensor) -> Tensor:
    down, right = -picture.shape[-2] % MULTIPLE, -picture.shape[-1] % MULTIPLE
    padded = functional.pad(picture, (0, right, 0, down), mode="replicate")
    return padded.contiguous(memory_format=torch.channels_last)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, 1, padding_mode="replicate")


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


def _mean_and_deviation(features: Tensor) -> tuple[Tensor, Tensor]:
    """Of each channel over the picture, (B, C, 1, 1) each, float32."""
    variance, mean = torch.var_mean(features.float(), (2, 3), keepdim=True, correction=0)
    return mean, (variance + _SMALLEST_VARIANCE).sqrt()
