"""The most similar patch for each patch of a picture: one matrix product for all distances, in any number type."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

QUERIES_AT_ONCE = 2048  # bounds the table of distances: 16 MB in bf16
GROUP = 64  # keys whose distances are first compared among themselves
REUSE_COST = 0.01  # mean squared difference below which a patch counts as good; a wider one repeats patches more often


def nearest(
    queries: Tensor, keys: Tensor, dtype: torch.dtype, generator: torch.Generator, check: Callable[[], None]
) -> Tensor:
    """(Q, D), (K, D) → (Q,), the index of the nearest key for each query.

    Distances are relative to how near a key comes to any query, so that rare patches of the style are used, too (Granot
    et al. 2022). Departure: to any of QUERIES_AT_ONCE queries drawn at random, so that the cost is the same at every
    size.
    """
    centre = keys.mean(0)
    queries, keys = queries - centre, keys - centre
    even = torch.ones(len(keys), device=keys.device)
    drawn = torch.randperm(len(queries), generator=generator)[:QUERIES_AT_ONCE].to(queries.device)
    gaps = distances(queries[drawn], factors(keys, even, dtype)).amin(0).float().clamp_min_(0)  # (K,)
    weighted = factors(keys, 1 / (gaps + REUSE_COST * keys.shape[1]), dtype)
    found = []
    for part in torch.split(queries, QUERIES_AT_ONCE):
        check()
        found.append(least(distances(part, weighted)))
    return torch.cat(found)


def factors(keys: Tensor, costs: Tensor, dtype: torch.dtype) -> Tensor:
    """(D + 4, K): what `distances` multiplies queries by, so that one product gives cost · |query - key|²."""
    shares = costs.to(dtype)
    costs = shares.float()  # as it is rounded, or squares would not cancel out
    lengths = _in_two(keys.square().sum(1) * costs, dtype)
    return torch.stack([*(-2 * keys * costs[:, None]).to(dtype).T, *lengths, shares, shares])


def distances(queries: Tensor, factored: Tensor) -> Tensor:
    """(Q, D), (D + 4, K) → (Q, K), in the number type of the factors; rounding puts some a little below 0."""
    dtype = factored.dtype
    ones = torch.ones_like(queries[:, :2])
    lengths = torch.stack(_in_two(queries.square().sum(1), dtype), dim=1)
    return torch.cat([queries.to(dtype), ones.to(dtype), lengths], dim=1) @ factored


def _in_two(values: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Two parts of `dtype` that add up to the values: squares that should cancel need more digits than bf16 has."""
    high = values.to(dtype)
    return high, (values - high.to(values.dtype)).to(dtype)


def least(table: Tensor) -> Tensor:
    """The argmin of each row (Q, K) → (Q,), from the minimum of each group of columns: several
    times as fast on a CPU.
    """
    missing = -table.shape[1] % GROUP
    groups = functional.pad(table, (0, missing), value=torch.inf).view(len(table), -1, GROUP)
    place = groups.amin(2).argmin(1, keepdim=True)  # (Q, 1)
    inner = groups.gather(1, place.unsqueeze(2).expand(-1, -1, GROUP)).squeeze(1).argmin(1)
    found: Tensor = place.squeeze(1) * GROUP + inner
    return found
