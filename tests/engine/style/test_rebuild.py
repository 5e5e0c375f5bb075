"""A picture rebuilt from another one's patches: its texture, the first one's shapes, whatever their sizes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from webui.engine.style.rebuild import rebuilt


def stripes(height: int, width: int, *, turned: bool = False) -> Tensor:
    rows = (torch.arange(height) % 8 < 4).float().view(1, 1, height, 1).expand(1, 3, height, width)
    return rows.transpose(2, 3).contiguous() if turned else rows.contiguous()


def halves(height: int, width: int) -> Tensor:
    """Dark at the left, light at the right, and a little noise."""
    picture = torch.full((1, 3, height, width), 0.25)
    picture[..., width // 2 :] = 0.75
    return picture + 0.02 * torch.randn(picture.shape, generator=torch.Generator().manual_seed(0))


def across(picture: Tensor) -> tuple[float, float]:
    """How much it changes from row to row, and from column to column."""
    return float(picture.diff(dim=2).abs().mean()), float(picture.diff(dim=3).abs().mean())


@pytest.mark.parametrize("turned", [False, True])
def test_the_texture_is_the_styles_and_not_the_contents(turned: bool) -> None:
    found = rebuilt(halves(96, 96), stripes(120, 120, turned=turned))
    rows, columns = across(found)
    assert (columns > 2 * rows) if turned else (rows > 2 * columns)
    own_rows, own_columns = across(halves(96, 96))
    assert max(rows, columns) > 3 * max(own_rows, own_columns)


def test_the_shapes_are_the_contents() -> None:
    content = halves(96, 96)
    style = torch.rand(1, 3, 90, 90, generator=torch.Generator().manual_seed(1))
    found = functional.avg_pool2d(rebuilt(content, style), 8)
    assert float(found[..., 6:].mean() - found[..., :6].mean()) > 0.1


def test_the_colours_are_the_styles() -> None:
    style = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 0.2
    style[:, 0] += 0.7
    found = rebuilt(halves(64, 64), style)
    assert float(found[:, 0].mean()) > float(found[:, 2].mean()) + 0.5


def test_a_picture_of_its_own_patches_is_nearly_itself() -> None:
    content = stripes(96, 96)
    assert float((rebuilt(content, content) - content).abs().mean()) < 0.05


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (9, 9), (37, 61)])
@pytest.mark.parametrize("of_style", [(1, 1), (2, 90), (50, 50)])
def test_every_size(size: tuple[int, int], of_style: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    content, style = (torch.rand(1, 3, *sides, generator=generator) for sides in (size, of_style))
    found = rebuilt(content, style)
    assert found.shape == content.shape
    assert found.isfinite().all()
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert torch.equal(found, rebuilt(content, style))


def test_flat_pictures_stay_flat() -> None:
    black, white = torch.zeros(1, 3, 40, 40), torch.ones(1, 3, 40, 40)
    assert float(rebuilt(black, black).max()) == pytest.approx(0, abs=1e-3)
    assert float(rebuilt(black, white).min()) == pytest.approx(1, abs=0.05)
