"""What else the picture is pulled by, each a matter of single places: content and smoothness.

Sums over some of a picture's places, over what the whole picture has: so tiles add up to the whole. Computed in
float32, whatever the features are in. Knows no networks, no scales.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from webui.engine.style.tiles import Tile

FLOOR = 1e-3  # added to the energy of a layer: what a flat picture's features are compared with


def energy(features: Tensor) -> float:
    """The sum of their squares."""
    return float(features.float().square().sum())


def content_loss(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], energies: Mapping[str, float]) -> Tensor:
    """Mean over the layers of the squared distance of the features, relative to the energy of all that is wanted."""
    losses = [
        (found[name].float() - target.float()).square().sum() / (energies[name] + FLOOR)
        for name, target in wanted.items()
    ]
    return torch.stack(losses).mean()


def total_variation(window: Tensor, values: int, tile: Tile) -> Tensor:
    """Squared differences of neighbours in what is seen for a tile, (1, 3, h, w) in [0, 1], over the `values` that all
    the picture has: of each place of the tile and the ones to its right and below it.

    0 for a flat picture; a grainy one has most.
    """
    rows, columns = tile.rows, tile.columns
    top, left = rows.start - rows.outer_start, columns.start - columns.outer_start
    bottom, right = top + rows.end - rows.start, left + columns.end - columns.start
    across = window[..., top:bottom, left : right + 1].diff(dim=-1)
    down = window[..., top : bottom + 1, left:right].diff(dim=-2)
    return (across.square().sum() + down.square().sum()) / values
