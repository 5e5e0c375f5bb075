"""One scale: moves the pixels themselves towards what is wanted, one iteration at a time.

Adam for every size, whole or in tiles; L-BFGS only for pictures seen as a whole, since it remembers ten pictures and
tiles are there to save memory. Knows no networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from webui.engine.style.iterate import Adam, Average
from webui.engine.style.objective import Objective
from webui.errors import NotFinite

LEARNING_RATE = 0.06  # of [0, 1] an iteration at most: Adam moves a pixel by about this (0.03 takes twice as long)
LAST_LEARNING_RATE = 0.1  # of it, at the end of each scale
REBUILD_EVERY = 5  # iterations
HISTORY = 10  # iterates that L-BFGS remembers (crowsonkb/style-transfer-pytorch)


@dataclass(frozen=True, kw_only=True)
class Iterate:
    """One finished iteration: its loss, and a function that makes the averaged picture (1, 3, H, W) in [0, 1] when
    asked.
    """

    picture: Callable[[], Tensor]
    loss: float


class Follow(Protocol):
    """Called after each iteration; returning True ends the optimisation there."""

    def __call__(self, iterate: Iterate) -> bool: ...


def optimise(
    start: Tensor, objective: Objective, adam: Adam, iterations: int, *, follow: Follow, check: Callable[[], None]
) -> Tensor:
    """Runs Adam from `start`, (1, 3, H, W) in [0, 1], which is changed in place, as it may be large.

    `adam` comes from the scale before. Returns the average or, in tiles, the last picture. Raises NotFinite.
    """
    picture = start.contiguous()
    average = None if objective.is_tiled else Average(picture, iterations)

    def shown() -> Tensor:
        return picture if average is None else average.value()

    for iteration in range(iterations):
        check()
        if iteration % REBUILD_EVERY == 0:
            objective.rebuild(picture)
        rate = LEARNING_RATE * (1 - (1 - LAST_LEARNING_RATE) * iteration / iterations)
        adam.begin()
        objective.begin()
        loss = _move(picture, objective, adam, rate, check)
        if average is not None:
            average.add(picture)
        if follow(Iterate(picture=shown, loss=loss)):
            break
    return shown()


def _move(picture: Tensor, objective: Objective, adam: Adam, rate: float, check: Callable[[], None]) -> float:
    """One step, in place; returns the loss before it."""
    if objective.is_tiled:
        loss, gradient = objective.gradient(picture)
    else:
        seen = picture.detach().requires_grad_()
        total = objective.whole(seen)
        loss = float(total.detach())
        # the losses are means: times the number of values, gradients are alike at every scale
        gradient = torch.autograd.grad(total, seen)[0] * picture.numel()
    _check_finite(loss)
    for tile in objective.tiles:
        check()
        adam.move(picture, gradient, rate, tile)
    return loss


def optimise_lbfgs(
    start: Tensor, objective: Objective, iterations: int, *, follow: Follow, check: Callable[[], None]
) -> Tensor:
    """Runs L-BFGS from `start`, with a line search: several evaluations in each iteration. Returns the last picture.

    The picture is not limited to [0, 1] on the way, which would spoil the model of the loss; what is shown is. Raises
    NotFinite.
    """
    picture = start.clone(memory_format=torch.contiguous_format).requires_grad_()
    optimizer = torch.optim.LBFGS([picture], max_iter=1, history_size=HISTORY, line_search_fn="strong_wolfe")
    values = picture.numel()

    def closure() -> Tensor:
        check()
        optimizer.zero_grad()
        loss = objective.whole(picture) * values
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return loss

    for iteration in range(iterations):
        if iteration % REBUILD_EVERY == 0:
            objective.rebuild(picture.detach())
        objective.begin()
        loss = float(optimizer.step(closure).detach()) / values  # type: ignore[no-untyped-call]
        _check_finite(loss)
        if follow(Iterate(picture=lambda: picture.detach().clamp(0, 1), loss=loss)):
            break
    return picture.detach().clamp(0, 1)


def _check_finite(loss: float) -> None:
    if not -float("inf") < loss < float("inf"):
        raise NotFinite(phase="optimise")
