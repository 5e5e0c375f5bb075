"""Fills holes in a picture smoothly with the colours around them: for the masked content *fill*, and below pixels that
are added at a side.

A pyramid of means over the known pixels, from coarse to fine (Gortler et al. 1996, "The Lumigraph", push-pull): one
pass, no seed, and no hole is too large. Knows no masks of a request.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from webui.engine.pictures.images import to_pixels, to_tensor


def filled(picture: Image.Image, hole: np.ndarray) -> Image.Image:
    """The picture with the pixels filled where `hole` (H, W) is above 0; all other pixels stay exactly as they are."""
    known = torch.from_numpy((hole <= 0).astype(np.float32))[None, None]
    colours = _pulled(to_tensor(picture) * known, known)
    pixels = np.where(hole[..., None] > 0, to_pixels(colours[0]), np.asarray(picture))
    return Image.fromarray(pixels)


def _pulled(known: Tensor, share: Tensor) -> Tensor:
    """Colours (1, 3, H, W) multiplied by `share` (1, 1, H, W), how much of each is known → complete colours; grey if
    none is known.
    """
    if max(share.shape[-2:]) == 1:
        return torch.where(share > 0, known / share.clamp_min(1e-6), torch.zeros_like(known))
    coarse = _pulled(_halved(known), _halved(share))
    below = functional.interpolate(coarse, size=share.shape[-2:], mode="bilinear", align_corners=False)
    return known + below * (1 - share)


def _halved(tensor: Tensor) -> Tensor:
    return functional.avg_pool2d(tensor, 2, ceil_mode=True, count_include_pad=False)
