"""The losses beside style, each a matter of single places: content and smoothness.

Each is a sum over some of a picture's places, relative to the whole picture, so that tiles add up to the whole.
Computed in float32, whatever the features' number type. Knows no networks, no scales.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from webui.engine.style.tiles import Tile

FLOOR = 1e-3  # added to the energy of a layer: what a flat picture's features are compared with


def energy(features: Tensor) -> float:
    """The sum of the squares of the features."""
    return float(features.float().square().sum())


def content_loss(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], energies: Mapping[str, float]) -> Tensor:
    """The squared distance of the features, relative to the energy of the wanted ones; averaged over the layers."""
    losses = [
        (found[name].float() - target.float()).square().sum() / (energies[name] + FLOOR)
        for name, target in wanted.items()
    ]
    return torch.stack(losses).mean()


def total_variation(window: Tensor, values: int, tile: Tile) -> Tensor:
    """The squared differences of neighbours in a tile's window (1, 3, h, w) in [0, 1], divided by the whole picture's
    `values`.

    Each place of the tile is compared with those to its right and below it. 0 for a flat picture; highest for a grainy
    one.
    """
    rows, columns = tile.rows, tile.columns
    top, left = rows.start - rows.outer_start, columns.start - columns.outer_start
    bottom, right = top + rows.end - rows.start, left + columns.end - columns.start
    across = window[..., top:bottom, left : right + 1].diff(dim=-1)
    down = window[..., top : bottom + 1, left:right].diff(dim=-2)
    return (across.square().sum() + down.square().sum()) / values
