"""The few texts of an EXIF block (a TIFF structure) that generators write: UserComment, and ComfyUI's two tags.

Every offset and count is checked against the block. The camera and the location are never read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from webui.encodings import decoded, utf8_or

MAX_ENTRIES = 256  # of one directory; a camera's has about forty
_EXIF_POINTER, _USER_COMMENT = 0x8769, 0x9286
# ComfyUI writes `workflow:{…}` into Make and `prompt:{…}` into Model of a WebP; others a text into the description.
_COMFYUI_TAGS = {0x010F: "Make", 0x0110: "Model"}
_IMAGE_DESCRIPTION = 0x010E
_ONE_BYTE_TYPES = (1, 2, 7)  # BYTE, ASCII, UNDEFINED


def exif_texts(tiff: bytes) -> Iterator[tuple[str, str]]:
    """(name, text) of each; nothing for a block that makes no sense."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return
    (first,) = struct.unpack_from(f"{order}L", tiff, 4)
    for tag, kind, value in _entries(tiff, order, first):
        if tag == _EXIF_POINTER and kind == 4:
            (second,) = struct.unpack(f"{order}L", value)
            for inner, _, comment in _entries(tiff, order, second):
                if inner == _USER_COMMENT:
                    yield "UserComment", _user_comment(comment, order)
        elif tag == _USER_COMMENT:  # Fooocus writes it here, where it does not belong
            yield "UserComment", _user_comment(value, order)
        elif tag in _COMFYUI_TAGS and kind == 2:
            name, colon, text = value.rstrip(b"\0").decode("utf-8", "replace").partition(":")
            if colon and name in ("prompt", "workflow"):
                yield name, text
        elif tag == _IMAGE_DESCRIPTION and kind == 2:
            yield "ImageDescription", utf8_or(value.rstrip(b"\0"), "latin-1")


def _entries(tiff: bytes, order: str, at: int) -> Iterator[tuple[int, int, bytes]]:
    """Tag, type and value of those entries of the directory at `at` whose values are bytes or one offset."""
    if at + 2 > len(tiff):
        return
    (count,) = struct.unpack_from(f"{order}H", tiff, at)
    for index in range(min(count, MAX_ENTRIES)):
        place = at + 2 + 12 * index
        if place + 12 > len(tiff):
            return
        tag, kind, length = struct.unpack_from(f"{order}HHL", tiff, place)
        if kind == 4 and length == 1:
            yield tag, kind, tiff[place + 8 : place + 12]
        elif kind in _ONE_BYTE_TYPES:
            start = place + 8 if length <= 4 else struct.unpack_from(f"{order}L", tiff, place + 8)[0]
            if start + length <= len(tiff):
                yield tag, kind, tiff[start : start + length]


def _user_comment(value: bytes, order: str) -> str:
    """The comment. Its first eight bytes name the encoding, on which writers do not agree: UTF-16 occurs in either byte
    order whatever the block's own, and UTF-8 under every name.
    """
    code, text = value[:8], value[8:]
    utf16 = ("utf-16-be", "utf-16-le") if order == ">" else ("utf-16-le", "utf-16-be")
    if code == b"UNICODE\0":
        found = decoded(text, (*utf16, "utf-8"))
    elif code == b"JIS\0\0\0\0\0":
        found = decoded(text, ("iso2022_jp", "shift_jis", "utf-8"))
    elif code in (b"ASCII\0\0\0", bytes(8)):
        found = decoded(text, ("utf-8", *utf16, "latin-1"))
    else:
        found = decoded(value, ("utf-8", *utf16, "latin-1"))
    return found.rstrip("\0")
