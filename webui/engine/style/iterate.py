"""What an optimisation carries from one iteration to the next, and from one scale to the next: the momentum of Adam,
and the average of the pictures so far, which is what is shown and saved.

Knows no losses.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from webui.engine.style.tiles import Tile

BETAS = (0.9, 0.99)  # crowsonkb/style-transfer-pytorch
EPSILON = 1e-4  # gradients are about 1; what is left of them where nothing is to be done stays nothing
LONGEST_MEMORY = 0.99  # of the average (the same)
SHARE_OF_SCALE = 5  # an average reaches back over a fifth of its scale at most: ours are shorter than 500 iterations


class Adam:
    """Kingma & Ba 2015, for a picture that grows: each scale continues with the momentum of the one before.

    Gradients should be those of a mean over pixels times their number, so that they are of the same size at every
    scale. With `dtype` bf16, the state takes half the memory of float32.
    """

    def __init__(self, like: Tensor, dtype: torch.dtype) -> None:
        self.momentum = torch.zeros(like.shape, dtype=dtype, device=like.device)
        self.square = torch.zeros(like.shape, dtype=dtype, device=like.device)
        self.steps = 0

    def grow(self, size: torch.Size, dtype: torch.dtype) -> None:
        """Resizes the state for a picture of `size` (H, W)."""
        self.momentum = resized(self.momentum, size, dtype, mode="bicubic")
        self.square = resized(self.square, size, dtype, mode="bilinear")  # never below 0

    def begin(self) -> None:
        """Begins an iteration; each tile is then moved once."""
        self.steps += 1

    @torch.no_grad()
    def move(self, picture: Tensor, gradient: Tensor, rate: float, tile: Tile) -> None:
        """Moves `picture` (1, 3, H, W) within `tile`, in place, and keeps it in [0, 1]; `gradient` is that of the whole
        picture.
        """
        momentum, square, values = tile.core(self.momentum), tile.core(self.square), tile.core(picture)
        slope = tile.core(gradient).float()
        first = torch.lerp(slope, momentum.float(), BETAS[0])
        second = torch.lerp(slope.square(), square.float(), BETAS[1])
        momentum.copy_(first)
        square.copy_(second)
        step = (first / (1 - BETAS[0] ** self.steps)) / ((second / (1 - BETAS[1] ** self.steps)).sqrt() + EPSILON)
        values.copy_((values.float() - rate * step).clamp(0, 1))


class Average:
    """A moving average of the iterates, corrected for its start as Adam's are (Polyak & Juditsky 1992)."""

    def __init__(self, like: Tensor, iterations: int) -> None:
        self._decay = min(LONGEST_MEMORY, max(0.0, 1 - SHARE_OF_SCALE / iterations))
        self._sum = torch.zeros_like(like)
        self._weight = 0.0

    @torch.no_grad()
    def add(self, picture: Tensor) -> None:
        """Adds one iterate, (1, 3, H, W)."""
        self._sum.mul_(self._decay).add_(picture, alpha=1 - self._decay)
        self._weight = self._decay * self._weight + 1 - self._decay

    def value(self) -> Tensor:
        """The average, (1, 3, H, W) in [0, 1]."""
        return (self._sum / self._weight).clamp_(0, 1)


def resized(picture: Tensor, size: torch.Size, dtype: torch.dtype, *, mode: str) -> Tensor:
    """(1, C, H, W) at another size, channel by channel, so that a large picture never exists in float32 as a whole."""
    grown = torch.empty((1, picture.shape[1], *size), dtype=dtype, device=picture.device)
    for channel in range(picture.shape[1]):
        part = picture[:, channel : channel + 1].float()
        grown[:, channel : channel + 1] = functional.interpolate(part, size, mode=mode, align_corners=False)
    return grown
