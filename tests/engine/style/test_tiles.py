from __future__ import annotations

import pytest
import torch

from webui.engine.style.tiles import GRID, tiles_of


@pytest.mark.parametrize("size", [(64, 64), (100, 333), (512, 1300), (700, 257)])
@pytest.mark.parametrize("side", [128, 512])
def test_tiles_cover_every_pixel_once(size: tuple[int, int], side: int) -> None:
    seen = torch.zeros(size)
    for tile in tiles_of(*size, margin=20, side=side):
        tile.core(seen).add_(1)
        assert tile.share == tile.core(seen).numel()
    assert (seen == 1).all()


def test_a_tile_is_seen_with_its_margin_and_found_in_it_again() -> None:
    picture = torch.arange(300 * 400.0).view(1, 1, 300, 400)
    for tile in tiles_of(300, 400, margin=20, side=128):
        assert torch.equal(tile.inside(tile.window(picture)), tile.core(picture))
        for span in (tile.rows, tile.columns):
            assert span.outer_start == max(0, span.start - 32)
            assert span.start % GRID == 0


def test_places_of_a_layer_with_a_stride_are_counted_once() -> None:
    places = torch.zeros(1, 1, 75, 101)  # of 300 × 401 pixels at a stride of 4, rounded up
    for tile in tiles_of(300, 401, margin=20, side=128):
        window = tile.window(torch.zeros(1, 1, 300, 401))
        seen = torch.zeros(1, 1, -(-window.shape[-2] // 4), -(-window.shape[-1] // 4))
        rows, columns = tile.inside(seen, 4).shape[-2:]
        places[..., tile.rows.start // 4 :, tile.columns.start // 4 :][..., :rows, :columns] += 1
    assert (places == 1).all()
