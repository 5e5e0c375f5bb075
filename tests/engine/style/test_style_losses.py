from __future__ import annotations

import pytest
import torch

from webui.engine.style.style_losses import (
    FLOOR,
    SAMPLES,
    Gram,
    SlicedWasserstein,
    StyleLoss,
    Wasserstein,
    style_loss_named,
)

NAMES = ("gram", "wasserstein", "sliced_wasserstein")


def features(seed: int, channels: int = 6, height: int = 20, width: int = 24) -> torch.Tensor:
    """What a ReLU leaves, with channels that go together."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(channels, channels, generator=generator)
    noise = torch.randn(channels, height * width, generator=generator)
    return (mixing @ noise).relu().view(1, channels, height, width)


def summary(loss: StyleLoss, seen: torch.Tensor) -> torch.Tensor:
    return loss.summary(seen, seen.shape[-2:].numel())


def distance(loss: StyleLoss, found: torch.Tensor, wanted: torch.Tensor) -> float:
    return loss.distance(summary(loss, found), summary(loss, wanted)).item()


@pytest.mark.parametrize("name", NAMES)
def test_it_is_least_for_the_same_features_wherever_they_stand(name: str) -> None:
    loss = style_loss_named(name, 0)
    one = features(1)
    shuffled = one.flatten(2)[:, :, torch.randperm(480)].view_as(one)
    assert distance(loss, one, one) == pytest.approx(0, abs=2e-3)
    assert distance(loss, shuffled, one) < 0.02 < distance(loss, features(2), one)


@pytest.mark.parametrize("name", NAMES)
def test_it_does_not_depend_on_how_large_the_numbers_are(name: str) -> None:
    small = distance(style_loss_named(name, 0), features(1) * 5, features(2) * 5)
    large = distance(style_loss_named(name, 0), features(1) * 5000, features(2) * 5000)
    assert large == pytest.approx(small, rel=0.02)  # but for the floor


@pytest.mark.parametrize("name", NAMES)
def test_going_down_its_gradient_comes_nearer(name: str) -> None:
    loss, wanted = style_loss_named(name, 0), features(2)
    found = features(1).requires_grad_()
    before = loss.distance(summary(loss, found), summary(loss, wanted))
    (gradient,) = torch.autograd.grad(before, found)
    step = 0.05 * found.norm() / gradient.norm()
    assert distance(loss, (found - step * gradient).detach(), wanted) < 0.95 * before.item()


@pytest.mark.parametrize("name", NAMES)
def test_flat_and_bf16_features_stay_finite(name: str) -> None:
    loss = style_loss_named(name, 0)
    flat = torch.zeros(1, 4, 8, 8)
    assert distance(loss, flat, flat) == pytest.approx(0, abs=1e-3)
    assert torch.isfinite(loss.distance(summary(loss, flat + 1), summary(loss, flat)))
    assert summary(loss, features(1).bfloat16()).dtype == torch.float32


@pytest.mark.parametrize("loss", [Gram(), Wasserstein()])
def test_moments_of_tiles_are_those_of_the_picture(loss: Gram | Wasserstein) -> None:
    whole = features(3)
    parts = [loss.summary(part, 480) for part in whole.split([9, 11], dim=-2)]
    torch.testing.assert_close(loss.joined(parts), summary(loss, whole))
    assert loss.parts(torch.ones(6, 7), parts)[1].shape == (6, 7)


def test_samples_of_tiles_are_as_many_as_of_the_picture_and_go_back() -> None:
    loss = SlicedWasserstein(0)
    whole = torch.rand(1, 3, 200, 100)
    parts = [loss.summary(part, 20_000) for part in whole.split([50, 150], dim=-2)]
    joined = loss.joined(parts)
    assert joined.shape == (3, SAMPLES)
    assert all(torch.equal(*pair) for pair in zip(loss.parts(joined, parts), parts, strict=True))


def test_samples_stay_within_an_iteration_and_change_with_it() -> None:
    loss, seen = SlicedWasserstein(0), torch.rand(1, 3, 100, 100)
    first, again = summary(loss, seen), summary(loss, seen)
    loss.begin()
    assert torch.equal(first, again)
    assert not torch.equal(first, summary(loss, seen))


def test_wasserstein_of_one_channel_by_hand() -> None:
    found, wanted = torch.tensor([[[[2.0, 6.0]]]]), torch.tensor([[[[1.0, 3.0]]]])  # means 4 and 2, deviations 2 and 1
    expected = ((4 - 2) ** 2 + (2 - 1) ** 2) / (1 + FLOOR)
    assert distance(Wasserstein(), found, wanted) == pytest.approx(expected, rel=1e-3)


def test_gram_by_hand() -> None:
    found, wanted = torch.tensor([[[[2.0, 6.0]]]]), torch.tensor([[[[1.0, 3.0]]]])  # means 4 and 2, variances 4 and 1
    expected = (4 - 2) ** 2 / (2**2 + FLOOR) + (4 - 1) ** 2 / (1 + FLOOR)
    assert distance(Gram(), found, wanted) == pytest.approx(expected)


@pytest.mark.parametrize("name", NAMES)
def test_a_mixture_lies_between_its_styles(name: str) -> None:
    loss = style_loss_named(name, 0)
    one, other = (summary(loss, features(seed, height=100, width=100)) for seed in (1, 2))
    near, half = (loss.mixed([one, other], [share, 1 - share]) for share in (0.9, 0.5))
    to_one = [loss.distance(mixture, one).item() for mixture in (near, half, other)]
    assert to_one[0] < to_one[1] < to_one[2]
