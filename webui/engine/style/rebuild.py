"""A picture rebuilt from another one's patches in closed form, from coarse to fine (Granot et al. 2022; Elad & Milanfar
2017): the draft that the instant network begins with. Knows no networks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from webui.engine.style.colours import coral

PATCH = 9  # pixels along a side
STRIDE = 3  # between patches that are looked for
KEYS = 512  # patches of the style, drawn by lot at each scale
DIRECTIONS = 24  # along which patches are compared: those in which the style's differ most
TURNS = (2, 2, 1)  # rebuildings at each scale, each half as coarse as the one before
SHARES = (0.9, 0.75, 0.7)  # of what is rebuilt in each scale's result; the rest is the picture itself
RARITY = 0.05  # squared distance that counts as near: the smaller, the more even the use of the style's patches
_REFERENCE = 4  # every so manieth place tells how near a patch comes to any


@dataclass(frozen=True)
class _Keys:
    patches: Tensor  # (K, 3 · PATCH²)
    mean: Tensor  # (3 · PATCH²,)
    directions: Tensor  # (3 · PATCH², DIRECTIONS)


def rebuilt(content: Tensor, style: Tensor) -> Tensor:
    """`content` (1, 3, H, W) in [0, 1], rebuilt in the colours and from the patches of `style` (1, 3, h, w).

    The result has the shape and range of `content`, and is the same each time.
    """
    generator = torch.Generator().manual_seed(0)
    coloured = coral(content, style)(content)
    picture = _smaller(coloured, 2 ** (len(TURNS) - 1))
    for scale, (turns, share) in enumerate(zip(TURNS, SHARES, strict=True)):
        factor = 2 ** (len(TURNS) - 1 - scale)
        meant = _smaller(coloured, factor)
        keys = _keys_of(_smaller(style, factor), generator)
        turned = _enlarged(picture, meant)
        for _ in range(turns):
            turned = _from_patches(torch.lerp(meant, turned, share), keys)
        picture = torch.lerp(meant, turned, share)
    return _enlarged(picture, content).clamp(0, 1)


def _smaller(picture: Tensor, factor: int) -> Tensor:
    """Smaller by `factor` along each side, but never smaller than a patch."""
    height, width = (max(PATCH, round(side / factor)) for side in picture.shape[2:])
    if (height, width) == tuple(picture.shape[2:]):
        return picture
    shrinks = height <= picture.shape[2] and width <= picture.shape[3]
    return functional.interpolate(picture, (height, width), mode="area" if shrinks else "bilinear")


def _enlarged(picture: Tensor, like: Tensor) -> Tensor:
    if picture.shape == like.shape:
        return picture
    return functional.interpolate(picture, like.shape[2:], mode="bicubic", align_corners=False)


def _keys_of(style: Tensor, generator: torch.Generator) -> _Keys:
    rows, columns = style.shape[2] - PATCH + 1, style.shape[3] - PATCH + 1
    places = torch.randperm(rows * columns, generator=generator)[:KEYS].to(style.device)
    within = torch.arange(PATCH, device=style.device)
    row = (places // columns)[:, None, None] + within[:, None]
    column = (places % columns)[:, None, None] + within
    patches = style[0][:, row, column].transpose(0, 1).flatten(1)
    mean = patches.mean(0)
    apart = patches - mean
    return _Keys(patches, mean, torch.linalg.eigh(apart.T @ apart).eigenvectors[:, -DIRECTIONS:])


def _from_patches(picture: Tensor, keys: _Keys) -> Tensor:
    """Replaces each patch by the nearest key and averages where patches overlap. Distances are relative to how near a
    key comes to any patch, so that rare keys are used, too (Granot et al. 2022, eq. 2).
    """
    height, width = picture.shape[2:]
    around = PATCH - 1
    padded = functional.pad(picture, (around, around + STRIDE) * 2, mode="replicate")
    filters = keys.directions.T.reshape(-1, 3, PATCH, PATCH)
    queries = functional.conv2d(padded, filters, -(keys.mean @ keys.directions), STRIDE)[0].flatten(1).T
    known = (keys.patches - keys.mean) @ keys.directions
    lengths = queries.square().sum(1, keepdim=True) + known.square().sum(1)
    distances = torch.addmm(lengths, queries, known.T, alpha=-2)  # (N, K), squared
    nearest_any = distances[::_REFERENCE].amin(0).clamp_min(0)
    chosen = keys.patches[(distances / (nearest_any + RARITY)).argmin(1)].T[None]
    size = padded.shape[2:]
    sums = functional.fold(chosen, size, PATCH, stride=STRIDE)
    counts = functional.fold(torch.ones_like(chosen[:, : PATCH**2]), size, PATCH, stride=STRIDE).clamp_min(1)
    return (sums / counts)[..., around : around + height, around : around + width]
