"""The picture rebuilt from pieces of the style picture: texture optimisation (Kwatra et al. 2005) with the matching of
Elad & Milanfar 2017. It brings the strokes, tiles and petals themselves, which statistics of random features cannot.

Knows no networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

PATCH = 7  # pixels along a side
STRIDE = 3  # pixels between neighbours, so that each pixel is in about five patches
KEYS = 4096  # patches of the style that are looked at each time, drawn anew
QUERIES_AT_ONCE = 2048  # bounds the table of distances: 16 MB in bf16
GROUP = 64  # keys whose distances are first compared among themselves
REUSE_COST = 0.01  # mean squared difference below which a patch counts as good; a wider one repeats patches more often


class Patches:
    """The patches of style pictures, each (1, 3, H, W) in [0, 1]; `shares` of the draw sum to 1.

    `generator`, on the CPU, draws which are looked at.
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
        """`picture` (1, 3, H, W), put together from the patches of the style that are most like its own.

        `check` is called between parts, and may raise.
        """
        height, width = picture.shape[-2:]
        down, right = torch.randint(STRIDE, (2,), generator=self._generator).tolist()  # no seam stays in its place
        margin = PATCH - 1
        padding = (margin + right, margin + STRIDE, margin + down, margin + STRIDE)
        padded = functional.pad(picture, padding, mode="replicate")
        queries = functional.unfold(padded, PATCH, stride=STRIDE)[0].T  # (Q, 3·PATCH²)
        keys = self._draw_keys()
        found = keys[_nearest(queries, keys, self._dtype, self._generator, check)].T.unsqueeze(0)
        size = padded.shape[-2:]
        weighted = functional.fold(found * self._window, size, PATCH, stride=STRIDE)
        weight = functional.fold(self._window.expand_as(found), size, PATCH, stride=STRIDE)
        inside = (..., slice(margin + down, margin + down + height), slice(margin + right, margin + right + width))
        return weighted[inside] / weight[inside]

    def _draw_keys(self) -> Tensor:
        """(about KEYS, 3·PATCH²)"""
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


def _nearest(
    queries: Tensor, keys: Tensor, dtype: torch.dtype, generator: torch.Generator, check: Callable[[], None]
) -> Tensor:
    """(Q, D), (K, D) → (Q,) index of the key for each query.

    Distances are relative to how near a key comes to any query at all, so that rare patches of the style are used too
    (Granot et al. 2022). Departure: to any of QUERIES_AT_ONCE drawn by lot, which costs the same at every size.
    """
    centre = keys.mean(0)
    queries, keys = queries - centre, keys - centre
    even = torch.ones(len(keys), device=keys.device)
    drawn = torch.randperm(len(queries), generator=generator)[:QUERIES_AT_ONCE].to(queries.device)
    nearest = _distances(queries[drawn], _factors(keys, even, dtype)).amin(0).float().clamp_min_(0)  # (K,)
    factors = _factors(keys, 1 / (nearest + REUSE_COST * keys.shape[1]), dtype)
    found = []
    for part in torch.split(queries, QUERIES_AT_ONCE):
        check()
        found.append(_least(_distances(part, factors)))
    return torch.cat(found)


def _factors(keys: Tensor, costs: Tensor, dtype: torch.dtype) -> Tensor:
    """(D + 4, K): what `_distances` multiplies queries with, so that one product gives cost · |query - key|²."""
    shares = costs.to(dtype)
    costs = shares.float()  # as it is rounded, or squares would not cancel out
    lengths = _in_two(keys.square().sum(1) * costs, dtype)
    return torch.stack([*(-2 * keys * costs[:, None]).to(dtype).T, *lengths, shares, shares])


def _distances(queries: Tensor, factors: Tensor) -> Tensor:
    """(Q, D), (D + 4, K) → (Q, K), of the factors' number type; by rounding, some are a little below 0."""
    dtype = factors.dtype
    ones = torch.ones_like(queries[:, :2])
    lengths = torch.stack(_in_two(queries.square().sum(1), dtype), dim=1)
    return torch.cat([queries.to(dtype), ones.to(dtype), lengths], dim=1) @ factors


def _in_two(values: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Two of `dtype` that sum to the values: squares that are to cancel out need more digits than bf16 has."""
    high = values.to(dtype)
    return high, (values - high.to(values.dtype)).to(dtype)


def _least(table: Tensor) -> Tensor:
    """The argmin of each row (Q, K) → (Q,), by way of the least of each group: several times as fast on a CPU."""
    missing = -table.shape[1] % GROUP
    groups = functional.pad(table, (0, missing), value=torch.inf).view(len(table), -1, GROUP)
    place = groups.amin(2).argmin(1, keepdim=True)  # (Q, 1)
    inner = groups.gather(1, place.unsqueeze(2).expand(-1, -1, GROUP)).squeeze(1).argmin(1)
    least: Tensor = place.squeeze(1) * GROUP + inner
    return least
