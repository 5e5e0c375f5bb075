from __future__ import annotations

import torch

from webui.engine.style.square_root import roots, trace_of_root


def covariance(seed: int, spread: float = 3.0) -> torch.Tensor:
    """(12, 12), its eigenvalues from 10^-spread to 1."""
    generator = torch.Generator().manual_seed(seed)
    axes = torch.linalg.qr(torch.randn(12, 12, generator=generator))[0]
    return (axes * torch.logspace(-spread, 0, 12)) @ axes.T


def exact_root(matrix: torch.Tensor) -> torch.Tensor:
    values, vectors = torch.linalg.eigh(matrix.double())
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T


def test_the_root_squared_is_the_matrix_and_the_inverse_inverts_it() -> None:
    matrix = 7 * covariance(0)
    root, inverse = roots(matrix)
    torch.testing.assert_close(root @ root, matrix, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(root @ inverse, torch.eye(12), atol=0.02, rtol=0)


def test_directions_that_are_hardly_there_are_damped_not_blown_up() -> None:
    matrix = covariance(1, spread=12.0)
    root, inverse = roots(matrix)
    assert torch.linalg.matrix_norm(root - exact_root(matrix).float()) < 0.01
    assert inverse.isfinite().all()
    assert torch.linalg.matrix_norm(inverse, 2) < 1e4


def test_the_trace_and_its_gradient_are_those_of_the_eigenvalues() -> None:
    found, wanted = covariance(2).requires_grad_(), covariance(3)
    trace = trace_of_root(found, wanted)
    (gradient,) = torch.autograd.grad(trace, found)
    root = exact_root(wanted)
    expected = exact_root(root @ found.detach().double() @ root).trace()
    assert abs(trace.item() - expected.item()) < 1e-3
    step = 1e-4 * covariance(4)
    moved = exact_root(root @ (found.detach() + step).double() @ root).trace() - expected
    assert abs((gradient * step).sum().item() - moved.item()) < 0.02 * abs(moved.item())
