"""Pictures from strangers: every kind that is taken comes out upright, sRGB and bare; everything else is refused."""

from __future__ import annotations

import asyncio
import io
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from tests.owners import ANN, BOB
from webui.api.bodies.decode import MAX_WAITING, Decoded, Decoder
from webui.api.http_errors import Busy
from webui.errors import ImageTooLarge, NotAnImage


def decode(folder: Path, content: bytes) -> Decoded:
    return asyncio.run(Decoder(folder).decode_bytes(ANN, content))


def opened(decoded: Decoded) -> Image.Image:
    image = Image.open(io.BytesIO(decoded.png))
    image.load()
    assert image.format == "PNG"
    assert image.mode in ("RGB", "RGBA")
    assert image.size == (decoded.width, decoded.height)
    assert image.info == {}
    return image


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, format, **options)
    return content.getvalue()


def gradient(width: int = 48, height: int = 32) -> Image.Image:
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([across, down, 255 - across], axis=-1).astype(np.uint8))


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, *, bits: int = 8, colour: int = 0, chunks: bytes = b"", rows: bytes = b"\0") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + header + chunks + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_takes_the_three_formats(tmp_path: Path, format: str) -> None:
    options = {"lossless": True} if format == "WEBP" else {"quality": 95} if format == "JPEG" else {}
    image = opened(decode(tmp_path, encoded(gradient(), format, **options)))
    assert np.abs(np.asarray(image, int) - np.asarray(gradient(), int)).max() <= (12 if format == "JPEG" else 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, 1),
    }[orientation](np.asarray(gradient()))
    image = opened(decode(tmp_path, encoded(gradient(), exif=exif)))
    assert np.array_equal(np.asarray(image), turned)


@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "LA", "PA", "RGB", "RGBA", "I;16", "CMYK"], ids=lambda mode: mode.replace(";", "")
)
def test_every_mode_becomes_rgb_or_rgba(tmp_path: Path, mode: str) -> None:
    rgb = gradient()
    if mode == "I;16":
        grey = np.linspace(0, 65535, 48 * 32).reshape(32, 48).astype(np.uint16)
        image = opened(decode(tmp_path, encoded(Image.fromarray(grey))))
        assert np.abs(np.asarray(image)[..., 0].astype(int) - np.round(grey / 257)).max() <= 1
        return
    source = rgb.convert(mode) if mode not in ("PA",) else rgb.convert("P").convert("PA")
    content = (
        encoded(source, "JPEG", quality=95) if mode == "CMYK" else encoded(source, "PNG") if mode != "PA" else None
    )
    if content is None:
        palette = rgb.convert("P")
        content = encoded(palette, "PNG", transparency=0)
        source = Image.open(io.BytesIO(content)).convert("RGBA")
    image = opened(decode(tmp_path, content))
    expected = np.asarray(source.convert(image.mode), int)
    assert np.abs(np.asarray(image, int) - expected).max() <= (16 if mode == "CMYK" else 0)


def test_keeps_transparency_and_only_where_something_shows_through(tmp_path: Path) -> None:
    image = gradient().convert("RGBA")
    assert opened(decode(tmp_path, encoded(image))).mode == "RGB"
    image.putpixel((3, 3), (10, 20, 30, 0))
    found = opened(decode(tmp_path, encoded(image)))
    assert found.mode == "RGBA"
    assert found.getpixel((3, 3)) == (10, 20, 30, 0)
    grey = opened(decode(tmp_path, encoded(image.convert("LA"))))
    assert grey.mode == "RGBA"
    assert grey.getpixel((3, 3))[3] == 0


def test_sixteen_bit_colour_and_transparent_colour(tmp_path: Path) -> None:
    row = b"\0" + struct.pack(">HHH", 65535, 32768, 0) * 4
    image = opened(decode(tmp_path, png(4, 2, bits=16, colour=2, rows=row * 2)))
    assert image.getpixel((1, 1))[0] == 255
    assert image.getpixel((1, 1))[1] in (127, 128)
    keyed = png(4, 2, colour=2, chunks=chunk(b"tRNS", struct.pack(">HHH", 9, 9, 9)), rows=(b"\0" + b"\x09" * 12) * 2)
    assert opened(decode(tmp_path, keyed)).getpixel((0, 0))[3] == 0


def test_only_the_first_frame_of_what_moves(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "green", "blue")]
    for format in ("PNG", "WEBP"):
        options: dict[str, object] = {"lossless": True} if format == "WEBP" else {}
        content = encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=100, **options)
        assert opened(decode(tmp_path, content)).getpixel((5, 5)) == (255, 0, 0)


def test_converts_to_srgb_and_forgets_a_broken_profile(tmp_path: Path) -> None:
    grey = Image.new("RGB", (8, 8), (128, 128, 128))
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (b"nonsense", lab, srgb, srgb[:200], b"\0" * 1000):
        assert opened(decode(tmp_path, encoded(grey, icc_profile=profile))).getpixel((0, 0)) == (128, 128, 128)
    image = opened(decode(tmp_path, encoded(grey, icc_profile=linear_profile(srgb))))
    assert image.getpixel((0, 0))[0] == pytest.approx(188, abs=2)  # half of the light is 188 in sRGB


def linear_profile(srgb: bytes) -> bytes:
    """The sRGB profile with straight lines for its tone curves, under another name."""
    profile = bytearray(srgb)
    for index in range(struct.unpack_from(">I", profile, 128)[0]):
        name, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            profile[offset : offset + 12] = b"curv" + bytes(8)  # no points: identity
        if name == b"desc":
            profile[offset : offset + size] = bytes(profile[offset : offset + size]).replace(
                "sRGB".encode("utf-16-be"), "line".encode("utf-16-be")
            )
    return bytes(profile)


def test_nothing_of_the_metadata_is_left(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "my garden"
    exif.get_ifd(0x8825)[1] = "N"
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a secret prompt")
    info.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta/>")
    decoded = decode(tmp_path, encoded(gradient(), exif=exif, pnginfo=info, dpi=(300, 300)))
    opened(decoded)
    for secret in (b"my garden", b"secret", b"xmp", b"eXIf", b"tEXt", b"iTXt", b"pHYs"):
        assert secret not in decoded.png


def test_garbage_in_exif_hurts_nobody(tmp_path: Path) -> None:
    for garbage in (b"Exif\0\0" + b"\xff" * 200, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\0" * 60_000, b"Exif\0\0"):
        assert opened(decode(tmp_path, encoded(gradient(), "JPEG", exif=garbage))).size == (48, 32)


HUGE_TEXT = chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 100_000_000, 9))
REFUSED = {
    "empty": b"",
    "text": b"not a picture at all",
    "html": b"<!doctype html><script>alert(1)</script>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    "pdf": b"%PDF-1.7\n",
    "psd": b"8BPS" + b"\0" * 40,
    "fits": b"SIMPLE  =                    T" + b" " * 2850,
    "only a header": b"\x89PNG\r\n\x1a\n",
    "no width": png(0, 10),
    "says 4000² with ten bytes": png(4000, 4000, rows=b"\0" * 10),
    "text bomb": png(8, 8, chunks=HUGE_TEXT, rows=b"\0" * 72),
    "many texts": png(8, 8, chunks=chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 1_000_000)) * 70, rows=b"\0" * 72),
    "gif": encoded(Image.new("RGB", (9, 9)), "GIF"),
    "bmp": encoded(Image.new("RGB", (9, 9)), "BMP"),
    "tiff": encoded(Image.new("RGB", (9, 9)), "TIFF"),
    "ico": encoded(Image.new("RGB", (16, 16)), "ICO"),
    "pcx": encoded(Image.new("RGB", (9, 9)), "PCX"),
    "ppm": encoded(Image.new("RGB", (9, 9)), "PPM"),
    "jpeg 2000": encoded(Image.new("RGB", (9, 9)), "JPEG2000"),
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
def test_refuses_what_is_no_picture_of_ours(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(NotAnImage):
        decode(tmp_path, content)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("part", [0.1, 0.5])
def test_refuses_what_is_cut_off(tmp_path: Path, format: str, part: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    content = encoded(noise, format)
    with pytest.raises(NotAnImage):
        decode(tmp_path, content[: int(len(content) * part)])


@pytest.mark.parametrize(("width", "height"), [(80_000_000, 1), (1, 80_000_000), (30_000, 30_000), (13_300, 13_300)])
def test_refuses_more_than_64_megapixels_before_it_unpacks_them(tmp_path: Path, width: int, height: int) -> None:
    with pytest.raises(ImageTooLarge) as caught:
        decode(tmp_path, png(width, height, bits=1))
    assert caught.value.details == {"width": width, "height": height, "limit_megapixels": 64}


def test_takes_one_pixel_and_a_bomb_within_the_limit_without_growing(tmp_path: Path) -> None:
    assert opened(decode(tmp_path, encoded(Image.new("RGB", (1, 1), "red")))).getpixel((0, 0)) == (255, 0, 0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    decoded = decode(tmp_path, encoded(Image.new("1", (8000, 8000))))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (decoded.width, decoded.height) == (8000, 8000)
    assert after - before < 100 * 1024  # KiB


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(NotAnImage):
        asyncio.run(Decoder(tmp_path, timeout_seconds=0.01).decode_bytes(ANN, encoded(gradient())))


def test_one_at_a_time_for_each_person_and_a_line_that_ends(tmp_path: Path) -> None:
    class Counting(Decoder):
        now = 0
        most = 0

        def _decode(self, source: object) -> Decoded:
            self.now += 1
            self.most = max(self.most, self.now)
            import time

            time.sleep(0.01)
            self.now -= 1
            return Decoded(png=b"", width=1, height=1)

    decoder = Counting(tmp_path)

    async def flood() -> list[object]:
        many = [decoder.decode(ANN, io.BytesIO()) for _ in range(MAX_WAITING + 3)]
        return await asyncio.gather(*many, decoder.decode(BOB, io.BytesIO()), return_exceptions=True)

    for results in (asyncio.run(flood()) for _ in range(2)):
        assert sum(isinstance(result, Busy) for result in results) == 3
        assert isinstance(results[-1], Decoded)
    assert decoder.most <= 2  # anna's one and ben's one
    assert decoder.people_served == 0


def test_the_worker_loads_nothing_heavy() -> None:
    script = (
        "import runpy, sys; sys.argv = ['x', '/nowhere'];\n"
        "try: runpy.run_path('webui/api/bodies/decode_worker.py', run_name='__main__')\n"
        "except BaseException: pass\n"
        "print([m for m in ('torch', 'numpy', 'gradio', 'webui', 'fastapi', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
