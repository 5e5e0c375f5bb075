"""Pictures of the gallery in other formats, for saving: the same pixels (JPEG and WebP lose a little), the same texts.

A1111's line goes into EXIF's UserComment, written as piexif writes it and A1111 reads it; our JSON into XMP, as
`darkroom:json`, beside the mark that a machine made the picture. A JPEG has room for 64 KB of each: what is longer than
that is left out, and the log says so. Reads our own pictures alone: PNGs, and what somebody put back as one of these.
"""

from __future__ import annotations

import html
import io
import logging
import struct
from typing import Literal

from PIL import Image

from webui.errors import PictureNotFound
from webui.metadata.embedded_texts import texts_in
from webui.storage.metadata import MAX_METADATA_BYTES, xmp
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
log = logging.getLogger(__name__)


def in_format(source: StoredPath, form: Literal["jpeg", "webp"]) -> bytes:
    """The picture at `source` as a JPEG or WebP with its texts. Raises PictureNotFound where it cannot be read."""
    try:
        with source.open("rb") as file:
            texts = {text.name: text.text for text in texts_in(file)}
            file.seek(0)
            with Image.open(file, formats=("PNG", "JPEG", "WEBP")) as image:
                picture = image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PictureNotFound(picture=source.name) from error
    parameters = texts.get("parameters") or texts.get("UserComment", "")
    exif, packet = _exif(parameters), _packet(texts.get("darkroom", ""))
    content = io.BytesIO()
    if form == "jpeg":
        exif = exif if len(exif) <= _JPEG_EXIF_BYTES else _left_out("parameters", _exif(""))
        packet = packet if len(packet) <= _JPEG_XMP_BYTES else _left_out("darkroom", _packet(""))
        picture.save(content, "JPEG", quality=_JPEG_QUALITY, subsampling="4:4:4", exif=b"Exif\0\0" + exif, xmp=packet)
    else:
        picture.save(content, "WEBP", quality=_WEBP_QUALITY, method=_WEBP_METHOD, exif=b"Exif\0\0" + exif, xmp=packet)
    return content.getvalue()


def _left_out(name: str, without: bytes) -> bytes:
    log.warning("left %s out of a JPEG: no room", name)
    return without


def _packet(text: str) -> bytes:
    if not text or len(text.encode()) > MAX_METADATA_BYTES:
        return xmp().encode()
    escaped = html.escape(text, quote=False)
    return xmp(f'<darkroom:json xmlns:darkroom="{DARKROOM_NAMESPACE}">{escaped}</darkroom:json>').encode()


def _exif(comment: str) -> bytes:
    """A TIFF structure with nothing in it but the EXIF directory, and in that nothing but the UserComment.

    By hand, for Pillow writes the comment with the type of numbers, which piexif does not read as text.
    """
    value = UNICODE + comment.encode("utf-16-be")
    directory, entry = struct.Struct(">H"), struct.Struct(">HHLL")
    size = directory.size + entry.size + 4  # the count, one entry, and where the next directory is: nowhere
    first, second = 8, 8 + size
    pointer = directory.pack(1) + entry.pack(_EXIF_POINTER, _LONG, 1, second) + bytes(4)
    described = directory.pack(1) + entry.pack(_USER_COMMENT, _UNDEFINED, len(value), second + size) + bytes(4)
    return b"MM\0*" + struct.pack(">L", first) + pointer + described + value
