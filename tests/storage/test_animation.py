"""Strips as animated WebP: every frame within bounds, the ends among them."""

from __future__ import annotations

import io

from PIL import Image

from webui.storage.animation import MAX_FRAMES, animated_webp


def jpeg(grey: int, size: tuple[int, int] = (32, 24)) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, (grey, grey, grey)).save(content, "JPEG")
    return content.getvalue()


def greys(webp: bytes) -> list[int]:
    with Image.open(io.BytesIO(webp)) as image:
        found = []
        for number in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(number)
            found.append(image.convert("L").getpixel((5, 5)))
        return found  # type: ignore[return-value]


def test_frames_in_order_the_last_one_longest() -> None:
    webp = animated_webp([jpeg(40), jpeg(120), jpeg(200, (16, 12))])
    assert [abs(one - other) <= 3 for one, other in zip(greys(webp), (40, 120, 200), strict=True)] == [True] * 3
    with Image.open(io.BytesIO(webp)) as image:
        assert (image.size, image.info["loop"]) == ((32, 24), 0)
        durations = []
        for number in range(3):
            image.seek(number)
            image.load()
            durations.append(image.info["duration"])
    assert durations[-1] > durations[0]


def test_a_long_strip_keeps_its_ends() -> None:
    shades = [round(250 * i / 399) for i in range(400)]
    found = greys(animated_webp([jpeg(shade) for shade in shades]))
    assert len(found) <= MAX_FRAMES
    assert abs(found[0] - 0) <= 3
    assert abs(found[-1] - 250) <= 3
