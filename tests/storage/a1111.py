"""How A1111 reads a line of infotext and a picture's EXIF, by the rules of its `parse_generation_parameters` and of
piexif, written anew: what a test reads with this, they read too."""

from __future__ import annotations

import json
import re
import struct

# A name of at least two signs, a colon, then a JSON string or all up to a comma.
_PAIR = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_SIZE = re.compile(r"(\d+)x(\d+)")
_LEAST_PAIRS = 3  # in a last line that is no part of the prompt


def read_infotext(text: str) -> dict[str, str]:
    """What A1111 finds: `Prompt`, `Negative prompt` and the pairs; a size as `Size-1` and `Size-2`."""
    lines = text.strip().split("\n")
    pairs = _PAIR.findall(lines[-1])
    if len(pairs) >= _LEAST_PAIRS:
        lines.pop()
    else:
        pairs = []
    parts: dict[str, list[str]] = {"Prompt": [], "Negative prompt": []}
    part = "Prompt"
    for line in (line.strip() for line in lines):
        if line.startswith("Negative prompt:"):
            part, line = "Negative prompt", line.removeprefix("Negative prompt:").strip()
        if line or parts[part]:
            parts[part].append(line)
    found = {name: "\n".join(lines) for name, lines in parts.items()}
    for name, said in pairs:
        value = _unquoted(said)
        if size := _SIZE.fullmatch(value):
            found[f"{name}-1"], found[f"{name}-2"] = size.groups()
        elif value:
            found[name] = value
    return found


def _unquoted(value: str) -> str:
    if not (value.startswith('"') and value.endswith('"')):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value


def read_user_comment(exif: bytes) -> str:
    """EXIF's UserComment, of type 7, in the code that its first eight bytes name."""
    tiff = exif.removeprefix(b"Exif\0\0")  # which a WebP's has not
    assert tiff.startswith(b"MM\0*")
    kind, count, at = _entry(tiff, 8, 0x8769)
    assert (kind, count) == (4, 1)
    kind, count, at = _entry(tiff, at, 0x9286)
    assert kind == 7, "piexif would read numbers"
    value = tiff[at : at + count]
    assert value[:8] == b"UNICODE\0"
    return value[8:].decode("utf-16-be")


def _entry(tiff: bytes, at: int, tag: int) -> tuple[int, int, int]:
    """Type, count and offset of `tag` in the directory at `at`."""
    (entries,) = struct.unpack_from(">H", tiff, at)
    for index in range(entries):
        found, kind, count, offset = struct.unpack_from(">HHLL", tiff, at + 2 + 12 * index)
        if found == tag:
            return kind, count, offset
    raise AssertionError(f"no tag {tag:#x}")
