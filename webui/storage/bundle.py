"""Many pictures as one zip, made while it is sent: only the part being sent is in memory, and nothing is on the disk.

PNG, JPEG and WebP are not compressed again. The last entry, `metadata.json`, says what made each picture and names
those that could not be read. The pictures contain the same texts, except for those that are too long for their format,
which it names, too.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from webui.errors import PictureNotFound
from webui.storage.formats import SUFFIXES, Format, in_format, left_out
from webui.storage.pictures import Picture

MAX_PICTURES = 2000
MAX_BYTES = 8 * 2**30
METADATA_NAME = "metadata.json"
_CHUNK_BYTES = 2**20
_OLDEST = (1980, 1, 1, 0, 0, 0)  # of a zip's own clock
_MAX_NAME_CHARACTERS = 100


def zip_of(pictures: Sequence[Picture], boards: Mapping[str, Sequence[str]], form: Format) -> Iterator[bytes]:
    """The zip's bytes. `boards` has the names of the boards by the picture's id; `form` is the
    format of the pictures.
    """
    pipe = _Pipe()
    said: list[dict[str, Any]] = []
    taken: set[str] = {METADATA_NAME}
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as bundle:  # which notices that it cannot go back in a pipe
        for picture in pictures:
            found = _content(picture, form)
            name = None if found is None else _free_name(_name(picture, form), taken)
            if found is not None and name is not None:
                with found.file as content, bundle.open(_entry(name, picture.created), "w") as entry:
                    while chunk := content.read(_CHUNK_BYTES):
                        entry.write(chunk)
                        yield pipe.take()
            said.append(_said(picture, name, found, boards.get(picture.id, ())))
        text = json.dumps(said, ensure_ascii=False, indent=1)
        bundle.writestr(_entry(METADATA_NAME, datetime.now().timestamp()), text)
    yield pipe.take()


class _Pipe(io.RawIOBase):
    """Holds what is written until somebody takes it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """Always true: it can be written to, and nothing else."""
        return True

    def write(self, content: Any) -> int:
        """See io.RawIOBase."""
        self._parts.append(bytes(content))
        return len(content)

    def take(self) -> bytes:
        """What was written since the last call."""
        content, self._parts = b"".join(self._parts), []
        return content


@dataclass(frozen=True)
class _Content:
    """A picture's file, and the texts that are too long to be in it."""

    file: BinaryIO
    left_out: Sequence[str]


def _content(picture: Picture, form: Format) -> _Content | None:
    """None if the file is gone, or cannot be converted to that format."""
    try:
        if form == "png" or picture.path.suffix.lower() == SUFFIXES[form]:
            missing = left_out(picture.path, "png")  # nothing more than what it lacks already
            return _Content(picture.path.open("rb"), missing)  # as it lies
        made = in_format(picture.path, form)
        return _Content(io.BytesIO(made.content), made.left_out)
    except (OSError, PictureNotFound):
        return None


def _name(picture: Picture, form: Format) -> str:
    """Day and file; only letters, digits, dots, dashes and underscores, whatever the file itself is called."""
    suffix = picture.path.suffix.lower() if form == "png" else SUFFIXES[form]
    plain = [
        re.sub(r"[^A-Za-z0-9._-]+", "_", part).strip("._") for part in (picture.path.parent.name, picture.path.stem)
    ]
    return f"{plain[0][:_MAX_NAME_CHARACTERS] or 'day'}/{plain[1][:_MAX_NAME_CHARACTERS] or 'picture'}{suffix}"


def _free_name(name: str, taken: set[str]) -> str:
    """The name, or a similar one that is not taken yet, even on disks that treat `A` and `a` as the same."""
    path = PurePosixPath(name)
    free, number = name, 1
    while free.lower() in taken:
        number += 1
        free = f"{path.parent}/{path.stem}-{number}{path.suffix}"
    taken.add(free.lower())
    return free


def _entry(name: str, moment: float) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, max(_OLDEST, datetime.fromtimestamp(moment).timetuple()[:6]))
    entry.external_attr = 0o644 << 16  # readable by everybody once it is unpacked
    return entry


def _said(picture: Picture, name: str | None, found: _Content | None, boards: Sequence[str]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "file": name,
        "id": picture.id,
        "created": datetime.fromtimestamp(picture.created).astimezone().isoformat(timespec="seconds"),
        "seed": picture.seed,
        "width": picture.width,
        "height": picture.height,
        "starred": picture.starred,
        "boards": list(boards),
        "request": picture.request,
    }
    if found is None:
        return {**said, "missing": "the file cannot be read"}
    return {**said, "left_out": list(found.left_out)} if found.left_out else said
