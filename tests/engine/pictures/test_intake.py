"""Pictures on their way in and back: sizes, masks, places; exactly, by value."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from webui.engine.pictures import masks
from webui.engine.pictures.filling import filled
from webui.engine.pictures.intake import resized, take_in
from webui.engine.pictures.redraw import Redraw, Sides
from webui.errors import InvalidRequest, NotAnImage


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def square(width: int, height: int, left: int, top: int, side: int) -> np.ndarray:
    mask = np.zeros((height, width), np.float32)
    mask[top : top + side, left : left + side] = 1
    return mask


def png(picture: Image.Image, **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, "PNG", **options)
    return content.getvalue()


def test_just_resize_stretches_and_crop_and_resize_does_not() -> None:
    halves = Image.new("RGB", (128, 64), (255, 0, 0))
    halves.paste((0, 0, 255), (64, 0, 128, 64))
    stretched = np.asarray(resized(halves, "just_resize", 64, 64))
    assert (stretched[:, 8].tolist()[0], stretched[:, 56].tolist()[0]) == ([255, 0, 0], [0, 0, 255])
    thirds = Image.new("RGB", (192, 64), (0, 255, 0))
    thirds.paste((9, 9, 9), (64, 0, 128, 64))
    assert resized(thirds, "crop_and_resize", 64, 64).getcolors() == [(64 * 64, (9, 9, 9))]


def test_resize_and_fill_keeps_all_of_it_and_goes_on_with_its_edges() -> None:
    picture = noise(64, 32)
    whole = np.asarray(resized(picture, "resize_and_fill", 64, 64))
    assert np.array_equal(whole[16:48], np.asarray(picture))
    assert np.array_equal(whole[:16], np.repeat(np.asarray(picture)[:1], 16, axis=0))
    assert np.array_equal(whole[48:], np.repeat(np.asarray(picture)[-1:], 16, axis=0))


@pytest.mark.parametrize("mode", ["just_resize", "crop_and_resize", "resize_and_fill"])
def test_a_mask_goes_where_its_picture_goes(mode: str) -> None:
    """White where the picture is white: they still agree after both were brought to another size."""
    mask = np.zeros((120, 160), np.float32)
    mask[40:80, 60:140] = 1
    picture = Image.fromarray((mask * 255).astype(np.uint8)).convert("RGB")
    found = take_in(picture, mask, Redraw(resize_mode=mode, has_mask=True, mask_blur=0), 96, 96)
    assert found.mask is not None
    seen = np.asarray(found.picture)[..., 0] / 255
    assert np.abs(seen - found.mask).mean() < 0.02
    assert ((seen > 0.5) == (found.mask > 0.5)).mean() > 0.985


def test_a_mask_is_read_by_its_brightness_or_its_opacity() -> None:
    grey = Image.fromarray(np.array([[0, 3, 128, 250, 255]], np.uint8))
    assert masks.read_mask(png(grey)).tolist() == [[0, 0, pytest.approx(128 / 255), 1, 1]]
    assert masks.read_mask(png(Image.new("RGB", (2, 1), "white"))).tolist() == [[1, 1]]
    strokes = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    strokes.putpixel((1, 0), (10, 200, 30, 255))
    assert masks.read_mask(png(strokes)).tolist() == [[0, 1]]
    opaque = Image.new("RGBA", (2, 1), (0, 0, 0, 255))
    assert masks.read_mask(png(opaque)).tolist() == [[0, 0]]
    with pytest.raises(NotAnImage):
        masks.read_mask(b"no picture")


@pytest.mark.parametrize("size", [(60, 40), (300, 200), (601, 401), (1, 1)])
def test_a_mask_of_another_size_is_brought_to_the_picture_s(size: tuple[int, int]) -> None:
    mask = np.ones((size[1], size[0]), np.float32)
    assert masks.checked(mask, noise(600, 400)).shape == (400, 600)


@pytest.mark.parametrize("size", [(400, 400), (40, 60), (600, 300)])
def test_a_mask_of_another_shape_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        masks.checked(np.ones((size[1], size[0]), np.float32), noise(600, 400))
    assert caught.value.details == {"field": "mask", "reason": "mask_other_shape"}


@pytest.mark.parametrize("blur", [0, 1, 4, 20])
def test_a_soft_edge_lies_inside_and_is_whole_in_the_middle(blur: int) -> None:
    mask = square(400, 300, 100, 20, 270)
    soft = masks.softened(mask, blur)
    assert (soft[mask == 0] == 0).all()
    assert soft.max() <= 1
    assert soft[155, 235] > 0.99
    if blur:
        across = soft[150, 100:235]
        assert across[0] < (0.5 if blur == 1 else 0.2)
        assert (np.diff(across) >= -0.01).all()
    thin = masks.softened(square(40, 40, 18, 18, 3), blur)  # a narrow stroke is not lost
    assert thin.max() > 0.9


def test_a_mask_up_to_the_picture_s_edge_does_not_fade_there() -> None:
    soft = masks.softened(square(64, 64, 0, 0, 40), 4)
    assert soft[0, 0] > 0.95
    assert masks.softened(np.ones((32, 32), np.float32), 8).min() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("place", "padding", "shape", "expected"),
    [
        ((50, 60, 20), 0, (64, 64), (50, 60, 70, 80)),
        ((50, 60, 20), 10, (64, 64), (40, 50, 80, 90)),
        ((50, 60, 20), 0, (128, 64), (40, 60, 80, 80)),
        ((0, 0, 20), 8, (64, 64), (0, 0, 28, 28)),
        ((180, 130, 20), 16, (64, 64), (164, 114, 200, 150)),
        ((0, 0, 150), 0, (128, 64), (-50, 0, 250, 150)),
    ],
)
def test_the_place_around_a_mask(
    place: tuple[int, int, int], padding: int, shape: tuple[int, int], expected: masks.Box
) -> None:
    left, top, right, bottom = masks.place_of(square(200, 150, *place), padding, *shape)
    assert (left, top, right, bottom) == expected
    assert (right - left) / (bottom - top) == pytest.approx(shape[0] / shape[1], rel=0.05)


@pytest.mark.parametrize("mask_mode", ["masked", "not_masked"])
def test_an_empty_mask_is_refused(mask_mode: str) -> None:
    mask = np.zeros((32, 32), np.float32) if mask_mode == "masked" else np.ones((32, 32), np.float32)
    for is_only_masked in (False, True):
        redraw = Redraw(has_mask=True, mask_mode=mask_mode, is_only_masked=is_only_masked)
        with pytest.raises(InvalidRequest) as caught:
            take_in(noise(32, 32), mask, redraw, 64, 64)
        assert caught.value.details == {"field": "mask", "reason": "mask_empty"}


@pytest.mark.parametrize("blur", [0, 4, 30])
@pytest.mark.parametrize("is_soft", [False, True])
@pytest.mark.parametrize("mask_mode", ["masked", "not_masked"])
@pytest.mark.parametrize("is_only_masked", [False, True])
def test_what_is_not_masked_comes_back_exactly(blur: int, is_soft: bool, mask_mode: str, is_only_masked: bool) -> None:
    picture, mask = noise(160, 120), square(160, 120, 60, 40, 30)
    redraw = Redraw(has_mask=True, mask_blur=blur, is_soft=is_soft, mask_mode=mask_mode, is_only_masked=is_only_masked)
    size = (64, 64) if is_only_masked else (160, 120)
    found = take_in(picture, mask, redraw, *size)
    drawn = np.full((size[1], size[0], 3), 77, np.uint8)
    result = np.asarray(found.put_back(drawn))
    assert result.shape == (120, 160, 3)
    kept = (mask == 0) if mask_mode == "masked" else (mask == 1)
    assert np.array_equal(result[kept], np.asarray(picture)[kept])
    moved = np.abs(result[~kept].astype(int) - 77).mean() / np.abs(np.asarray(picture, int)[~kept] - 77).mean()
    assert moved < (0.01 if blur == 0 else 0.5 if blur == 4 else 0.8)
    assert found.picture.size == size


def test_what_is_added_is_new_and_the_rest_is_as_it_was() -> None:
    picture = noise(64, 48)
    sides = Sides(left=16, top=8, right=24, bottom=0)
    found = take_in(picture, None, Redraw(sides=sides), 64 + 40, 48 + 8)
    result = np.asarray(found.put_back(np.full((56, 104, 3), 77, np.uint8)))
    assert np.array_equal(result[8:, 16:80], np.asarray(picture))
    assert (result[:, 100] == 77).all()
    assert found.added is not None
    assert found.added.sum() == 104 * 56 - 64 * 48


def test_only_the_masked_place_is_drawn_and_the_size_is_the_picture_s() -> None:
    picture, mask = noise(80, 60).resize((800, 600)), square(800, 600, 300, 200, 64)
    found = take_in(picture, mask, Redraw(has_mask=True, is_only_masked=True, padding=32, mask_blur=0), 256, 256)
    assert found.picture.size == (256, 256)
    assert found.paste is not None
    assert found.paste.box == (268, 168, 396, 296)
    result = found.put_back(np.asarray(found.picture))
    assert result.size == (800, 600)
    away = np.abs(np.asarray(result, int) - np.asarray(picture, int))[mask == 1]
    assert away.mean() < 1  # it was enlarged and made smaller again


@pytest.mark.parametrize("is_only_masked", [False, True])
def test_a_preview_is_the_whole_picture_small(is_only_masked: bool) -> None:
    picture = Image.new("RGB", (1000, 500), (10, 20, 30))
    mask = square(1000, 500, 400, 200, 100)
    found = take_in(picture, mask, Redraw(has_mask=True, is_only_masked=is_only_masked, mask_blur=0), 512, 256)
    small = np.asarray(found.preview(np.full((32, 64, 3), 200, np.uint8)))
    size = found.paste.ground.size if found.paste else (0, 0)
    assert small.shape[1] / small.shape[0] == pytest.approx(size[0] / size[1])
    assert max(small.shape) == 256
    assert small[128 // 4, 20].tolist() == [10, 20, 30]
    assert small[round(0.5 * small.shape[0]), round(0.45 * small.shape[1])].tolist() == [200, 200, 200]
    whole = take_in(picture, None, Redraw(), 512, 256)
    assert whole.preview(np.zeros((8, 8, 3), np.uint8)).shape == (8, 8, 3)  # type: ignore[union-attr]


def test_a_hole_takes_the_colours_around_it() -> None:
    picture = Image.new("RGB", (90, 60), (200, 40, 40))
    picture.paste((0, 0, 255), (30, 20, 60, 40))
    hole = np.zeros((60, 90), np.float32)
    hole[20:40, 30:60] = 1
    assert filled(picture, hole).getcolors() == [(90 * 60, (200, 40, 40))]
    untouched = noise(33, 17)
    hole = np.zeros((17, 33), np.float32)
    hole[5:9, 7:20] = 1
    assert np.array_equal(np.asarray(filled(untouched, hole))[hole == 0], np.asarray(untouched)[hole == 0])
    assert filled(untouched, np.ones((17, 33), np.float32)).getcolors() == [(17 * 33, (128, 128, 128))]
