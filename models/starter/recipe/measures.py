"""Distances between pictures, and how far a share can be trusted. Knows no prompts and no checkpoint."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

# Structural similarity as published (Wang et al. 2004): a Gaussian window of 11 pixels, on luminance in [0, 1].
WINDOW, DEVIATION = 11, 1.5
STABILISERS = (0.01**2, 0.03**2)
CHANGED_SHARE = 0.25  # of a picture's area, which `ssim_outside` leaves out
# A clear edge: a step this high in luminance, nearly all of it within `EDGE_NEAR` pixels of its middle, flat for so
# many pixels at both ends of a window of twice the reach.
EDGE_REACH, EDGE_SIDE, EDGE_NEAR, EDGE_HEIGHT, EDGE_FLAT, EDGE_FINENESS = 10, 4, 2, 0.25, 0.03, 4
CONFIDENCE = 1.96  # standard deviations to either side: 95 %


def _luminance(picture: Image.Image) -> Tensor:
    """(1, 1, H, W) in [0, 1]"""
    return torch.from_numpy(np.asarray(picture.convert("L"), np.float32) / 255)[None, None]


def _blurred(values: Tensor, deviation: float, window: int) -> Tensor:
    """The Gaussian mean around each pixel; at the edges of what is there."""
    offsets = torch.arange(window) - window // 2
    line = torch.exp(-(offsets**2) / (2 * deviation**2))
    line = (line / line.sum()).float()
    padded = F.pad(values, (window // 2,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, line.view(1, 1, 1, -1)), line.view(1, 1, -1, 1))


def ssim_map(first: Image.Image, second: Image.Image) -> Tensor:
    """Structural similarity at each pixel, (H, W) in [-1, 1]; 1 where the pictures agree."""
    x, y = _luminance(first), _luminance(second)
    stacked = torch.cat([x, y, x * x, y * y, x * y])
    mean_x, mean_y, square_x, square_y, product = _blurred(stacked, DEVIATION, WINDOW)[:, 0]
    near, steep = STABILISERS
    covariance = product - mean_x * mean_y
    variances = square_x - mean_x**2 + square_y - mean_y**2
    return ((2 * mean_x * mean_y + near) * (2 * covariance + steep)) / (
        (mean_x**2 + mean_y**2 + near) * (variances + steep)
    )


def unchanged(first: Image.Image, second: Image.Image) -> Tensor:
    """The three quarters of the area where two pictures differ least, smoothly bounded: (H, W) of booleans.

    A word that was changed may change its thing, wherever that is; nobody says where. So the quarter that changed most
    counts as the change, for pictures that are alike and for those that are not.
    """
    pixels = [torch.from_numpy(np.asarray(picture.convert("RGB"), np.float32) / 255) for picture in (first, second)]
    difference = (pixels[0] - pixels[1]).abs().mean(dim=2)[None, None]
    spread = max(1, difference.shape[-1] // 64)
    smooth = _blurred(difference, 2.0 * spread, 8 * spread + 1)[0, 0]
    return smooth <= smooth.flatten().quantile(1 - CHANGED_SHARE)


def ssim_outside(first: Image.Image, second: Image.Image) -> float:
    """Mean structural similarity where the pictures differ least."""
    return float(ssim_map(first, second)[unchanged(first, second)].mean())


def edge_widths(pictures: Sequence[Image.Image], reference: Image.Image) -> list[float]:
    """Over how many pixels edges rise from 10 to 90 %, in each picture, where the reference has clear upright edges.

    NaN where it has none.
    """
    shown = _luminance(reference)[0, 0]
    steps = shown.unfold(1, 2 * EDGE_REACH + 1, 1)  # (H, W - 2 * EDGE_REACH, window)
    sides = steps[..., :EDGE_SIDE], steps[..., -EDGE_SIDE:]
    height = sides[1].mean(dim=2) - sides[0].mean(dim=2)
    flat = torch.stack([side.amax(dim=2) - side.amin(dim=2) for side in sides]).amax(dim=0)
    middle = (steps[..., EDGE_REACH] - sides[0].mean(dim=2)) / torch.where(height == 0, 1.0, height)
    around = (steps[..., EDGE_REACH + EDGE_NEAR] - steps[..., EDGE_REACH - EDGE_NEAR]).abs()
    crisp = around > 0.9 * height.abs()  # no gradient, no glow
    clear = (height.abs() > EDGE_HEIGHT) & (flat < EDGE_FLAT) & (middle > 0.3) & (middle < 0.7) & crisp
    widths = []
    for picture in pictures:
        found = _luminance(picture)[0, 0].unfold(1, 2 * EDGE_REACH + 1, 1)[clear]
        low, high = found[:, :EDGE_SIDE].mean(dim=1, keepdim=True), found[:, -EDGE_SIDE:].mean(dim=1, keepdim=True)
        shares = (found - low) / torch.where((high - low).abs() < 0.02, 1.0, high - low)
        fine = F.interpolate(shares[:, None], scale_factor=EDGE_FINENESS, mode="linear")[:, 0]
        widths.append(float(((fine > 0.1) & (fine < 0.9)).float().sum(dim=1).mean() / EDGE_FINENESS))
    return widths


def mean_distance(embeddings: Tensor) -> float:
    """Mean of 1 - cosine over all pairs of (N, D), N > 1, of unit length."""
    cosines = embeddings @ embeddings.T
    number = len(embeddings)
    return 1 - float((cosines.sum() - cosines.trace()) / (number * (number - 1)))


def nearest(queries: Tensor, batches: Iterable[Tensor]) -> Tensor:
    """Euclidean distance of each of (Q, D) to the nearest row of all batches (N, D), per root of D: (Q,)."""
    best = torch.full((len(queries),), torch.inf)
    for batch in batches:
        best = torch.minimum(best, torch.cdist(queries.float(), batch.float()).amin(dim=1))
    return best / math.sqrt(queries.shape[1])


def share_interval(right: int, asked: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if not asked:
        return 0.0, 1.0
    share, z = right / asked, CONFIDENCE
    middle = (share + z * z / (2 * asked)) / (1 + z * z / asked)
    half = z * math.sqrt(share * (1 - share) / asked + z * z / (4 * asked * asked)) / (1 + z * z / asked)
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of a mean, for values about normally distributed."""
    half = CONFIDENCE * float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    return float(np.mean(values)) - half, float(np.mean(values)) + half
