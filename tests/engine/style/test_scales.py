from __future__ import annotations

import pytest

from webui.engine.style.scales import fitted_size, plan_scales


@pytest.mark.parametrize("size", [64, 96, 128, 200, 384, 1024, 2048, 4096])
@pytest.mark.parametrize("iterations", [1, 2, 3, 7, 200, 2000])
def test_the_scales_sum_to_what_was_asked_and_end_at_the_size(size: int, iterations: int) -> None:
    scales = plan_scales(size, iterations)
    assert sum(scale.iterations for scale in scales) == iterations
    assert scales[-1].side == size
    assert all(scale.iterations >= 1 for scale in scales)
    assert [scale.side for scale in scales] == sorted(scale.side for scale in scales)


def test_coarse_scales_get_most() -> None:
    scales = plan_scales(384, 200)
    assert [scale.side for scale in scales] == [96, 136, 192, 272, 384]
    assert [scale.iterations for scale in scales] == sorted((scale.iterations for scale in scales), reverse=True)


def test_a_small_picture_has_one_scale() -> None:
    assert len(plan_scales(128, 200)) == 1  # of √2 times 96 there is not yet a second


@pytest.mark.parametrize(
    ("width", "height", "side", "expected"),
    [(640, 427, 384, (384, 256)), (427, 640, 384, (256, 384)), (1, 1, 64, (64, 64)), (3000, 2, 64, (64, 8))],
)
def test_sizes_follow_the_aspect_ratio(width: int, height: int, side: int, expected: tuple[int, int]) -> None:
    assert fitted_size(width, height, side) == expected
