"""The picture rebuilt from pieces of the style picture: texture optimisation (Kwatra et al. 2005) with the matching of
Elad & Milanfar 2017. It brings in the strokes, tiles and petals themselves, which statistics of random features cannot.

Knows no networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from webui.engine.style.nearest import nearest

PATCH = 7  # pixels along a side
STRIDE = 3  # pixels between neighbours, so that each pixel is in about five patches
KEYS = 4096  # patches of the style that are looked at each time, drawn again at random


class Patches:
    """The patches of style pictures, each (1, 3, H, W) in [0, 1]; `shares` sum to 1.

    `generator`, on the CPU, chooses the patches to compare with.
    """

    def __init__(
        self, styles: Sequence[Tensor], shares: Sequence[float], dtype: torch.dtype, generator: torch.Generator
    ) -> None:
        self._styles = [_at_least_a_patch(style) for style in styles]
        self._counts = [max(1, round(KEYS * share)) for share in shares]
        self._dtype = dtype
        self._generator = generator
        row = torch.hann_window(PATCH + 2, periodic=False, device=styles[0].device)[1:-1]
        self._window = torch.outer(row, row).flatten().repeat(3).view(1, -1, 1)  # (1, 3·PATCH², 1), centre counts most

    @torch.no_grad()
    def rebuilt(self, picture: Tensor, check: Callable[[], None]) -> Tensor:
        """`picture` (1, 3, H, W), rebuilt from the patches of the style that are most like its own.

        `check` is called between parts and may raise.
        """
        height, width = picture.shape[-2:]
        down, right = torch.randint(STRIDE, (2,), generator=self._generator).tolist()  # no seam stays in its place
        margin = PATCH - 1
        padding = (margin + right, margin + STRIDE, margin + down, margin + STRIDE)
        padded = functional.pad(picture, padding, mode="replicate")
        queries = functional.unfold(padded, PATCH, stride=STRIDE)[0].T  # (Q, 3·PATCH²)
        keys = self.draw_keys()
        found = keys[nearest(queries, keys, self._dtype, self._generator, check)].T.unsqueeze(0)
        size = padded.shape[-2:]
        weighted = functional.fold(found * self._window, size, PATCH, stride=STRIDE)
        weight = functional.fold(self._window.expand_as(found), size, PATCH, stride=STRIDE)
        inside = (..., slice(margin + down, margin + down + height), slice(margin + right, margin + right + width))
        return weighted[inside] / weight[inside]

    def draw_keys(self) -> Tensor:
        """Random patches of the styles, in their shares: (about KEYS, 3·PATCH²)."""
        drawn = []
        for style, count in zip(self._styles, self._counts, strict=True):
            rows, columns = style.shape[-2] - PATCH + 1, style.shape[-1] - PATCH + 1
            chosen = torch.randperm(rows * columns, generator=self._generator)[:count].to(style.device)
            windows = style[0].unfold(1, PATCH, 1).unfold(2, PATCH, 1)  # (3, rows, columns, PATCH, PATCH), a view
            drawn.append(windows[:, chosen // columns, chosen % columns].transpose(0, 1).flatten(1))
        return torch.cat(drawn)


def _at_least_a_patch(style: Tensor) -> Tensor:
    missing = (max(0, PATCH - style.shape[-1]), max(0, PATCH - style.shape[-2]))
    return functional.pad(style, (0, missing[0], 0, missing[1]), mode="replicate")
