"""Style transfer at once: one pass through a small network that takes any picture's style (Huang & Belongie 2017;
Ghiasi et al. 2017).

First the content gets the style's colours, in closed form. An encoder reads that and the style. Of the style's features
only the means and deviations of the channels are taken, at three scales. The content's features get them, and a style
vector made of them sets means and deviations in every layer of a decoder, which draws what is added to the picture,
with noise beside it for strokes where the content is flat. A mixture of styles is a mixture of their colours and
statistics. Convolutions alone, so every size of picture will do. Knows no requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from webui.engine.style.colours import coral

WIDTHS = (32, 64, 128)  # channels at 1/2, 1/4 and 1/8 of each side
STYLE_WIDTH = 256
STATISTICS = 2 * sum(WIDTHS)  # of a style: mean and deviation of each channel of each scale
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
        gain, shift = self.wanted(style).float()[:, :, None, None].chunk(2, 1)
        return _with_statistics(features, shift, 1 + gain)


class _RestyledResidual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.styles = nn.ModuleList(_Restyled(channels) for _ in range(2))
        self.convolutions = nn.ModuleList(_convolution(channels, channels) for _ in range(2))
        self.grain = nn.Parameter(torch.full((channels, 1, 1), 0.1))  # how much noise each channel gets

    def forward(self, features: Tensor, style: Tensor, seed: int) -> Tensor:
        changed = features + self.grain.to(features.dtype) * _noise(features, seed)
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
    """Features with the style's statistics and a style vector → what is added to the picture; nothing if untrained."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter, eighth = WIDTHS
        self.at_eighth = nn.ModuleList(_RestyledResidual(eighth) for _ in range(3))
        self.to_quarter = _convolution(eighth, quarter)
        self.at_quarter = nn.ModuleList(_RestyledResidual(quarter) for _ in range(2))
        self.to_half = _convolution(quarter, half)
        self.at_half = nn.ModuleList(_RestyledResidual(half) for _ in range(2))
        self.leave = _convolution(half, 12)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]  # there is one

    def forward(self, seen: Features, style: Tensor, seed: int) -> Tensor:
        halves, quarters, features = seen
        for block in self.at_eighth:
            features = block(features, style, seed)
        features = _doubled(self.to_quarter(features)) + quarters
        for block in self.at_quarter:
            features = block(features, style, seed)
        features = _doubled(self.to_half(features)) + halves
        for block in self.at_half:
            features = block(features, style, seed)
        return functional.pixel_shuffle(self.leave(functional.relu(features)), 2)


class InstantStyle(nn.Module):
    """The whole network: `statistics` once for each style, then `paint` for each content and mixture of styles."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = _Encoder()
        self.to_style = nn.Sequential(
            nn.Linear(STATISTICS, STYLE_WIDTH), nn.ReLU(), nn.Linear(STYLE_WIDTH, STYLE_WIDTH)
        )
        self.decoder = _Decoder()

    def statistics(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1], both sides multiples of 8 → what counts of it as a style, (B, STATISTICS) float32."""
        return torch.cat([part.flatten(1) for seen in self.encoder(picture) for part in _mean_and_deviation(seen)], 1)

    def paint(self, content: Tensor, statistics: Tensor, seed: int) -> Tensor:
        """Contents in the style's colours, (B, 3, H, W) in [0, 1], both sides multiples of 8, and the style's
        statistics (B, STATISTICS) → (B, 3, H, W), about [0, 1]. `seed` of the noise between the strokes."""
        wanted = torch.split(statistics[..., None, None], [width for width in WIDTHS for _ in range(2)], 1)
        seen = self.encoder(content)
        halves, quarters, eighths = (
            _with_statistics(*each) for each in zip(seen, wanted[::2], wanted[1::2], strict=True)
        )
        style = self.to_style(statistics.to(content.dtype))
        picture: Tensor = content + self.decoder((halves, quarters, eighths), style, seed)
        return picture


def load_instant(file: Path, device: torch.device, dtype: torch.dtype) -> InstantStyle:
    """The trained network. Raises OSError, and RuntimeError for another network's weights."""
    network = InstantStyle()
    network.load_state_dict(load_file(file))
    network.eval().requires_grad_(False)
    return network.to(device, dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True)
class Palette:
    """What the network needs to know of a picture as a style: its colours, and its statistics (1, STATISTICS)."""

    picture: Tensor  # (1, 3, H, W) in [0, 1]
    statistics: Tensor


@torch.inference_mode()
def palette_of(network: InstantStyle, picture: Tensor) -> Palette:
    """Of a picture (1, 3, H, W) in [0, 1]."""
    dtype = next(network.parameters()).dtype
    return Palette(picture, network.statistics(_padded(picture).to(dtype)))


@torch.inference_mode()
def stylise(
    network: InstantStyle,
    content: Tensor,
    own: Palette,
    styles: Sequence[tuple[Palette, float]],
    strength: float,
    seed: int,
) -> Tensor:
    """`content` (1, 3, H, W) in [0, 1] in the mixture of `styles`, each with its share > 0, together 1.

    `strength` in [0, 1] goes from the content's `own` style to theirs. The same shape and range, float32.
    """
    statistics = torch.stack([style.statistics * share for style, share in styles]).sum(0)
    coloured = torch.stack([coral(content, style.picture)(content) * share for style, share in styles]).sum(0)
    if strength < 1:
        statistics = torch.lerp(own.statistics, statistics, strength)
        coloured = torch.lerp(content, coloured, strength)
    dtype = next(network.parameters()).dtype
    painted = network.paint(_padded(coloured).to(dtype), statistics, seed).float()
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
    precise = features.float()  # its two means take a third of the time of torch.var_mean
    mean, square = precise.mean((2, 3), keepdim=True), precise.square().mean((2, 3), keepdim=True)
    return mean, ((square - mean.square()).clamp_min(0) + _SMALLEST_VARIANCE).sqrt()


def _with_statistics(features: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """Each channel with this mean and deviation instead of its own, (B, C, 1, 1) each."""
    own_mean, own_deviation = _mean_and_deviation(features)
    gain = deviation / own_deviation
    return torch.addcmul((mean - own_mean * gain).to(features.dtype), features, gain.to(features.dtype))


def _noise(features: Tensor, seed: int) -> Tensor:
    """The same for every picture of a size, (1, 1, H, W), so that a moved slider does not stir it."""
    drawn = torch.randn(features.shape[-2:], generator=torch.Generator().manual_seed(seed))
    return drawn[None, None].to(features)
