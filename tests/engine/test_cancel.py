"""Hooks that end a forward pass, and that never stay."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from webui.engine.cancel import all_cancellable, blocks_of, cancellable
from webui.errors import Cancelled


class Layered(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)])
        self.ran = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x)
            self.ran += 1
        return x


def test_blocks_are_the_entries_of_lists() -> None:
    layered = Layered()
    assert blocks_of(layered) == list(layered.layers)
    assert len(blocks_of(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))) == 2


def test_a_pass_ends_between_two_blocks_and_the_hooks_are_gone() -> None:
    layered = Layered()
    checks = 0

    def check() -> None:
        nonlocal checks
        checks += 1
        if checks == 4:  # the network itself, then its blocks
            raise Cancelled

    with pytest.raises(Cancelled), cancellable(layered, check):
        layered(torch.zeros(1, 2))
    assert layered.ran == 2
    layered(torch.zeros(1, 2))
    assert (layered.ran, checks) == (5, 4)


def test_what_is_no_network_is_left_alone() -> None:
    layered = Layered()
    checks: list[int] = []
    with all_cancellable(
        {"unet": layered, "scheduler": object(), "safety_checker": None}, lambda: checks.append(layered.ran)
    ):
        layered(torch.zeros(1, 2))
    assert checks
    checks.clear()
    layered(torch.zeros(1, 2))
    assert not checks


def test_a_pass_also_ends_on_the_way_back() -> None:
    layered = Layered()
    checks = 0

    def check() -> None:
        nonlocal checks
        checks += 1
        if checks == 6:  # four on the way there, then on the way back
            raise Cancelled

    x = torch.zeros(1, 2, requires_grad=True)
    with cancellable(layered, check, backward=True):
        result = layered(x).sum()
        with pytest.raises(Cancelled):
            result.backward()
    assert x.grad is None
    layered(x).sum().backward()
    assert checks == 6


def test_a_vae_may_stop_before_every_layer() -> None:
    vae = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.Linear(2, 2))
    checks: list[int] = []
    with all_cancellable({"vae": vae}, lambda: checks.append(1)):
        vae(torch.zeros(1, 2))
    vae(torch.zeros(1, 2))
    assert len(checks) == 3
