from __future__ import annotations

import torch

from webui.engine.images import to_tensor
from webui.engine.style.colours import recoloured

from .pictures import china, flower


def unstopped() -> None:
    """Nobody stops it."""


def small(picture: object) -> torch.Tensor:
    return (to_tensor(picture.resize((96, 64))) + 1) / 2  # type: ignore[attr-defined]


def test_the_palette_is_taken_over() -> None:
    content, style = small(china()), small(flower())
    result = recoloured(content, style, unstopped)
    assert result.shape == content.shape
    for quantile in (0.1, 0.5, 0.9):
        wanted = style[0].flatten(1).quantile(quantile, dim=1)
        before = (content[0].flatten(1).quantile(quantile, dim=1) - wanted).abs().max()
        after = (result[0].flatten(1).quantile(quantile, dim=1) - wanted).abs().max()
        assert after < max(0.4 * before, 0.05)


def test_its_own_palette_changes_nothing_much() -> None:
    content = small(china())
    assert (recoloured(content, content, unstopped) - content).abs().mean() < 0.01


def test_flat_pictures_stay_finite() -> None:
    result = recoloured(torch.zeros(1, 3, 8, 8), torch.full((1, 3, 1, 1), 0.5), unstopped)
    torch.testing.assert_close(result, torch.full((1, 3, 8, 8), 0.5), atol=0.01, rtol=0)
