"""Bad and odd pictures, by name: what a stranger, a broken disk or a clever file can put before us. Made here, byte by
byte where an ordinary program would refuse.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from tests.metadata.files import SIGNATURE, chunk

MEGABYTE = 2**20


def plain(form: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    """A small picture with something in it."""
    image = Image.new("RGB", size, "teal")
    ImageDraw.Draw(image).ellipse((8, 8, 40, 40), fill="orange")
    content = io.BytesIO()
    image.convert(mode).save(content, form, **options)  # type: ignore[arg-type]
    return content.getvalue()


def png_header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """The beginning of a PNG that says to be this large."""
    return SIGNATURE + chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, 0))


def empty_png(width: int, height: int, depth: int = 1, colour: int = 0) -> bytes:
    """A whole PNG of this size, all zero: a few kilobytes, whatever it unpacks to."""
    row = bytes(1 + (width * depth + 7) // 8)
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(row * 64) for _ in range(height // 64)) + packer.compress(row * (height % 64))
    return png_header(width, height, depth, colour) + chunk(b"IDAT", pixels + packer.flush()) + chunk(b"IEND", b"")


def with_chunks(*chunks: bytes) -> bytes:
    """A sound PNG with these before its pixels."""
    content = plain()
    return content[:33] + b"".join(chunks) + content[33:]


def _moving(form: str, frames: int) -> bytes:
    images = [Image.new("RGB", (16, 16), (n % 256, 0, n // 256)) for n in range(frames)]
    content = io.BytesIO()
    images[0].save(content, form, save_all=True, append_images=images[1:])
    return content.getvalue()


def _with_texts(**texts: str) -> bytes:
    info = PngInfo()
    for name, text in texts.items():
        info.add_itxt(name, text)
    return plain(pnginfo=info)


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def _lying_chunk(kind: bytes, said_bytes: int) -> bytes:
    return SIGNATURE + plain()[8:33] + chunk(kind, b"little", length=said_bytes)


_WHOLE: dict[str, Callable[[], bytes]] = {
    "one pixel": lambda: plain(size=(1, 1)),
    "CMYK JPEG": lambda: plain("JPEG", "CMYK"),
    "16-bit grey": lambda: plain(mode="I;16"),
    "palette": lambda: plain(mode="P", transparency=0),
    "grey with alpha": lambda: plain(mode="LA"),
    "progressive JPEG": lambda: plain("JPEG", progressive=True),
    "APNG": lambda: _moving("PNG", 20),
    "animated WebP": lambda: _moving("WEBP", 20),
    "EXIF of garbage": lambda: plain("JPEG", exif=b"Exif\0\0" + b"\xde\xad" * 30_000),
    "broken ICC profile": lambda: plain(icc_profile=b"no profile" * 100),
    "script in a text": lambda: _with_texts(**{"darkroom": "<script>alert(1)</script>", "<img onerror>": "x"}),
    "lone bytes in a text": lambda: with_chunks(
        chunk(b"tEXt", b"parameters\0\xff\xfe\x00\xd8"), chunk(b"iTXt", b"x\0")
    ),
    "a text of 20 MB": lambda: with_chunks(chunk(b"tEXt", b"parameters\0" + bytes(20 * MEGABYTE))),
    "a foreign chunk of 50 MB": lambda: with_chunks(chunk(b"prVt", bytes(50 * MEGABYTE))),
    "our texts, 3 MB of them": lambda: _with_texts(darkroom='{"request": {"prompt": "' + "x" * 3 * MEGABYTE + '"}}'),
    "our texts, nested deep": lambda: _with_texts(darkroom='{"request": ' + "[" * 90_000 + "]" * 90_000 + "}"),
    "our texts with numbers beyond JSON": lambda: _with_texts(darkroom='{"request": {"steps": NaN}, "seed": 1e999}'),
}
_BROKEN: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "a text that unpacks to 100 MB": lambda: with_chunks(
        chunk(b"zTXt", b"parameters\0\0" + zlib.compress(bytes(100 * MEGABYTE), 9))
    ),
    "70 texts that unpack to 1 MB each": lambda: with_chunks(
        *[chunk(b"zTXt", b"parameters\0\0" + zlib.compress(bytes(MEGABYTE), 9))] * 70
    ),
    "a profile that unpacks to 50 MB": lambda: with_chunks(
        chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(50 * MEGABYTE), 9))
    ),
    "seven bytes": lambda: SIGNATURE[:7],
    "HTML": lambda: b"<!doctype html><script>alert(1)</script>",
    "SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "a checksum that is wrong": lambda: _flipped(plain(), 30),
    "a header that lies": lambda: (
        png_header(7000, 7000) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    ),
    "no height": lambda: png_header(10, 0) + chunk(b"IEND", b""),
    "a chunk that says 2 GB": lambda: _lying_chunk(b"tEXt", 2**31 - 1),
    "80 million pixels in one row": lambda: png_header(80_000_000, 1) + chunk(b"IDAT", zlib.compress(b"\0")),
    "13300² in one bit": lambda: empty_png(13_300, 13_300),
    "30000²": lambda: png_header(30_000, 30_000) + chunk(b"IDAT", zlib.compress(b"\0")),
    "GIF": lambda: _moving("GIF", 300),
    "TIFF": lambda: plain("TIFF"),
    "BMP": lambda: plain("BMP"),
    "ICO": lambda: plain("ICO"),
    "PCX": lambda: plain("PCX"),
    "EPS": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (w) file\n",
    "PDF": lambda: b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n",
    "PSD": lambda: b"8BPS\0\1" + bytes(6) + struct.pack(">HLLHH", 3, 9, 9, 8, 3),
    "FITS": lambda: b"SIMPLE  =                    T".ljust(2880),
    "AVIF": lambda: b"\0\0\0\x1cftypavif" + bytes(100),
    **{
        f"{form} cut off at {part} %": lambda form=form, part=part: plain(form)[: len(plain(form)) * part // 100]
        for form in ("PNG", "JPEG", "WEBP")
        for part in (10, 50)
    },
}


def whole() -> dict[str, Callable[[], bytes]]:
    """Pictures that are odd, but pictures: those that can be shown."""
    return dict(_WHOLE)


def broken() -> dict[str, Callable[[], bytes]]:
    """What is no picture of ours, or is not whole."""
    return dict(_BROKEN)


def damages() -> dict[str, Callable[[bytes], bytes]]:
    """What can happen to a good file on a disk, by what it does to its bytes."""
    return {
        "gone to nothing": lambda content: b"",
        "cut off at 10 %": lambda content: content[: len(content) // 10],
        "cut off at 50 %": lambda content: content[: len(content) // 2],
        "cut off at 99 %": lambda content: content[: len(content) * 99 // 100],
        "zeros in the middle": lambda content: content[: len(content) // 2] + bytes(len(content) - len(content) // 2),
        "a bit of the header": lambda content: _flipped(content, 19),
        "a bit of the pixels": lambda content: _flipped(content, len(content) - 40),
        "another file": lambda content: b"<!doctype html>" + content,
        "a foreign chunk of 100 MB": lambda content: (
            content[:33] + chunk(b"prVt", bytes(100 * MEGABYTE)) + content[33:]
        ),
        "a size that lies": lambda content: png_header(20_000, 20_000) + content[33:],
    }
