from __future__ import annotations

import pytest
import torch

from webui.engine.pictures.images import to_tensor
from webui.engine.style.nearest import distances, factors, least
from webui.engine.style.patches import Patches
from webui.errors import Cancelled

from .pictures import flower


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_a_picture_is_rebuilt_from_its_own_patches() -> None:
    picture = (to_tensor(flower().resize((48, 32))) + 1) / 2
    rebuilt = Patches([picture], [1.0], torch.float32, generator()).rebuilt(picture, lambda: None)
    assert rebuilt.shape == picture.shape
    inner = (..., slice(8, -8), slice(8, -8))  # at the edges, patches reach over what the picture holds
    assert (rebuilt - picture)[inner].abs().mean() < 0.01


def test_only_colours_of_the_style_are_used() -> None:
    style = torch.zeros(1, 3, 20, 20)
    style[:, 0] = 1.0  # red, all of it
    rebuilt = Patches([style], [1.0], torch.float32, generator()).rebuilt(torch.rand(1, 3, 17, 23), lambda: None)
    torch.testing.assert_close(rebuilt, torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 17, 23))


def test_a_style_smaller_than_a_patch_works() -> None:
    style = torch.full((1, 3, 1, 2), 0.25)
    rebuilt = Patches([style], [1.0], torch.float32, generator()).rebuilt(torch.rand(1, 3, 9, 4), lambda: None)
    torch.testing.assert_close(rebuilt, torch.full((1, 3, 9, 4), 0.25))


def test_it_can_be_stopped_between_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webui.engine.style.nearest.QUERIES_AT_ONCE", 10)
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Cancelled

    picture = torch.rand(1, 3, 32, 32)
    with pytest.raises(Cancelled):
        Patches([picture], [1.0], torch.float32, generator()).rebuilt(picture, check)
    assert calls == 3


def test_patches_are_drawn_of_several_styles_in_their_shares() -> None:
    styles = [torch.full((1, 3, 70, 70), value) for value in (0.0, 1.0)]
    keys = Patches(styles, [0.25, 0.75], torch.float32, generator()).draw_keys()
    assert keys.mean().item() == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("count", [1, 63, 64, 65, 200])
def test_the_nearest_patch_is_found_among_any_number(count: int) -> None:
    table = torch.rand(30, count, generator=generator())
    assert torch.equal(least(table), table.argmin(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_distances_of_bright_patches_survive_rounding(dtype: torch.dtype) -> None:
    """Squares of a hundred cancel out to a distance of one."""
    keys = 0.8 + 0.2 * torch.rand(300, 147, generator=generator())
    queries = keys[:50] + 0.1 * torch.rand(50, 147, generator=generator())
    costs = torch.linspace(0.5, 2, len(keys))
    centre = keys.mean(0)
    found = distances(queries - centre, factors(keys - centre, costs, dtype)).float()
    wanted = torch.cdist(queries, keys).square() * costs
    assert ((found - wanted).abs() / wanted).max() < 0.05
