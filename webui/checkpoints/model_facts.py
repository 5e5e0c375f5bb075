"""What the header of a model's file says of it, and the small files that other programs put beside it.

Trigger words, licence and thumbnail come from the metadata of the ModelSpec and of kohya's trainer, from
AUTOMATIC1111's `<name>.json` and from Civitai's `<name>.civitai.info`. Reads no weights. Knows no torch.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webui.checkpoints.safetensors_header import Header

# As requests and the page name number types, by the format's own names.
_DTYPES = {
    "F64": "fp64",
    "F32": "fp32",
    "F16": "fp16",
    "BF16": "bf16",
    "F8_E4M3": "fp8",
    "F8_E5M2": "fp8",
    "I8": "int8",
}
MAX_WORDS, MAX_WORD_CHARACTERS = 8, 200
MAX_BESIDE_BYTES = 2**20
MAX_PREVIEW_BYTES = 8 * 2**20
_THUMBNAIL = "modelspec.thumbnail"
_PREVIEWS = tuple(f"{middle}.{suffix}" for middle in (".preview", "") for suffix in ("png", "jpg", "jpeg", "webp"))
_DATA_URI = re.compile(r"data:image/(?:png|jpe?g|webp);base64,")
_FRONT_LICENSE = re.compile(r"\A---\n(?:.*\n)*?license:[ \t]*([\w.+-]{1,80})[ \t]*\n")
_REPEATS = re.compile(r"\d+_")  # kohya's folders begin with how often each picture is seen


@dataclass(frozen=True, kw_only=True)
class Words:
    """What to write in a prompt so that a LoRA shows, and how strongly its maker would use it."""

    trigger: tuple[str, ...] = ()
    weight: float | None = None


def dtype_of(headers: Iterable[Header]) -> str | None:
    """The number type that most bytes of the weights have."""
    sizes: Counter[str] = Counter()
    for header in headers:
        for info in header.tensors.values():
            sizes[info.dtype] += info.end - info.start
    return _DTYPES.get(found := sizes.most_common(1)[0][0], found.casefold()) if sizes else None


def license_of(metadata: Mapping[str, str], folder: Path | None = None) -> str | None:
    """What the file says; else what a diffusers folder's README says at its head."""
    said = metadata.get("modelspec.license", "").strip()[:MAX_WORD_CHARACTERS]
    if said or folder is None:
        return said or None
    found = _FRONT_LICENSE.match(_text(folder / "README.md"))
    return found[1] if found else None


def words_of(path: Path, metadata: Mapping[str, str]) -> Words:
    """The words that a LoRA or an embedding is used with."""
    beside = read_beside(path, ".json")
    weight = beside.get("preferred weight")
    weight = float(weight) if isinstance(weight, int | float) and 0 < weight <= 10 else None
    sources = (
        _split(beside.get("activation text")),
        _split(metadata.get("modelspec.trigger_phrase")),
        _split(read_beside(path, ".civitai.info").get("trainedWords")),
        _most_used_tags(metadata),
    )
    return Words(trigger=next(filter(None, sources), ()), weight=weight)


def preview_of(path: Path, metadata: Mapping[str, str]) -> bytes | None:
    """The picture beside a model or in its metadata, as it is; None without one, or with one that is too large."""
    for ending in _PREVIEWS:
        beside = path.with_name(path.stem + ending)
        try:
            if 0 < beside.stat().st_size <= MAX_PREVIEW_BYTES:
                return beside.read_bytes()
        except OSError:
            continue
    said = metadata.get(_THUMBNAIL, "")
    if (found := _DATA_URI.match(said[:40])) and len(said) <= MAX_PREVIEW_BYTES:
        try:
            return base64.b64decode(said[found.end() :], validate=True)
        except binascii.Error:
            return None
    return None


def picture_type(content: bytes) -> str | None:
    """The media type of a PNG, JPEG or WebP, by how it begins; None for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None


def has_preview(path: Path, metadata: Mapping[str, str], names: frozenset[str]) -> bool:
    """Whether `preview_of` may find one; `names` are those of the files beside it."""
    return _THUMBNAIL in metadata or any(path.stem + ending in names for ending in _PREVIEWS)


def _most_used_tags(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The tags that were on the most training pictures, or else the name of the folder that these lay in."""
    counts: Counter[str] = Counter()
    for tags in _object(metadata.get("ss_tag_frequency")).values():
        for tag, count in tags.items() if isinstance(tags, dict) else ():
            if isinstance(count, int) and isinstance(tag, str):
                counts[tag.strip()] += count
    if counts:
        return _split([tag for tag, _ in counts.most_common(MAX_WORDS // 2)])
    return _split([_REPEATS.sub("", name) for name in _object(metadata.get("ss_dataset_dirs"))])


def _split(said: Any) -> tuple[str, ...]:
    """Words from a text with commas or a list of texts, each once."""
    texts = said if isinstance(said, list) else [said]
    words = [word.strip() for text in texts if isinstance(text, str) for word in text.split(",")]
    return tuple(dict.fromkeys(word[:MAX_WORD_CHARACTERS] for word in words if word))[:MAX_WORDS]


def _object(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read_beside(path: Path, ending: str) -> dict[str, Any]:
    """The JSON object in the file beside a model that is named as it is, with another ending; empty without one."""
    return _object(_text(path.with_name(path.stem + ending)))


def _text(path: Path) -> str:
    """A small file's text; nothing where it is not there or cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BESIDE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
