"""Pictures of the gallery in other formats, for saving: the same pixels (JPEG and WebP lose a little), the same texts.

A1111's line goes into EXIF's UserComment, written as piexif writes it and A1111 reads it; our JSON goes into XMP, as
`darkroom:json`, beside the mark that a machine made the picture. A JPEG has room for 64 KB of each; longer texts are
left out, and reported. Reads only our own pictures: PNGs, and files that somebody put back as one of these formats.
"""

from __future__ import annotations

import html
import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Literal

from PIL import Image

from webui.errors import PictureNotFound
from webui.metadata.embedded_texts import texts_in
from webui.storage.metadata import xmp
from webui.storage.paths import StoredPath

Format = Literal["png", "jpeg", "webp"]
MEDIA_TYPES: dict[Format, str] = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
SUFFIXES: dict[Format, str] = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
DARKROOM_NAMESPACE = "https://darkroom.invalid/xmp/1.0/"  # a name and no address: `.invalid` is reserved for that
UNICODE = b"UNICODE\0"  # EXIF's code for the characters of a UserComment; the text follows in UTF-16, big end first

_JPEG_QUALITY = 92  # with colours at full resolution: what people draw has sharp edges of colour
_WEBP_QUALITY = 92
_WEBP_METHOD = 4  # of 0–6: above, a large picture takes seconds for a hundredth of its bytes
_JPEG_EXIF_BYTES = 65_533 - len(b"Exif\0\0")  # a segment's length is 16 bits and counts itself
_JPEG_XMP_BYTES = 65_533 - len(b"http://ns.adobe.com/xap/1.0/\0")
_EXIF_POINTER, _USER_COMMENT = 0x8769, 0x9286
_LONG, _UNDEFINED = 4, 7  # TIFF's types
TEXTS = ("parameters", "darkroom")  # what each of our pictures says of itself, where it has room


@dataclass(frozen=True)
class InFormat:
    """A picture as a file. `left_out`: which of TEXTS are not in it, because they are too long."""

    content: bytes
    left_out: tuple[str, ...]


def in_format(source: StoredPath, form: Literal["jpeg", "webp"]) -> InFormat:
    """The picture at `source` as a JPEG or WebP with its texts. Raises PictureNotFound if it cannot be read."""
    try:
        with source.open("rb") as file:
            texts = _texts(file, form)
            file.seek(0)
            with Image.open(file, formats=("PNG", "JPEG", "WEBP")) as image:
                picture = image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PictureNotFound(picture=source.name) from error
    exif, packet = b"Exif\0\0" + _exif(texts.get("parameters", "")), _packet(texts.get("darkroom", ""))
    content = io.BytesIO()
    if form == "jpeg":
        picture.save(content, "JPEG", quality=_JPEG_QUALITY, subsampling="4:4:4", exif=exif, xmp=packet)
    else:
        picture.save(content, "WEBP", quality=_WEBP_QUALITY, method=_WEBP_METHOD, exif=exif, xmp=packet)
    return InFormat(content.getvalue(), _missing(texts))


def left_out(source: StoredPath, form: Format) -> tuple[str, ...]:
    """Which of TEXTS the picture at `source` would lack in that format; reads no pixels. Raises PictureNotFound."""
    try:
        with source.open("rb") as file:
            return _missing(_texts(file, form))
    except OSError as error:
        raise PictureNotFound(picture=source.name) from error


def _texts(file: BinaryIO, form: Format) -> Mapping[str, str]:
    """Those of TEXTS that exist and fit."""
    found = {text.name: text.text for text in texts_in(file)}
    texts = {"parameters": found.get("parameters") or found.get("UserComment"), "darkroom": found.get("darkroom")}
    return {name: text for name, text in texts.items() if text and (form != "jpeg" or _fits_jpeg(name, text))}


def _fits_jpeg(name: str, text: str) -> bool:
    if name == "parameters":
        return len(_exif(text)) <= _JPEG_EXIF_BYTES
    return len(_packet(text)) <= _JPEG_XMP_BYTES


def _missing(texts: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in TEXTS if name not in texts)


def _packet(text: str) -> bytes:
    if not text:
        return xmp().encode()
    escaped = html.escape(text, quote=False)
    return xmp(f'<darkroom:json xmlns:darkroom="{DARKROOM_NAMESPACE}">{escaped}</darkroom:json>').encode()


def _exif(comment: str) -> bytes:
    """A TIFF structure with only the EXIF directory, and in that only the UserComment.

    It is written by hand, because Pillow gives the comment a numeric type, which piexif does not read as text.
    """
    value = UNICODE + comment.encode("utf-16-be")
    directory, entry = struct.Struct(">H"), struct.Struct(">HHLL")
    size = directory.size + entry.size + 4  # the count, one entry, and where the next directory is: nowhere
    first, second = 8, 8 + size
    pointer = directory.pack(1) + entry.pack(_EXIF_POINTER, _LONG, 1, second) + bytes(4)
    described = directory.pack(1) + entry.pack(_USER_COMMENT, _UNDEFINED, len(value), second + size) + bytes(4)
    return b"MM\0*" + struct.pack(">L", first) + pointer + described + value
