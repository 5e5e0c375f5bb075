"""The trace of the square root of a product of covariances, which the Wasserstein distance of Gaussians needs.

It uses coupled Newton–Schulz iterations (Higham 2008, 6.35): only matrix products, which are fast on every device. They
give the root and its inverse together, and the gradient needs only the inverse, so no second iteration is needed to
solve for it (Lyapunov, in crowsonkb/style-transfer-pytorch).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

ITERATIONS = 14  # each makes small eigenvalues 2.25 times larger, until all are 1: enough for 1 : 100,000


def roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """The square root of a symmetric positive definite (C, C) matrix, float32, and the inverse of that root.

    Directions that the matrix hardly has come out too small in both; their inverse is damped, never larger than true.
    """
    norm = torch.linalg.matrix_norm(matrix).clamp_min(1e-30)
    identity = torch.eye(len(matrix), device=matrix.device, dtype=matrix.dtype)
    root, inverse = matrix / norm, identity
    for _ in range(ITERATIONS):
        factor = 1.5 * identity - 0.5 * inverse @ root
        root, inverse = root @ factor, factor @ inverse
    return root * norm.sqrt(), inverse / norm.sqrt()


class _TraceOfRoot(torch.autograd.Function):
    """tr (W½ C W½)½ with a gradient in closed form."""

    @staticmethod
    def forward(ctx: Any, covariance: Tensor, wanted: Tensor) -> Tensor:
        wanted_root = roots(wanted)[0]
        product = wanted_root @ covariance @ wanted_root
        root, inverse = roots((product + product.T) / 2)
        ctx.save_for_backward(wanted_root @ inverse @ wanted_root)
        return root.diagonal().sum()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (slope,) = ctx.saved_tensors  # of tr √(W½ C W½), twice: ½ W½ (W½ C W½)^-½ W½
        return gradients[0] * slope / 2, None


def trace_of_root(covariance: Tensor, wanted: Tensor) -> Tensor:
    """tr (W½ C W½)½ of two symmetric positive definite (C, C) matrices; differentiable in the first only."""
    trace: Tensor = _TraceOfRoot.apply(covariance, wanted)  # type: ignore[no-untyped-call]
    return trace
