"""Small WebPs of pictures, made once and kept. They can all be deleted at any time."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageOps

from webui.errors import PictureNotFound
from webui.storage.files import write_atomically
from webui.storage.paths import StoredPath

SIZES = (128, 256, 512, 1024)  # longest side, pixels; few, so that nobody can fill the disk by asking for every number
Shrink = Callable[[StoredPath, int], bytes]
_QUALITY = 82  # no artefacts to see at thumbnail size, a fifth of the PNG's bytes
_METHOD = 2  # WebP's effort of 0–6: larger takes longer and saves little on small pictures


class Thumbnails:
    """`<folder>/<first two of the name>/<name>-<size>.webp`; names are ids or hashes, safe in a path."""

    def __init__(self, folder: StoredPath) -> None:
        self.folder = folder

    def path(self, name: str, source: StoredPath, size: int, shrink: Shrink | None = None) -> StoredPath:
        """The thumbnail of `source`; its longest side is the smallest of SIZES that is not below `size`, but never
        enlarged.

        `shrink(source, longest side)` makes the WebP if the source is too large to be opened here. Raises
        PictureNotFound if the source is missing or cannot be read; DiskFull, FolderNotWritable.
        """
        wanted = next((known for known in SIZES if known >= size), SIZES[-1])
        target = self._target(name, wanted)
        if not target.is_file():
            write_atomically(target, shrink(source, wanted) if shrink else shrunk(name, source, wanted))
        return target

    def forget(self, name: str) -> None:
        """Removes all sizes of one picture."""
        for size in SIZES:
            self._target(name, size).unlink(missing_ok=True)

    def _target(self, name: str, size: int) -> StoredPath:
        return self.folder / name[:2] / f"{name}-{size}.webp"


def shrunk(name: str, source: Path | StoredPath, size: int) -> bytes:
    """The picture `source` as WebP, at most `size` pixels long, never enlarged.

    Raises PictureNotFound, which names it `name`, where it is missing or cannot be read.
    """
    try:
        with source.open("rb") as file, Image.open(file, formats=("PNG", "JPEG", "WEBP")) as image:
            small = ImageOps.contain(image, (size, size)) if max(image.size) > size else image.copy()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PictureNotFound(picture=name) from error
    content = io.BytesIO()
    small.convert("RGBA" if small.has_transparency_data else "RGB").save(
        content, "WEBP", quality=_QUALITY, method=_METHOD
    )
    return content.getvalue()
