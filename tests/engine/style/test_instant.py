"""The instant style network: any size in, the same size out; styles mix; and the picture itself at a strength of 0."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from webui.engine.style.instant import InstantStyle, load_instant, palette_of, stylise

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
    palettes = [(palette_of(network, style), share) for style, share in styles]
    return stylise(network, content, palette_of(network, content), palettes, strength, seed)


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
    assert (one - other).abs().mean() < 0.02
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


def test_weights_come_back_and_others_are_refused(network: InstantStyle, tmp_path: Path) -> None:
    save_file({name: weights.bfloat16() for name, weights in network.state_dict().items()}, tmp_path / "a.safetensors")
    loaded = load_instant(tmp_path / "a.safetensors", CPU, torch.float32)
    wanted = network.encoder.enter.weight.bfloat16().float()
    assert torch.equal(loaded.encoder.enter.weight, wanted)
    save_file({"something": torch.zeros(1)}, tmp_path / "b.safetensors")
    with pytest.raises(RuntimeError):
        load_instant(tmp_path / "b.safetensors", CPU, torch.float32)
