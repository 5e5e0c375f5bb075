"""The same picture as JPEG and WebP, with what it says about itself."""

from __future__ import annotations

import dataclasses
import html
import io
import json
import re
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from tests.storage.a1111 import read_infotext, read_user_comment
from tests.storage.conftest import raw
from webui.errors import PictureNotFound
from webui.requests import from_dict
from webui.requests.diffusion import TextToImage
from webui.storage import metadata
from webui.storage.formats import in_format, left_out
from webui.storage.metadata import TRAINED_ALGORITHMIC_MEDIA, infotext
from webui.storage.pictures import encode_png

FORMS: tuple[Literal["jpeg", "webp"], ...] = ("jpeg", "webp")


def saved(folder: Path, request: TextToImage, form: Literal["jpeg", "webp"]) -> Image.Image:
    path = folder / "picture.png"
    path.write_bytes(encode_png(request, raw(5)))
    image = Image.open(io.BytesIO(in_format(path, form).content))
    image.load()
    return image


def our_json(image: Image.Image) -> str | None:
    packet = bytes(image.info["xmp"]).decode()
    found = re.search("<darkroom:json[^>]*>(.*)</darkroom:json>", packet, re.DOTALL)
    return html.unescape(found[1]) if found else None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("prompt", ["a lake", "湖 & <b> 🧑‍🎨 (x:1.2)\nline, two"])
def test_the_texts_come_along(
    tmp_path: Path, request_: TextToImage, form: Literal["jpeg", "webp"], prompt: str
) -> None:
    request = dataclasses.replace(request_, prompt=prompt)
    image = saved(tmp_path, request, form)
    assert image.format == form.upper()
    line = read_user_comment(image.info["exif"])
    assert line == infotext(request, raw(5))
    assert read_infotext(line)["Prompt"] == prompt
    said = json.loads(our_json(image) or "")
    assert (from_dict(said["request"]), said["seed"]) == (request, 5)
    assert TRAINED_ALGORITHMIC_MEDIA in bytes(image.info["xmp"]).decode()


@pytest.mark.parametrize("form", FORMS)
def test_the_pixels_hardly_change(tmp_path: Path, form: Literal["jpeg", "webp"]) -> None:
    y, x = np.mgrid[0:96, 0:128]
    edges = (x // 16 + y // 16) % 2 * 100  # grey: WebP halves the resolution of colours, always
    pixels = np.stack([x + edges, y + edges, edges + 20], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    image = Image.open(io.BytesIO(in_format(tmp_path / "picture.png", form).content))
    difference = np.asarray(image.convert("RGB"), dtype=float) - pixels
    assert 10 * np.log10(255**2 / (difference**2).mean()) > 32  # dB
    assert our_json(image) is None, "a picture that says nothing is given no words"


def test_what_is_too_long_for_a_jpeg_is_left_out_and_said(tmp_path: Path, request_: TextToImage) -> None:
    request = dataclasses.replace(request_, prompt="湖" * 10_000, negative_prompt="🌊" * 9_000)
    image = saved(tmp_path, request, "webp")
    assert our_json(image) is not None
    assert read_user_comment(image.info["exif"]) == infotext(request, raw(5))
    image = saved(tmp_path, request, "jpeg")
    assert our_json(image) is None
    assert read_user_comment(image.info["exif"]) == infotext(request, raw(5)), "56 KB in UTF-16"
    path = tmp_path / "picture.png"
    for form, missing in (("png", ()), ("webp", ()), ("jpeg", ("darkroom",))):
        assert left_out(path, form) == missing  # type: ignore[arg-type]
    assert in_format(path, "jpeg").left_out == ("darkroom",)
    image = saved(tmp_path, dataclasses.replace(request, prompt="🧑" * 10_000, negative_prompt="🌊" * 10_000), "jpeg")
    assert left_out(path, "jpeg") == in_format(path, "jpeg").left_out == ("parameters", "darkroom")
    assert len(image.info["exif"]) < 100
    (tmp_path / "again.jpg").write_bytes(in_format(path, "jpeg").content)
    assert left_out(tmp_path / "again.jpg", "webp") == ("parameters", "darkroom"), "what is gone does not come back"


def test_what_a_png_itself_had_no_room_for_is_said_in_every_format(
    tmp_path: Path, request_: TextToImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "MAX_METADATA_BYTES", 10)
    path = tmp_path / "picture.png"
    path.write_bytes(encode_png(request_, raw(5)))
    for form in ("png", "jpeg", "webp"):
        assert left_out(path, form) == ("parameters", "darkroom")  # type: ignore[arg-type]


def test_a_file_that_is_gone_or_damaged(tmp_path: Path, request_: TextToImage) -> None:
    path = tmp_path / "picture.png"
    for content in (None, b"", encode_png(request_, raw())[:200]):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(PictureNotFound):
            in_format(path, "jpeg")
    path.unlink()
    with pytest.raises(PictureNotFound):
        left_out(path, "jpeg")
