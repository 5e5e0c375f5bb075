from __future__ import annotations

import torch

from webui.engine.pictures.images import to_tensor
from webui.engine.style.colours import ColourMap, coral, like_in_luminance, luminance, transport, with_chroma

from .pictures import china, flower


def unstopped() -> None:
    """Nobody stops it."""


def small(picture: object) -> torch.Tensor:
    return (to_tensor(picture.resize((96, 64))) + 1) / 2  # type: ignore[attr-defined]


def test_the_palette_is_taken_over() -> None:
    content, style = small(china()), small(flower())
    result = transport(content, style, unstopped)(content)
    assert result.shape == content.shape
    for quantile in (0.1, 0.5, 0.9):
        wanted = style[0].flatten(1).quantile(quantile, dim=1)
        before = (content[0].flatten(1).quantile(quantile, dim=1) - wanted).abs().max()
        after = (result[0].flatten(1).quantile(quantile, dim=1) - wanted).abs().max()
        assert after < max(0.4 * before, 0.05)


def test_its_own_palette_changes_nothing_much() -> None:
    content = small(china())
    assert (transport(content, content, unstopped)(content) - content).abs().mean() < 0.01


def test_flat_pictures_stay_finite() -> None:
    black = torch.zeros(1, 3, 8, 8)
    result = transport(black, torch.full((1, 3, 1, 1), 0.5), unstopped)(black)
    torch.testing.assert_close(result, torch.full((1, 3, 8, 8), 0.5), atol=0.01, rtol=0)


def test_coral_gives_mean_and_covariance() -> None:
    content, style = small(china()), small(flower())
    found = coral(content, style)
    colours = found.matrix @ content[0].flatten(1) + found.shift  # type: ignore[attr-defined]  # before it is clipped
    torch.testing.assert_close(colours.mean(1), style[0].flatten(1).mean(1), atol=1e-4, rtol=0)
    torch.testing.assert_close(torch.cov(colours), torch.cov(style[0].flatten(1)), atol=2e-3, rtol=0)


def test_coral_of_flat_pictures_stays_finite() -> None:
    flat = torch.full((1, 3, 8, 8), 0.3)
    torch.testing.assert_close(coral(flat, flat)(flat), flat, atol=1e-3, rtol=0)
    assert coral(flat, small(china()))(flat).isfinite().all()


def test_what_is_learnt_small_holds_for_parts() -> None:
    content, style = small(china()), small(flower())
    for found in (transport(content, style, unstopped), coral(content, style), like_in_luminance(content, style)):
        assert torch.equal(found(content)[..., :20], found(content[..., :20])) or torch.allclose(
            found(content)[..., :20], found(content[..., :20]), atol=1e-5
        )


def test_luminance_and_chroma_come_apart_and_together() -> None:
    content = small(china())
    grey: ColourMap = like_in_luminance(content, content)
    torch.testing.assert_close(grey(content)[:, :1], luminance(content), atol=1e-4, rtol=0)
    torch.testing.assert_close(with_chroma(grey(content), content), content, atol=1e-4, rtol=0)
