from __future__ import annotations

import pytest
import torch

from webui.engine.style.losses import FLOOR, content_loss, energy, total_variation
from webui.engine.style.tiles import tiles_of


def test_content_loss_by_hand() -> None:
    wanted = {"a": torch.tensor([[[[1.0, 2.0]]]]), "b": torch.tensor([[[[2.0]]]])}
    found = {"a": torch.tensor([[[[1.0, 4.0]]]]), "b": torch.tensor([[[[2.0]]]]), "unused": torch.ones(1)}
    energies = {name: energy(target) for name, target in wanted.items()}
    assert energies == {"a": 5.0, "b": 4.0}
    assert content_loss(found, wanted, energies).item() == pytest.approx(4 / (5 + FLOOR) / 2)


def test_it_is_zero_where_pictures_agree_also_flat_ones() -> None:
    flat = {"a": torch.zeros(1, 3, 4, 4)}
    assert content_loss(flat, flat, {"a": 0.0}).item() == 0


def test_parts_of_a_picture_sum_to_the_whole() -> None:
    found, wanted = torch.rand(1, 2, 4, 6), torch.rand(1, 2, 4, 6)
    energies = {"a": energy(wanted)}
    whole = content_loss({"a": found}, {"a": wanted}, energies)
    parts = [content_loss({"a": found[..., p]}, {"a": wanted[..., p]}, energies) for p in (slice(0, 2), slice(2, 6))]
    torch.testing.assert_close(sum(parts), whole)


def test_total_variation_by_hand() -> None:
    picture = torch.tensor([[[[0.0, 1.0], [0.0, 0.0]]]])
    (tile,) = tiles_of(2, 2, margin=0)
    assert total_variation(picture, 4, tile).item() == pytest.approx(1 / 4 + 1 / 4)  # across: 1, 0; down: 0, 1
    assert total_variation(torch.full((1, 3, 2, 2), 0.5), 12, tile).item() == 0


def test_total_variation_of_tiles_sums_to_the_whole() -> None:
    picture = torch.rand(1, 3, 96, 80)
    whole, *_none = tiles_of(96, 80, margin=0)
    parts = tiles_of(96, 80, margin=16, side=32)
    assert len(parts) > 4
    found = sum(total_variation(tile.window(picture), 99, tile) for tile in parts)
    torch.testing.assert_close(found, total_variation(picture, 99, whole))
