"""What the picture is pulled by: content, style and smoothness, each relative to its target, so that none depends on
how large a network's activations happen to be (the normalisation by layer of He, Wang & Hopcroft 2016).

Statistics are computed in float32, whatever the features are in. Knows no networks, no scales.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

FLOOR = 1e-3  # added to the mean square of a target: what a flat picture's features are compared with


@dataclass(frozen=True)
class Statistics:
    """Mean (C,) and covariance (C, C) of a layer's features over all places: its texture, wherever that stands.

    Gatys et al. 2016 take the Gram matrix, which is covariance + mean · meanᵀ and mostly mean.
    """

    mean: Tensor
    covariance: Tensor


def statistics_of(features: Tensor) -> Statistics:
    """(1, C, H, W), any number type → float32 statistics."""
    flat = features.float().flatten(2).squeeze(0)  # (C, N)
    mean = flat.mean(dim=1)
    centred = flat - mean[:, None]
    return Statistics(mean, centred @ centred.T / flat.shape[1])


def style_loss(found: Mapping[str, Tensor], wanted: Mapping[str, Statistics]) -> Tensor:
    """Mean over the layers of the relative squared distance of their means and covariances; 0 where they agree."""
    losses = []
    for name, target in wanted.items():
        statistics = statistics_of(found[name])
        losses.append(_relative(statistics.mean, target.mean) + _relative(statistics.covariance, target.covariance))
    return torch.stack(losses).mean()


def content_loss(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Tensor:
    """Mean over the layers of the relative squared distance of the features; 0 where they agree."""
    return torch.stack([_relative(found[name].float(), target.float()) for name, target in wanted.items()]).mean()


def total_variation(picture: Tensor) -> Tensor:
    """Mean squared difference of neighbours, (1, 3, H, W) in [0, 1]: 0 for a flat picture; a grainy one has most."""
    across = picture[..., 1:] - picture[..., :-1]
    down = picture[..., 1:, :] - picture[..., :-1, :]
    return across.square().mean() + down.square().mean()


def _relative(found: Tensor, target: Tensor) -> Tensor:
    return (found - target).square().sum() / (target.square().sum() + FLOOR * len(target))
