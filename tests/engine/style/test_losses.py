from __future__ import annotations

import pytest
import torch

from webui.engine.style.losses import FLOOR, content_loss, statistics_of, style_loss, total_variation


def test_statistics_by_hand() -> None:
    features = torch.tensor([[[[1.0, 3.0]], [[0.0, 4.0]]]])  # (1, 2, 1, 2): two channels, two places
    statistics = statistics_of(features)
    assert statistics.mean.tolist() == [2.0, 2.0]
    assert statistics.covariance.tolist() == [[1.0, 2.0], [2.0, 4.0]]


def test_statistics_do_not_know_places() -> None:
    features = torch.rand(1, 5, 6, 7)
    shuffled = features.flatten(2)[:, :, torch.randperm(42)].view(1, 5, 6, 7)
    torch.testing.assert_close(statistics_of(features).covariance, statistics_of(shuffled).covariance)


def test_statistics_of_bf16_are_float32() -> None:
    statistics = statistics_of(torch.rand(1, 3, 4, 4, dtype=torch.bfloat16))
    assert statistics.mean.dtype == statistics.covariance.dtype == torch.float32


def test_style_loss_by_hand() -> None:
    wanted = {"a": statistics_of(torch.tensor([[[[1.0, 3.0]]]]))}  # mean 2, variance 1
    found = {"a": torch.tensor([[[[2.0, 6.0]]]])}  # mean 4, variance 4
    expected = (4 - 2) ** 2 / (2**2 + FLOOR) + (4 - 1) ** 2 / (1 + FLOOR)
    assert style_loss(found, wanted).item() == pytest.approx(expected)


def test_style_loss_counts_layers_alike_however_large_their_numbers() -> None:
    one, other = torch.rand(1, 3, 8, 8) * 10, torch.rand(1, 3, 8, 8) * 10
    small = style_loss({"a": one}, {"a": statistics_of(other)})
    large = style_loss({"a": one * 1000}, {"a": statistics_of(other * 1000)})
    assert large.item() == pytest.approx(small.item(), rel=0.01)  # but for the floor


def test_content_loss_by_hand() -> None:
    wanted = {"a": torch.tensor([[[[1.0, 2.0]]]]), "b": torch.tensor([[[[2.0]]]])}
    found = {"a": torch.tensor([[[[1.0, 4.0]]]]), "b": torch.tensor([[[[2.0]]]]), "unused": torch.ones(1)}
    assert content_loss(found, wanted).item() == pytest.approx(4 / (5 + FLOOR) / 2)


def test_losses_are_zero_where_pictures_agree_and_finite_for_flat_ones() -> None:
    flat = torch.zeros(1, 3, 4, 4)
    assert style_loss({"a": flat}, {"a": statistics_of(flat)}).item() == 0
    assert content_loss({"a": flat}, {"a": flat}).item() == 0
    assert torch.isfinite(style_loss({"a": flat + 1}, {"a": statistics_of(flat)}))


def test_total_variation_by_hand() -> None:
    picture = torch.tensor([[[[0.0, 1.0], [0.0, 0.0]]]])
    assert total_variation(picture).item() == pytest.approx(1 / 2 + 1 / 2)  # across: 1, 0; down: 0, 1
    assert total_variation(torch.full((1, 3, 8, 8), 0.5)).item() == 0
