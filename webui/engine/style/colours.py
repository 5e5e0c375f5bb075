"""Gives one picture the colours of another, pixel by pixel, so that a map found on small pictures holds for large ones.

Knows no networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

ROTATIONS = 12
QUANTILES = 256  # knots of each one-dimensional map
KNOTS = 33  # along each axis of a table of colours
SAMPLES = 16_384  # pixels at most that a map is learnt from: more only cost
SHARE = 0.7  # of the way at each rotation: whole steps leave grain
RIDGE = 1e-4  # added to the variance of colours, in [0, 1] squared: flat pictures have none
GREY = (0.299, 0.587, 0.114)  # luma of sRGB's primaries as YIQ has it (Gatys et al. 2016)

ColourMap = Callable[[Tensor], Tensor]  # (1, 3, H, W) in [0, 1] → the same shape and range


@dataclass(frozen=True)
class _Transport:
    """Along the axes of each rotation (R, 3, 3), the values `source` (R, 3, QUANTILES) become those of `target`."""

    axes: Tensor
    source: Tensor
    target: Tensor

    def __call__(self, picture: Tensor) -> Tensor:
        colours = picture[0].flatten(1)
        for axes, source, target in zip(self.axes, self.source, self.target, strict=True):
            along = axes @ colours
            moved = torch.stack([_mapped(*line) for line in zip(along, source, target, strict=True)])
            colours = colours + SHARE * (axes.T @ (moved - along))
        return colours.view_as(picture).clamp(0, 1)


@dataclass(frozen=True)
class _Table:
    """Any map of colours, known at KNOTS³ colours and linear between them: (1, 3, KNOTS, KNOTS, KNOTS) by blue, green,
    red.
    """

    values: Tensor

    def __call__(self, picture: Tensor) -> Tensor:
        places = picture.movedim(1, -1).unsqueeze(1) * 2 - 1  # (1, 1, H, W, 3): red goes along the last axis
        found = functional.grid_sample(self.values, places, padding_mode="border", align_corners=True)
        return found[:, :, 0]


@dataclass(frozen=True)
class _Linear:
    """`matrix` (3, 3) · colour + `shift` (3, 1)."""

    matrix: Tensor
    shift: Tensor

    def __call__(self, picture: Tensor) -> Tensor:
        return (self.matrix @ picture[0].flatten(1) + self.shift).view_as(picture).clamp(0, 1)


def transport(picture: Tensor, palette: Tensor, check: Callable[[], None]) -> ColourMap:
    """The map that gives `picture` (1, 3, H, W) the distribution of colours of `palette` (1, 3, H', W').

    Sliced optimal transport (Pitié, Kokaram & Dahyot 2007): along random directions in RGB, values become those of the
    same rank, again and again, until the two clouds of colours agree. `check` is called in between and may raise.
    Departure: the map is then kept as a table of colours, which takes a twentieth of the time for a large picture.
    """
    generator = torch.Generator().manual_seed(0)
    colours, wanted = _sampled(picture), _sampled(palette)  # (3, N), (3, M)
    steps: list[tuple[Tensor, Tensor, Tensor]] = []
    for _ in range(ROTATIONS):
        check()
        axes = torch.linalg.qr(torch.randn(3, 3, generator=generator))[0].to(picture.device)
        along = axes @ colours
        source = torch.stack([_quantiles(line) for line in along])
        target = torch.stack([_quantiles(line) for line in axes @ wanted])
        moved = torch.stack([_mapped(*line) for line in zip(along, source, target, strict=True)])
        colours = colours + SHARE * (axes.T @ (moved - along))
        steps.append((axes, source, target))
    mapped = _Transport(*(torch.stack(part) for part in zip(*steps, strict=True)))
    line = torch.linspace(0, 1, KNOTS, device=picture.device)
    blue, green, red = torch.meshgrid(line, line, line, indexing="ij")
    colours = torch.stack([red, green, blue]).view(1, 3, 1, -1)
    return _Table(mapped(colours).view(1, 3, KNOTS, KNOTS, KNOTS))


def coral(picture: Tensor, palette: Tensor) -> ColourMap:
    """The linear map that gives `picture` the mean and covariance of the colours of `palette` (Sun, Feng & Saenko
    2016).

    Of all such maps, it is the one that moves colours least.
    """
    (mean, covariance), (wanted_mean, wanted_covariance) = _statistics(picture), _statistics(palette)
    root, inverse = _root(covariance, 0.5), _root(covariance, -0.5)
    matrix = inverse @ _root(root @ wanted_covariance @ root, 0.5) @ inverse
    return _Linear(matrix, wanted_mean - matrix @ mean)


def luminance(picture: Tensor) -> Tensor:
    """(1, 3, H, W) → (1, 1, H, W), in [0, 1]."""
    return (picture * picture.new_tensor(GREY).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def like_in_luminance(picture: Tensor, other: Tensor) -> ColourMap:
    """The map to greys with the mean and deviation of `other`'s luminance (Gatys et al. 2016, 5.2)."""
    grey, wanted = luminance(picture), luminance(other)
    gain = wanted.std(correction=0) / grey.std(correction=0).clamp_min(1e-2)
    mean, wanted_mean = grey.mean(), wanted.mean()
    return lambda one: ((luminance(one) - mean) * gain + wanted_mean).clamp(0, 1).expand_as(one)


def with_chroma(grey: Tensor, coloured: Tensor) -> Tensor:
    """The luminance of `grey` with the chroma of `coloured`; both and the result are (1, 3, H, W) in [0, 1]."""
    return (coloured + (luminance(grey) - luminance(coloured))).clamp(0, 1)


def _sampled(picture: Tensor) -> Tensor:
    """(1, 3, H, W) → (3, N), at most SAMPLES pixels, spread evenly over the picture."""
    flat = picture[0].flatten(1)
    return flat[:, :: -(-flat.shape[1] // SAMPLES)]


def _statistics(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (3, 1) and covariance (3, 3) of the colours."""
    flat = _sampled(picture)
    mean = flat.mean(dim=1, keepdim=True)
    return mean, (flat - mean) @ (flat - mean).T / flat.shape[1] + RIDGE * torch.eye(3, device=flat.device)


def _root(matrix: Tensor, power: float) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    found: Tensor = (vectors * values.clamp_min(RIDGE**2) ** power) @ vectors.T
    return found


def _mapped(values: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Values (N,) → those of the same rank, interpolated between quantiles (QUANTILES,)."""
    right = torch.searchsorted(source, values.contiguous()).clamp(1, QUANTILES - 1)
    left = right - 1
    share = (values - source[left]) / (source[right] - source[left]).clamp_min(1e-6)
    return torch.lerp(target[left], target[right], share.clamp(0, 1))


def _quantiles(values: Tensor) -> Tensor:
    """(QUANTILES,), ascending, from the smallest to the largest."""
    ranks = torch.linspace(0, len(values) - 1, QUANTILES, device=values.device).round().long()
    return values.sort().values[ranks]
