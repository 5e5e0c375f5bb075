"""Texts are found wherever programs put them, and no file makes the search raise, or read more than it may."""

from __future__ import annotations

import dataclasses
import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.metadata.files import SIGNATURE, chunk, png, png_with, tiff, with_exif
from tests.storage.conftest import raw
from webui.metadata.embedded_texts import MAX_ALL_BYTES, MAX_NAME_CHARACTERS, MAX_TEXT_BYTES, MAX_TEXTS, Text, texts_in
from webui.requests.diffusion import TextToImage
from webui.storage.formats import in_format
from webui.storage.metadata import darkroom_json, infotext
from webui.storage.pictures import encode_png

LINE = "a lake 湖 🧑\nSteps: 20, Sampler: Euler a, Seed: 1"


class Counted(io.BytesIO):
    """Counts what is read."""

    read_bytes = 0

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size)
        self.read_bytes += len(content)
        return content


def found(content: bytes) -> dict[str, str]:
    return {text.name: text.text for text in texts_in(io.BytesIO(content))}


def test_ours_are_found_in_every_format(tmp_path, request_: TextToImage) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "picture.png"
    path.write_bytes(encode_png(request_, raw(5)))
    ours, line = darkroom_json(request_, raw(5)), infotext(request_, raw(5))
    assert found(path.read_bytes()).items() >= {"darkroom": ours, "parameters": line}.items()
    for form in ("jpeg", "webp"):
        assert found(in_format(path, form).content) == {"UserComment": line, "darkroom": ours}


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("order", "comment"),
    [
        (">", b"UNICODE\0" + LINE.encode("utf-16-be")),
        ("<", b"UNICODE\0" + LINE.encode("utf-16-be")),  # as piexif does it in a block of any order
        ("<", b"UNICODE\0" + LINE.encode("utf-16-le")),
        (">", b"ASCII\0\0\0" + LINE.encode()),
        (">", bytes(8) + LINE.encode()),
        (">", LINE.encode()),
        (">", b"UNICODE\0" + LINE.encode()),
        ("<", b"UNICODE\0" + LINE.encode("utf-16")),
        ("<", b"UNICODE\0" + LINE.encode("utf-8-sig") + b"\0\0"),
        (">", bytes(8) + LINE.encode("utf-16-le")),
        (">", b"ASCII\0\0\0" + LINE.encode("utf-8-sig")),
    ],
)
def test_user_comments_of_all_sorts(form: str, order: str, comment: bytes) -> None:
    assert found(with_exif(form, tiff(order, comment))) == {"UserComment": LINE}


@pytest.mark.parametrize("text", ["湖边的小屋，月光，水彩画", "🌊🏔️🌙✨🎨", "夜の湖と山", "лунная ночь"])
def test_texts_without_a_latin_letter(request_: TextToImage, tmp_path: Path, text: str) -> None:
    for order, encoding in (("<", "utf-16-be"), ("<", "utf-16-le"), (">", "utf-16-le"), (">", "utf-8")):
        assert found(with_exif("WEBP", tiff(order, b"UNICODE\0" + text.encode(encoding)))) == {"UserComment": text}
    path = tmp_path / "picture.png"
    path.write_bytes(encode_png(dataclasses.replace(request_, prompt=text * 99), raw(5)))
    assert found(in_format(path, "webp").content)["UserComment"].startswith(text * 99)


def test_japanese_comments_in_their_own_code() -> None:
    comment = b"JIS\0\0\0\0\0" + "夜の湖".encode("iso2022_jp")
    assert found(with_exif("JPEG", tiff(">", comment))) == {"UserComment": "夜の湖"}


def test_utf_8_where_the_standard_has_latin_1() -> None:
    content = png(
        chunk(b"tEXt", "parameters\0湖 🧑 café".encode()),
        chunk(b"zTXt", b"packed\0\0" + zlib.compress("湖".encode())),
        chunk(b"tEXt", "Titel\0schön".encode("latin-1")),
        chunk(b"iTXt", b"intl\0\0\0\0\0" + "schön".encode("latin-1")),
    )
    assert found(content) == {"parameters": "湖 🧑 café", "packed": "湖", "Titel": "schön", "intl": "schön"}


def test_every_kind_of_png_text() -> None:
    compressed = zlib.compress(b"deep")
    content = png(
        chunk(b"tEXt", b"parameters\0plain"),
        chunk(b"zTXt", b"packed\0\0" + compressed),
        chunk(b"iTXt", "intl\0\0\0en\0name\0湖".encode()),
        chunk(b"iTXt", b"both\0\1\0\0\0" + compressed),
        chunk(b"eXIf", tiff(">", b"UNICODE\0" + "é1".encode("utf-16-be"))),
        chunk(b"tEXt", b"no end"),
        chunk(b"zTXt", b"broken\0\0not deflate"),
    )
    expected = {
        "parameters": "plain",
        "packed": "deep",
        "intl": "湖",
        "both": "deep",
        "UserComment": "é1",
        "no end": "",
    }
    assert found(content) == expected


def test_comfyuis_webp_and_a_comment_of_a_jpeg() -> None:
    exif = Image.Exif()
    exif[0x0110], exif[0x010F] = 'prompt:{"1": {}}', "Canon"
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "WEBP", exif=exif)
    assert found(content.getvalue()) == {"prompt": '{"1": {}}'}, "and no camera"
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "JPEG", comment=LINE.encode())
    assert found(content.getvalue()) == {"Comment": LINE}


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"caBX", b"prVt"])
def test_a_foreign_chunk_of_100_megabytes_is_stepped_over(kind: bytes) -> None:
    source = Counted(png(chunk(kind, b"name\0" + bytes(100 * 2**20)), chunk(b"tEXt", b"after\0here")))
    assert texts_in(source) == (Text("after", "here"),)
    assert source.read_bytes < 1000


def test_bombs_are_not_unpacked() -> None:
    bomb = zlib.compress(bytes(100 * 2**20), 9)
    content = png(chunk(b"zTXt", b"a\0\0" + bomb), chunk(b"iTXt", b"b\0\1\0\0\0" + bomb), chunk(b"tEXt", b"c\0d"))
    assert found(content) == {"c": "d"}


def test_all_texts_together_are_bounded() -> None:
    many = texts_in(io.BytesIO(png(*(chunk(b"tEXt", b"%d\0x" % number) for number in range(1000)))))
    assert len(many) == MAX_TEXTS
    large = [chunk(b"tEXt", b"%d\0" % number + b"x" * (MAX_TEXT_BYTES - 100)) for number in range(5)]
    assert sum(len(text.text) for text in texts_in(io.BytesIO(png(*large)))) <= MAX_ALL_BYTES
    assert texts_in(io.BytesIO(SIGNATURE + chunk(b"IDAT", b"", length=2**32 - 1) * 50_000)) == ()


def test_a_text_is_cleaned() -> None:
    assert found(png_with(**{"a": "x\x1b[31m\x07"})) == {"a": "x[31m"}


SEEDS = [
    png_with(parameters=LINE, darkroom="{}"),
    png(chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 99)), chunk(b"eXIf", tiff("<", b"UNICODE\0a\0"))),
    with_exif("JPEG", tiff(">", b"UNICODE\0" + LINE.encode("utf-16-be"))),
    with_exif("WEBP", tiff("<", b"ASCII\0\0\0" + LINE.encode())),
]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_bytes_make_it_raise(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([*SEEDS, SIGNATURE, b"RIFF0000WEBP", b"\xff\xd8\xff\xe1", b""])))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=8))
    texts = texts_in(io.BytesIO(bytes(content)))
    assert len(texts) <= MAX_TEXTS
    for text in texts:
        assert len(text.name) <= MAX_NAME_CHARACTERS
        assert len(text.text) <= MAX_TEXT_BYTES
        text.text.encode()  # no lone surrogates


@pytest.mark.parametrize("end", [4, 11, 20, 40, 60, 90])
def test_a_file_that_was_cut_off(end: int) -> None:
    for content in SEEDS:
        texts_in(io.BytesIO(content[:end]))
        texts_in(io.BytesIO(content[: len(content) - end]))


def test_a_block_whose_directory_points_at_itself() -> None:
    loop = b"MM\0*" + struct.pack(">LHHHLLL", 8, 1, 0x8769, 4, 1, 8, 0)
    assert found(with_exif("JPEG", loop)) == {}
