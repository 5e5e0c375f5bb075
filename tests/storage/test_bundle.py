"""Many pictures as one zip: whole, in any format, past files that are gone, and never in memory."""

from __future__ import annotations

import dataclasses
import io
import json
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.owners import ANN
from tests.storage.conftest import raw
from webui.metadata.embedded_texts import texts_in
from webui.requests.diffusion import TextToImage
from webui.storage import Storage
from webui.storage.bundle import METADATA_NAME, zip_of
from webui.storage.formats import Format
from webui.storage.pictures import Picture


def saved(storage: Storage, request: TextToImage, count: int) -> list[Picture]:
    ids = [storage.pictures.save(ANN, f"job{n}", request, raw(n)).id for n in range(count)]
    return list(storage.pictures.those(ANN, ids))


def opened(pictures: list[Picture], form: Format = "png", **boards: list[str]) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(zip_of(pictures, boards, form))))


def test_the_pictures_are_in_it_as_they_lie(storage: Storage, request_: TextToImage) -> None:
    pictures = saved(storage, request_, 3)
    bundle = opened(pictures, **{pictures[1].id: ["Boats 船"]})
    assert bundle.testzip() is None
    said = json.loads(bundle.read(METADATA_NAME))
    assert [bundle.read(one["file"]) for one in said] == [picture.path.read_bytes() for picture in pictures]
    assert [one["boards"] for one in said] == [[], ["Boats 船"], []]
    assert said[2]["request"]["prompt"] == request_.prompt
    assert (said[2]["seed"], said[2]["starred"]) == (2, False)


@pytest.mark.parametrize("form", ["jpeg", "webp"])
def test_in_another_format_with_its_texts(storage: Storage, request_: TextToImage, form: Format) -> None:
    bundle = opened(saved(storage, request_, 1), form)
    name = bundle.namelist()[0]
    assert name.endswith(".jpg" if form == "jpeg" else ".webp")
    content = io.BytesIO(bundle.read(name))
    assert Image.open(content).format == form.upper()
    assert "darkroom" in {text.name for text in texts_in(content)}


def test_texts_that_are_too_long_for_a_format_are_named(storage: Storage, request_: TextToImage) -> None:
    long = dataclasses.replace(request_, prompt="湖" * 9_999, negative_prompt="🧑" * 9_999)
    short = storage.pictures.save(ANN, "short", request_, raw(1)).id
    pictures = [*saved(storage, long, 1), storage.pictures.get(ANN, short)]
    for form, missing in (("png", [None, None]), ("webp", [None, None]), ("jpeg", [["darkroom"], None])):
        said = json.loads(opened(pictures, form).read(METADATA_NAME))  # type: ignore[arg-type]
        assert [one.get("left_out") for one in said] == missing


def test_what_cannot_be_read_hides_nothing_else(storage: Storage, request_: TextToImage) -> None:
    pictures = saved(storage, request_, 3)
    pictures[0].path.unlink()
    pictures[1].path.write_bytes(b"nonsense")
    said = json.loads(opened(pictures, "webp").read(METADATA_NAME))
    assert [one["file"] is None for one in said] == [True, True, False]
    assert said[0]["missing"]


@pytest.mark.parametrize(
    "name", ["../../x.png", "con.png", "a\nb‮.png", "ü" * 100 + ".png", "=cmd|' /C'!A0.png", ".png"]
)
def test_names_are_safe_and_each_is_there_once(storage: Storage, request_: TextToImage, name: str) -> None:
    (picture,) = saved(storage, request_, 1)
    odd = dataclasses.replace(picture, path=picture.path.parent / Path(name).name)
    odd.path.write_bytes(picture.path.read_bytes())
    names = opened([odd, odd, dataclasses.replace(odd, path=odd.path)]).namelist()
    assert len({one.lower() for one in names}) == 4
    for one in names:
        assert one.isascii()
        assert set(one) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")
        assert ".." not in one
        assert one.count("/") <= 1
        assert not one.startswith("/")


def test_it_is_never_in_memory(storage: Storage, request_: TextToImage) -> None:
    (picture,) = saved(storage, request_, 1)
    with picture.path.open("ab") as file:
        file.write(bytes(20 * 2**20))
    tracemalloc.start()
    size = sum(len(chunk) for chunk in zip_of([picture] * 5, {}, "png"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 100 * 2**20
    assert peak < 8 * 2**20
