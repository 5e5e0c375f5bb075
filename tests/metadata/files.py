"""Pictures with texts in them, built byte by byte where an ordinary program would refuse."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image
from PIL.PngImagePlugin import PngInfo

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, content: bytes, length: int | None = None) -> bytes:
    """A chunk of a PNG, which may lie about its `length`."""
    head = struct.pack(">L", len(content) if length is None else length) + kind
    return head + content + struct.pack(">L", zlib.crc32(kind + content))


def png(*chunks: bytes) -> bytes:
    """A PNG with these chunks before its pixels."""
    plain = io.BytesIO()
    Image.new("RGB", (8, 8)).save(plain, "PNG")
    content = plain.getvalue()
    return content[:33] + b"".join(chunks) + content[33:]


def png_with(**texts: str) -> bytes:
    """A PNG as Pillow writes it, with these texts."""
    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "PNG", pnginfo=info)
    return content.getvalue()


def tiff(order: str, comment: bytes, kind: int = 7) -> bytes:
    """An EXIF block with nothing but a UserComment; `order` is < or >."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    pointer = struct.pack(f"{order}LHHHLLL", 8, 1, 0x8769, 4, 1, 26, 0)
    return start + pointer + struct.pack(f"{order}HHHLLL", 1, 0x9286, kind, len(comment), 44, 0) + comment


def with_exif(form: str, exif: bytes) -> bytes:
    """A JPEG or WebP with this block."""
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, form, exif=b"Exif\0\0" + exif)
    return content.getvalue()
