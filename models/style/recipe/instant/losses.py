"""The losses that teach the instant style network: the style's patches and statistics, the content's structure, and
that a picture in its own style stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from webui.engine.style.vgg import Vgg19

STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1")
CONTENT_LAYERS = ("conv2_1", "conv3_1")
PATCH = 9  # pixels along a side
SCALES = 4  # each half as large as the one before
PROJECTIONS = 32  # random directions in which patches are compared, drawn anew each time
PLACES = 2048  # of each picture that are looked at
_SMALL = 1e-3


@dataclass(frozen=True, kw_only=True)
class Shares:
    """The weight of each loss."""

    patches: float = 30.0
    statistics: float = 3.0
    content: float = 0.5
    identity: float = 20.0


def patch_distance(one: Tensor, other: Tensor, generator: torch.Generator) -> Tensor:
    """Sliced Wasserstein distance between the patches of two pictures (B, 3, H, W), over SCALES scales; (B,).

    Elnekave & Weiss 2022 (GPDM): random filters project all patches, and the sorted projections are compared. Scales
    smaller than a patch are left out.
    """
    distances = []
    for scale in range(SCALES):
        if scale:
            one, other = functional.avg_pool2d(one, 2), functional.avg_pool2d(other, 2)
        if min(one.shape[2:]) < PATCH:
            break
        filters = torch.randn(PROJECTIONS, 3, PATCH, PATCH, generator=generator)
        filters = (filters / filters.flatten(1).norm(dim=1).view(-1, 1, 1, 1)).to(one.device)
        projected = [functional.conv2d(picture, filters).flatten(2) for picture in (one, other)]  # (B, P, positions)
        count = projected[0].shape[-1]
        if count > PLACES:
            chosen = [torch.randint(count, (PLACES,), generator=generator).to(one.device) for _ in projected]
            projected = [values[..., places] for values, places in zip(projected, chosen, strict=True)]
        ordered = [values.sort(-1).values for values in projected]
        distances.append((ordered[0] - ordered[1]).abs().mean((1, 2)))
    return torch.stack(distances).mean(0)


def statistics_distance(features: dict[str, Tensor], wanted: dict[str, Tensor]) -> Tensor:
    """Relative squared distances of means and of Gram matrices over STYLE_LAYERS; (B,), from 0 to about 2.

    Relative to both together: relative to the wanted ones alone a flat style outweighs all others.
    """
    return torch.stack([_layer_distance(features[name], wanted[name]) for name in STYLE_LAYERS]).mean(0)


def _layer_distance(features: Tensor, wanted: Tensor) -> Tensor:
    found = []
    for one in (features, wanted):
        flat = one.float().flatten(2)
        found.append((flat.mean(2), flat @ flat.transpose(1, 2) / flat.shape[2]))
    (mean, gram), (wanted_mean, wanted_gram) = found
    return _relative(mean, wanted_mean) + _relative(gram.flatten(1), wanted_gram.flatten(1))


def _relative(found: Tensor, wanted: Tensor) -> Tensor:
    """(B, N) each → (B,)"""
    scale = found.detach().square().sum(1) + wanted.square().sum(1) + _SMALL
    return 2 * (found - wanted).square().sum(1) / scale


def content_distance(features: dict[str, Tensor], wanted: dict[str, Tensor]) -> Tensor:
    """Squared distance of features whose channels all have mean 0 and deviation 1: structure, not colour; (B,)."""
    parts = []
    for name in CONTENT_LAYERS:
        one, other = (functional.instance_norm(part[name].float()) for part in (features, wanted))
        parts.append((one - other).square().mean((1, 2, 3)))
    return torch.stack(parts).mean(0)


def style_losses(
    painted: Tensor, content: Tensor, style: Tensor, features: Vgg19, generator: torch.Generator, shares: Shares
) -> tuple[Tensor, dict[str, float]]:
    """The loss of pictures (B, 3, H, W) in [0, 1] painted from `content` in `style`, and its parts."""
    layers = tuple(dict.fromkeys((*STYLE_LAYERS, *CONTENT_LAYERS)))
    seen = features(painted, layers)
    with torch.no_grad():
        of_content, of_style = features(content, CONTENT_LAYERS), features(style, STYLE_LAYERS)
    parts = {
        "patches": shares.patches * patch_distance(painted, style, generator).mean(),
        "statistics": shares.statistics * statistics_distance(seen, of_style).mean(),
        "content": shares.content * content_distance(seen, of_content).mean(),
    }
    return torch.stack(list(parts.values())).sum(), {name: part.item() for name, part in parts.items()}
