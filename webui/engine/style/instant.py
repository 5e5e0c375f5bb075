"""Instant style transfer: one pass through a small network that takes any picture's style (Huang & Belongie 2017;
Ghiasi et al. 2017; Li et al. 2017).

It begins with a draft: the content rebuilt from the style's patches (rebuild.py). An encoder reads the draft and the
style. Of the style's features, only the means and covariances of the channels are used, at three scales. The draft's
features get them by the linear map that moves them least, and a style vector made from them sets the means and
deviations in every layer of a decoder. The decoder draws what is added to the draft. A mixture of styles is a mixture
of their drafts and moments. The network consists of convolutions, so it takes pictures of any size. Knows no requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from webui.engine.convolution import exchange_where_narrow
from webui.engine.style.rebuild import rebuilt
from webui.settings import ROOT

WEIGHTS = ROOT / "models" / "style" / "instant.safetensors"  # the program's own
WIDTHS = (32, 64, 128)  # channels at 1/2, 1/4 and 1/8 of each side
STYLE_WIDTH = 256
MULTIPLE = 8  # both sides of a picture are padded to it
_SMALLEST_VARIANCE = 1e-5
FLAT_SHARE = 0.03  # of the mean variance, added to the content's: what hardly varies in it is not blown up into grain

Features = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Moments:
    """Means (B, C) and covariances (B, C, C) of the channels of features, float32, the finest scale first."""

    scales: tuple[tuple[Tensor, Tensor], ...]

    def means_and_deviations(self) -> Tensor:
        """All means and deviations side by side, (B, 2 · all channels)."""
        parts = ((mean, covariance.diagonal(dim1=1, dim2=2).sqrt()) for mean, covariance in self.scales)
        return torch.cat([part for both in parts for part in both], 1)

    @staticmethod
    def mixed(shared: Sequence[tuple[Moments, float]]) -> Moments:
        """The average of several, each with its share; the shares sum to 1."""

        def mix(parts: Sequence[Tensor]) -> Tensor:
            return torch.stack([part * share for part, (_, share) in zip(parts, shared, strict=True)]).sum(0)

        scales = zip(*(moments.scales for moments, _ in shared), strict=True)
        return Moments(tuple((mix([mean for mean, _ in scale]), mix([cov for _, cov in scale])) for scale in scales))


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
    """Features with the style's statistics and a style vector → what is added to the picture; zero while untrained."""

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
    """The whole network: call `moments` once for each style, then `paint` for each draft and mixture of styles."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = _Encoder()
        self.to_style = nn.Sequential(
            nn.Linear(2 * sum(WIDTHS), STYLE_WIDTH), nn.ReLU(), nn.Linear(STYLE_WIDTH, STYLE_WIDTH)
        )
        self.decoder = _Decoder()

    def moments(self, picture: Tensor) -> Moments:
        """(B, 3, H, W) in [0, 1], both sides multiples of 8 → the moments that describe it as a style."""
        return Moments(tuple(mean_and_covariance(seen) for seen in self.encoder(picture)))

    def paint(self, drafts: Tensor, wanted: Moments, seed: int) -> Tensor:
        """Drafts (B, 3, H, W) in [0, 1], both sides multiples of 8, and the styles' moments → (B, 3, H, W), about [0,
        1].

        `seed` determines the noise between the strokes.
        """
        seen = self.encoder(drafts)
        halves, quarters, eighths = (with_moments(*each) for each in zip(seen, wanted.scales, strict=True))
        style = self.to_style(wanted.means_and_deviations().to(drafts.dtype))
        picture: Tensor = drafts + self.decoder((halves, quarters, eighths), style, seed)
        return picture


def load_instant(file: Path, device: torch.device, dtype: torch.dtype) -> InstantStyle:
    """The trained network from `file`. Raises OSError, and RuntimeError for the weights of another network."""
    network = InstantStyle()
    network.load_state_dict(load_file(file))
    network.eval().requires_grad_(False)
    exchange_where_narrow(network)
    return network.to(device, dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True)
class Seen:
    """A content prepared in one style, before the network: its draft (1, 3, H, W) and the style's moments."""

    draft: Tensor
    moments: Moments


@torch.inference_mode()
def seen_as(network: InstantStyle, content: Tensor, style: Tensor | None) -> Seen:
    """Prepares `content` (1, 3, H, W) in [0, 1] in a style (1, 3, h, w); without one, in its own style."""
    dtype = next(network.parameters()).dtype
    draft = content if style is None else rebuilt(content, style)
    return Seen(draft, network.moments(_padded(content if style is None else style).to(dtype)))


@torch.inference_mode()
def stylise(network: InstantStyle, shared: Sequence[tuple[Seen, float]], seed: int) -> Tensor:
    """One content in a mixture of styles, (1, 3, H, W) in [0, 1], float32.

    `shared` holds the content as prepared in each style, with a share above 0; the shares sum to 1.
    """
    draft = torch.stack([seen.draft * share for seen, share in shared]).sum(0)
    moments = Moments.mixed([(seen.moments, share) for seen, share in shared])
    dtype = next(network.parameters()).dtype
    painted = network.paint(_padded(draft).to(dtype), moments, seed).float()
    return painted[..., : draft.shape[-2], : draft.shape[-1]].clamp(0, 1)


def _padded(picture: Tensor) -> Tensor:
    down, right = -picture.shape[-2] % MULTIPLE, -picture.shape[-1] % MULTIPLE
    padded = functional.pad(picture, (0, right, 0, down), mode="replicate")
    return padded.contiguous(memory_format=torch.channels_last)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, 1, padding_mode="replicate")


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


def _mean_and_deviation(features: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and deviation of each channel over the picture, (B, C, 1, 1) each, float32."""
    precise = features.float()  # its two means take a third of the time of torch.var_mean
    mean, square = precise.mean((2, 3), keepdim=True), precise.square().mean((2, 3), keepdim=True)
    return mean, ((square - mean.square()).clamp_min(0) + _SMALLEST_VARIANCE).sqrt()


def _with_statistics(features: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """Gives each channel this mean and deviation instead of its own, (B, C, 1, 1) each."""
    own_mean, own_deviation = _mean_and_deviation(features)
    gain = deviation / own_deviation
    return torch.addcmul((mean - own_mean * gain).to(features.dtype), features, gain.to(features.dtype))


def mean_and_covariance(features: Tensor) -> tuple[Tensor, Tensor]:
    """Of the channels over the picture, (B, C) and (B, C, C), float32."""
    with torch.autocast(features.device.type, enabled=False):
        flat = features.float().flatten(2)
        mean = flat.mean(2, keepdim=True)
        apart = flat - mean
        covariance = apart @ apart.transpose(1, 2) / flat.shape[2]
        return mean[..., 0], covariance + _SMALLEST_VARIANCE * torch.eye(flat.shape[1], device=flat.device)


def with_moments(features: Tensor, wanted: tuple[Tensor, Tensor]) -> Tensor:
    """(B, C, H, W) with the `wanted` moments instead of its own, by the linear map that moves it least (Olkin &
    Pukelsheim 1982).

    No gradient flows through the map itself, whose derivative is large where the content is flat.
    """
    batch, channels, height, width = features.shape
    mean, covariance = wanted
    with torch.no_grad(), torch.autocast(features.device.type, enabled=False):
        own_mean, own_covariance = mean_and_covariance(features)
        flatness = FLAT_SHARE * own_covariance.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
        root, inverse = _roots(own_covariance + flatness * torch.eye(channels, device=features.device))
        matrix = inverse @ _roots(root @ covariance @ root)[0] @ inverse
    flat = features.permute(0, 2, 3, 1).reshape(batch, -1, channels)  # no copy where channels come last
    shift = (mean - (matrix @ own_mean[..., None])[..., 0])[:, None].to(flat.dtype)
    moved = torch.baddbmm(shift, flat, matrix.transpose(1, 2).to(flat.dtype))
    return moved.view(batch, height, width, channels).permute(0, 3, 1, 2)


def _roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """The square root and its inverse of symmetric matrices (B, C, C)."""
    values, vectors = torch.linalg.eigh(matrix)
    roots = values.clamp_min(_SMALLEST_VARIANCE).sqrt()[:, None]
    return (vectors * roots) @ vectors.transpose(1, 2), (vectors / roots) @ vectors.transpose(1, 2)


def _noise(features: Tensor, seed: int) -> Tensor:
    """(1, 1, H, W), the same for every picture of a size, so that moving a slider does not stir it."""
    drawn = torch.randn(features.shape[-2:], generator=torch.Generator().manual_seed(seed))
    return drawn[None, None].to(features)
