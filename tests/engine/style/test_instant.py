"""The instant style network: any size in, the same size out; styles mix; and the picture itself at a strength of 0."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from webui.engine.style.instant import (
    InstantStyle,
    load_instant,
    mean_and_covariance,
    seen_as,
    stylise,
    with_moments,
)

CPU = torch.device("cpu")


def picture(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def network() -> InstantStyle:
    """As it is before any training, but for the last layer, which would add nothing yet."""
    torch.manual_seed(0)
    made = InstantStyle()
    torch.nn.init.normal_(made.decoder.leave.weight, std=0.02)
    return made.eval()


def styled(
    network: InstantStyle, content: Tensor, styles: list[tuple[Tensor, float]], strength: float = 1.0, seed: int = 0
) -> Tensor:
    shared = [(seen_as(network, content, style), share * strength) for style, share in styles]
    shared.append((seen_as(network, content, None), 1 - strength))
    return stylise(network, [one for one in shared if one[1] > 0], seed)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (37, 90), (8, 8), (5, 3), (1, 1)])
def test_every_size(network: InstantStyle, height: int, width: int) -> None:
    painted = styled(network, picture(height, width), [(picture(33, 20, 1), 1.0)])
    assert painted.shape == (1, 3, height, width)
    assert painted.dtype == torch.float32
    assert 0 <= float(painted.min()) <= float(painted.max()) <= 1


def test_what_counts_of_a_style_is_not_where_it_is(network: InstantStyle) -> None:
    style = picture(64, 64, 1)
    turned = style.flip(3)
    one, other = (styled(network, picture(64, 64), [(s, 1.0)]) for s in (style, turned))
    assert (one.mean((2, 3)) - other.mean((2, 3))).abs().max() < 0.02
    assert (one - styled(network, picture(64, 64), [(style * 0.2, 1.0)])).abs().mean() > 0.1


def test_styles_mix_by_their_shares(network: InstantStyle) -> None:
    content, dark, light = picture(48, 48), picture(48, 48, 1) * 0.3, picture(48, 48, 2) * 0.3 + 0.7
    means = [float(styled(network, content, [(dark, 1 - share), (light, share)]).mean()) for share in (0.1, 0.5, 0.9)]
    assert means == sorted(means)
    assert means[2] - means[0] > 0.2
    alone = styled(network, content, [(dark, 1.0)])
    torch.testing.assert_close(styled(network, content, [(dark, 0.5), (dark, 0.5)]), alone, atol=1e-5, rtol=0)


def test_an_untrained_network_only_gives_the_colours() -> None:
    content, style = picture(64, 64), picture(64, 64, 1) * 0.2 + 0.4
    painted = styled(InstantStyle().eval(), content, [(style, 1.0)])
    torch.testing.assert_close(painted.mean((2, 3)), style.mean((2, 3)), atol=0.02, rtol=0)
    torch.testing.assert_close(styled(InstantStyle().eval(), content, [(style, 1.0)], 0.0), content)


def test_the_seed_moves_the_strokes_and_nothing_else_does(network: InstantStyle) -> None:
    content, style = picture(64, 64), [(picture(64, 64, 1), 1.0)]
    one = styled(network, content, style, seed=3)
    assert torch.equal(one, styled(network, content, style, seed=3))
    assert 1e-4 < float((one - styled(network, content, style, seed=4)).abs().mean()) < 0.2


def test_features_get_the_moments_that_are_wanted() -> None:
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(6, 6, generator=generator)
    own = torch.randn(2, 6, 20, 30, generator=generator) * torch.tensor([1.0, 1, 1, 2, 2, 3]).view(1, 6, 1, 1)
    other = torch.einsum("dc,bchw->bdhw", mixing, torch.randn(2, 6, 15, 15, generator=generator)) + 3
    mean, covariance = mean_and_covariance(other)
    found_mean, found_covariance = mean_and_covariance(with_moments(own, (mean, covariance)))
    torch.testing.assert_close(found_mean, mean, atol=1e-4, rtol=0)
    assert (found_covariance - covariance).norm() < 0.1 * covariance.norm()
    flat = with_moments(torch.zeros(1, 6, 9, 9), (mean[:1], covariance[:1]))
    torch.testing.assert_close(flat, mean[:1, :, None, None].expand_as(flat), atol=1e-3, rtol=0)


def test_weights_come_back_and_others_are_refused(network: InstantStyle, tmp_path: Path) -> None:
    save_file({name: weights.bfloat16() for name, weights in network.state_dict().items()}, tmp_path / "a.safetensors")
    loaded = load_instant(tmp_path / "a.safetensors", CPU, torch.float32)
    wanted = network.encoder.enter.weight.bfloat16().float()
    assert torch.equal(loaded.encoder.enter.weight, wanted)
    save_file({"something": torch.zeros(1)}, tmp_path / "b.safetensors")
    with pytest.raises(RuntimeError):
        load_instant(tmp_path / "b.safetensors", CPU, torch.float32)
