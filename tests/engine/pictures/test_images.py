"""Pictures, tensors, and the sizes between them."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from webui.engine.pictures.images import crop_and_resize, next_multiple, pad_to, read_picture, to_pixels, to_tensor
from webui.errors import NotAnImage


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def test_pixels_survive_the_way_there_and_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    tensor = to_tensor(Image.fromarray(pixels))
    assert tensor.shape == (1, 3, 5, 7)
    assert -1 <= tensor.min() <= tensor.max() <= 1
    assert (to_pixels(tensor[0]) == pixels).all()
    assert to_pixels(torch.full((3, 1, 1), 5.0)).max() == 255


def test_what_is_transparent_becomes_white() -> None:
    picture = read_picture(png(Image.new("RGBA", (3, 2), (10, 20, 30, 0))))
    assert (picture.mode, picture.getpixel((0, 0))) == ("RGB", (255, 255, 255))
    assert read_picture(png(Image.new("L", (3, 2), 9))).getpixel((0, 0)) == (9, 9, 9)


@pytest.mark.parametrize("data", [b"", b"<svg/>", png(Image.new("RGB", (64, 64)))[:60]])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        read_picture(data)


@given(st.tuples(*[st.integers(1, 300)] * 4))
@settings(deadline=None, max_examples=60)
def test_every_size_can_be_had_of_every_picture(sizes: tuple[int, int, int, int]) -> None:
    assert crop_and_resize(Image.new("RGB", sizes[:2]), *sizes[2:]).size == sizes[2:]


def test_it_is_cut_equally_at_both_ends() -> None:
    stripes = Image.new("RGB", (90, 30), (0, 0, 255))
    stripes.paste((255, 0, 0), (30, 0, 60, 30))
    assert crop_and_resize(stripes, 30, 30).getcolors() == [(900, (255, 0, 0))]


@pytest.mark.parametrize(("width", "height"), [(5, 4), (8, 8), (40, 4), (5, 31)])
def test_padding_keeps_the_picture_and_mirrors_it(width: int, height: int) -> None:
    tensor = torch.rand(1, 3, 4, 5)
    padded = pad_to(tensor, width, height)
    assert padded.shape == (1, 3, height, width)
    assert torch.equal(padded[..., :4, :5], tensor)
    if width > 5:
        assert torch.equal(padded[..., :4, 5], tensor[..., 3])


def test_next_multiple() -> None:
    assert [next_multiple(pixels, 16) for pixels in (64, 72, 80)] == [64, 80, 80]
