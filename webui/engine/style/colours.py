"""One picture's colours given to another: sliced optimal transport (Pitié, Kokaram & Dahyot 2007).

Along random directions in RGB, the values of one picture are mapped to those of the same rank in the other, again and
again, until the two clouds of colours agree. Knows no networks.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

ROTATIONS = 12
QUANTILES = 256  # knots of each one-dimensional map
SAMPLES = 65_536  # pixels at most that quantiles are read from: more only cost
SHARE = 0.7  # of the way at each rotation: whole steps leave grain


def recoloured(picture: Tensor, palette: Tensor, check: Callable[[], None]) -> Tensor:
    """`picture` (1, 3, H, W) in [0, 1], with the distribution of colours of `palette` (1, 3, H', W'); same shape.

    `check` is called again and again, and may raise to end it.
    """
    generator = torch.Generator().manual_seed(0)
    colours, wanted = picture[0].flatten(1), palette[0].flatten(1)  # (3, N), (3, M)
    for _ in range(ROTATIONS):
        check()
        axes = torch.linalg.qr(torch.randn(3, 3, generator=generator))[0].to(picture.device)
        along = axes @ colours
        moved = torch.stack([_mapped(a, b) for a, b in zip(along, axes @ wanted, strict=True)])
        colours = colours + SHARE * (axes.T @ (moved - along))
    return colours.view_as(picture).clamp(0, 1)


def _mapped(values: Tensor, wanted: Tensor) -> Tensor:
    """Values (N,) → those of the same rank in `wanted` (M,), linear between quantiles."""
    source, target = _quantiles(values), _quantiles(wanted)
    right = torch.searchsorted(source, values.contiguous()).clamp(1, QUANTILES - 1)
    left = right - 1
    share = (values - source[left]) / (source[right] - source[left]).clamp_min(1e-6)
    return torch.lerp(target[left], target[right], share.clamp(0, 1))


def _quantiles(values: Tensor) -> Tensor:
    """(QUANTILES,), ascending, from the least to the greatest."""
    values = values[:: -(-len(values) // SAMPLES)]
    ranks = torch.linspace(0, len(values) - 1, QUANTILES, device=values.device).round().long()
    return values.sort().values[ranks]
