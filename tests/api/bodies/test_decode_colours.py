"""Colours by value: sixteen bits, palettes, CMYK, profiles and what shows through, in each of the formats."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.api.bodies.test_decode import chunk, decode, encoded, gradient, opened

# Colorants of Display P3 and of sRGB, adapted to D50 as ICC profiles have them (Apple's and HP's own).
P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])


def profile_with(colorants: np.ndarray, name: str) -> bytes:
    """lcms' sRGB with other colorants and another name of four letters."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for index in range(struct.unpack_from(">I", made, 128)[0]):
        tag, offset, size = struct.unpack_from(">4sII", made, 132 + 12 * index)
        if tag in (b"rXYZ", b"gXYZ", b"bXYZ"):
            column = colorants[:, b"rgb".index(tag[:1])]
            struct.pack_into(">3i", made, offset + 8, *(round(value * 65536) for value in column))
        if tag == b"desc":
            said = bytes(made[offset : offset + size])
            made[offset : offset + size] = said.replace("sRGB".encode("utf-16-be"), name.encode("utf-16-be"))
    return bytes(made)


def cmyk_profile() -> bytes:
    """A printer whose black ink alone counts: CMYK to Lab by a table of two points an axis (`mft1`, ICC.1 10.11)."""
    corners = [(0 if k else 255, 128, 128) for _c in range(2) for _m in range(2) for _y in range(2) for k in range(2)]
    ramp = bytes(range(256))
    unit = [65536 if row == column else 0 for row in range(3) for column in range(3)]
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", *unit)
    table += ramp * 4 + bytes(value for corner in corners for value in corner) + ramp * 3
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"Toys\0" + bytes(78),
        b"wtpt": b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061),
        b"A2B0": table + bytes(-len(table) % 4),
    }
    start, listed, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        listed += struct.pack(">4sII", name, start + len(body), len(content))
        body += content
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ") + bytes(12) + b"acsp"
    header += bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + listed + body


def linear(value: np.ndarray) -> np.ndarray:
    scaled = value / 255
    return np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)


def encoded_in_srgb(light: np.ndarray) -> np.ndarray:
    light = light.clip(0, 1)
    return 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("colour", [(200, 100, 100), (60, 160, 90), (128, 128, 128)])
def test_display_p3_becomes_srgb(tmp_path: Path, format: str, colour: tuple[int, int, int]) -> None:
    options = {"lossless": True} if format == "WEBP" else {"quality": 100} if format == "JPEG" else {}
    picture = Image.new("RGB", (16, 16), colour)
    found = opened(decode(tmp_path, encoded(picture, format, icc_profile=profile_with(P3, "wide"), **options)))
    expected = encoded_in_srgb(np.linalg.solve(SRGB, P3 @ linear(np.array(colour))))
    assert np.abs(np.array(found.getpixel((8, 8))) - expected).max() <= 3


def test_a_profile_holds_for_palettes_and_beside_transparency(tmp_path: Path) -> None:
    profile = profile_with(P3, "wide")
    expected = encoded_in_srgb(np.linalg.solve(SRGB, P3 @ linear(np.array((200, 100, 100)))))
    palette = Image.new("RGB", (8, 8), (200, 100, 100)).quantize(4)
    glass = Image.new("RGBA", (8, 8), (200, 100, 100, 77))
    for picture, alpha in ((palette, 255), (glass, 77)):
        found = opened(decode(tmp_path, encoded(picture, icc_profile=profile)))
        assert np.abs(np.array(found.convert("RGB").getpixel((4, 4))) - expected).max() <= 3
        assert found.convert("RGBA").getpixel((4, 4))[3] == alpha


def test_ink_without_a_profile_is_mixed_as_pillow_does(tmp_path: Path) -> None:
    inks = {(0, 0, 0, 0): (255, 255, 255), (255, 0, 0, 0): (0, 255, 255), (0, 0, 0, 255): (0, 0, 0)}
    for ink, colour in inks.items():
        content = encoded(Image.new("CMYK", (16, 16), ink), "JPEG", quality=100)
        assert np.abs(np.array(opened(decode(tmp_path, content)).getpixel((8, 8))) - colour).max() <= 3


def test_ink_with_a_profile_is_what_that_printer_makes_of_it(tmp_path: Path) -> None:
    profile = cmyk_profile()
    for ink, grey in (((255, 255, 255, 0), 255), ((0, 0, 0, 255), 0), ((255, 0, 0, 128), None)):
        content = encoded(Image.new("CMYK", (16, 16), ink), "JPEG", quality=100, icc_profile=profile)
        red, green, blue = opened(decode(tmp_path, content)).getpixel((8, 8))
        assert max(abs(red - green), abs(green - blue)) <= 3  # cyan counts for nothing there
        assert grey is None or abs(green - grey) <= 3
        assert grey is not None or 100 < green < 140  # L* of 50 is 119


def sixteen_bit(mode: int, values: tuple[int, ...], chunks: bytes = b"") -> bytes:
    """A PNG of 4 × 4 equal pixels of 16 bits a channel; `mode` is its colour type."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, mode, 0, 0, 0))
    rows = (b"\0" + struct.pack(f">{len(values)}H", *values) * 4) * 4
    return b"\x89PNG\r\n\x1a\n" + header + chunks + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("mode", "values", "expected"),
    [
        (0, (0x8080,), (128, 128, 128)),
        (0, (300,), (1, 1, 1)),
        (2, (0xFFFF, 0x8080, 0x0101), (255, 128, 1)),
        (4, (0x4040, 0x8080), (64, 64, 64, 128)),
        (6, (0xFFFF, 0x8080, 0x0101, 0x4040), (255, 128, 1, 64)),
    ],
)
def test_sixteen_bits_become_eight(
    tmp_path: Path, mode: int, values: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    assert opened(decode(tmp_path, sixteen_bit(mode, values))).getpixel((1, 1)) == expected


@pytest.mark.parametrize(("key", "alpha"), [(0x8080, 0), (0x8081, 255)])
def test_a_transparent_grey_of_sixteen_bits(tmp_path: Path, key: int, alpha: int) -> None:
    content = sixteen_bit(0, (0x8080,), chunk(b"tRNS", struct.pack(">H", key)))
    found = opened(decode(tmp_path, content)).convert("RGBA")
    assert found.getpixel((1, 1)) == (128, 128, 128, alpha)


def greys(bits: int, row: bytes, key: int) -> bytes:
    """A PNG of 4 × 1 pixels of grey, with one transparent."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 1, bits, 0, 0, 0, 0))
    chunks = chunk(b"tRNS", struct.pack(">H", key)) + chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + chunks


@pytest.mark.parametrize(
    ("bits", "row", "key"),
    [(2, b"\x1b", 2), (4, b"\x01\x23", 2), (8, b"\0\1\2\3", 2), (16, struct.pack(">4H", 0, 256, 257, 40000), 257)],
)
def test_a_transparent_grey_among_others(tmp_path: Path, bits: int, row: bytes, key: int) -> None:
    found = opened(decode(tmp_path, greys(bits, row, key)))
    assert [found.getpixel((place, 0))[3] for place in range(4)] == [255, 255, 0, 255]


def test_a_transparent_colour_of_sixteen_bits(tmp_path: Path) -> None:
    for key, alpha in (((0xFFFF, 0x8080, 0x0101), 0), ((0xFFFF, 0x8080, 0x0201), 255)):
        content = sixteen_bit(2, (0xFFFF, 0x8080, 0x0101), chunk(b"tRNS", struct.pack(">HHH", *key)))
        assert opened(decode(tmp_path, content)).convert("RGBA").getpixel((1, 1))[3] == alpha


def test_a_palette_keeps_its_colours_and_its_glass(tmp_path: Path) -> None:
    picture = Image.new("P", (3, 1))
    picture.putpalette([10, 20, 30, 200, 100, 50, 1, 2, 3])
    for place in range(3):
        picture.putpixel((place, 0), place)
    found = opened(decode(tmp_path, encoded(picture, transparency=b"\xff\x80\x00")))
    assert [found.getpixel((place, 0)) for place in range(3)] == [(10, 20, 30, 255), (200, 100, 50, 128), (1, 2, 3, 0)]


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_photographs_are_turned_upright_in_every_format(tmp_path: Path, format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if format == "WEBP" else {"quality": 100, "subsampling": 0}
    found = opened(decode(tmp_path, encoded(gradient(), format, exif=exif, **options)))
    turned = np.rot90(np.asarray(gradient(), int), {3: 2, 6: -1, 8: 1}[orientation])
    assert found.size == (turned.shape[1], turned.shape[0])
    assert np.abs(np.asarray(found, int) - turned).max() <= 6


def test_a_phone_s_jpeg_with_a_second_picture_in_it(tmp_path: Path) -> None:
    content = io.BytesIO()
    second = Image.new("RGB", (48, 32), "blue")
    gradient().save(content, "MPO", save_all=True, append_images=[second], quality=100, subsampling=0)
    found = opened(decode(tmp_path, content.getvalue()))
    assert np.abs(np.asarray(found, int) - np.asarray(gradient(), int)).max() <= 6
