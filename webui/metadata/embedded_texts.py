"""The texts in a PNG, JPEG or WebP, found without decoding a pixel and without trusting a length.

Whatever is not text is skipped and never read, however long it claims to be. What is read is limited, each text and all
together, also after decompression. Only reading the file itself raises; what makes no sense is left out. Knows which
places of a file hold texts, not what they mean.
"""

from __future__ import annotations

import html
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from webui.encodings import utf8_or
from webui.metadata.exif import exif_texts
from webui.requests.field_types import clean_text

MAX_TEXT_BYTES = 2 * 2**20  # ComfyUI's largest workflows are about one megabyte
MAX_ALL_BYTES = 4 * 2**20
MAX_TEXTS = 32
MAX_CHUNKS = 20_000  # libpng cuts pixels into pieces of 8 KB: 160 MB of them
MAX_NAME_CHARACTERS = 79  # of PNG's keywords

_PNG = b"\x89PNG\r\n\x1a\n"
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_OUR_JSON = re.compile(r"<darkroom:json\b[^<>]{0,200}>([^<]*)</darkroom:json>")  # as `storage/formats.py` writes it


@dataclass(frozen=True)
class Text:
    """A text and the name of its place: PNG's keyword, EXIF's tag, `XMP`, `Comment`; `darkroom` is
    ours in any format.
    """

    name: str
    text: str


def is_known_picture(source: BinaryIO) -> bool:
    """Whether the file begins like a PNG, JPEG or WebP."""
    source.seek(0)
    return _reader(source.read(12)) is not None


def texts_in(source: BinaryIO) -> tuple[Text, ...]:
    """All texts of the picture in `source`, which must be able to seek; none if it is not a PNG, JPEG or WebP."""
    source.seek(0)
    reader = _reader(source.read(12))
    kept: list[Text] = []
    left = MAX_ALL_BYTES
    for name, text in islice(reader(source), MAX_TEXTS) if reader else ():
        left -= len(text)
        if left < 0:
            break
        kept.append(Text(clean_text(name)[:MAX_NAME_CHARACTERS], clean_text(text)))
    return tuple(kept)


def _reader(start: bytes) -> Callable[[BinaryIO], Iterator[tuple[str, str]]] | None:
    """The function that reads a file with this beginning."""
    if start.startswith(_PNG):
        return _png_texts
    if start.startswith(b"\xff\xd8\xff"):
        return _jpeg_texts
    return _webp_texts if start.startswith(b"RIFF") and start[8:12] == b"WEBP" else None


def _png_texts(source: BinaryIO) -> Iterator[tuple[str, str]]:
    source.seek(len(_PNG))
    for _ in range(MAX_CHUNKS):
        head = source.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind in (b"tEXt", b"zTXt", b"iTXt", b"eXIf") and length <= MAX_TEXT_BYTES:
            content = source.read(length)
            source.seek(4, 1)  # the checksum: a text with a wrong one is still a text
            yield from exif_texts(content) if kind == b"eXIf" else _png_text(kind, content)
        else:
            source.seek(length + 4, 1)


def _png_text(kind: bytes, content: bytes) -> Iterator[tuple[str, str]]:
    keyword, _, rest = content.partition(b"\0")
    name = utf8_or(keyword[:MAX_NAME_CHARACTERS], "latin-1")
    text: bytes | None
    if kind == b"iTXt":
        is_compressed, rest = rest[:1] == b"\1", rest[2:]
        text = rest.split(b"\0", 2)[-1] if rest.count(b"\0") >= 2 else None  # after language and translated keyword
        text = _inflated(text) if is_compressed and text is not None else text
    else:
        text = rest if kind == b"tEXt" else _inflated(rest[1:])
    if text is not None:
        # tEXt is Latin-1 by the standard, and UTF-8 with many who write it
        decoded = utf8_or(text, "latin-1")
        yield from _xmp_texts(decoded) if name == "XML:com.adobe.xmp" else [(name, decoded)]


def _inflated(content: bytes) -> bytes | None:
    """The decompressed text; None if it is damaged, or longer than any text may be."""
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(content, MAX_TEXT_BYTES)
    except zlib.error:
        return None
    return text if inflate.eof else None


def _jpeg_texts(source: BinaryIO) -> Iterator[tuple[str, str]]:
    source.seek(2)
    for _ in range(MAX_CHUNKS):
        head = source.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xD9, 0xDA):  # the end, or the beginning of the pixels
            return
        (length,) = struct.unpack(">H", head[2:])
        if head[1] not in (0xE1, 0xFE) or length < 2:
            source.seek(max(0, length - 2), 1)
            continue
        content = source.read(length - 2)
        if head[1] == 0xFE:
            yield "Comment", utf8_or(content, "latin-1")
        elif content.startswith(_EXIF):
            yield from exif_texts(content.removeprefix(_EXIF))
        elif content.startswith(_XMP):
            yield from _xmp_texts(content.removeprefix(_XMP).decode("utf-8", "replace"))


def _webp_texts(source: BinaryIO) -> Iterator[tuple[str, str]]:
    source.seek(12)
    for _ in range(MAX_CHUNKS):
        head = source.read(8)
        if len(head) < 8:
            return
        length = int.from_bytes(head[4:], "little")
        padded = length + length % 2
        if head[:4] not in (b"EXIF", b"XMP ") or length > MAX_TEXT_BYTES:
            source.seek(padded, 1)
            continue
        content = source.read(padded)[:length]
        if head[:4] == b"EXIF":
            yield from exif_texts(content.removeprefix(_EXIF))
        else:
            yield from _xmp_texts(content.decode("utf-8", "replace"))


def _xmp_texts(packet: str) -> Iterator[tuple[str, str]]:
    """Our own JSON if it is there, else the packet itself, which nobody parses as XML here."""
    if found := _OUR_JSON.search(packet):
        yield "darkroom", html.unescape(found[1])
    else:
        yield "XMP", packet
