"""A strip of previews as an animated picture. Reads only our own JPEGs."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from webui.storage.metadata import xmp

MAX_FRAMES = 150
_FRAME_MS, _LAST_MS = 120, 1600  # the last one stays for a look
_QUALITY = 85
_METHOD = 4  # of 0–6: 150 frames of 256×256 take about two seconds of a core


def animated_webp(previews: Sequence[bytes]) -> bytes:
    """An animated WebP with a frame for each of `previews` (JPEGs, at least one), all in the size of the first; it
    repeats for ever.

    If there are too many, those used are spread evenly.
    """
    frames = [Image.open(io.BytesIO(preview), formats=("JPEG",)).convert("RGB") for preview in _spread(previews)]
    frames = [frame if frame.size == frames[0].size else frame.resize(frames[0].size) for frame in frames]
    content = io.BytesIO()
    frames[0].save(
        content,
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=[_FRAME_MS] * (len(frames) - 1) + [_LAST_MS],
        loop=0,
        quality=_QUALITY,
        method=_METHOD,
        xmp=xmp().encode(),
    )
    return content.getvalue()


def _spread(previews: Sequence[bytes]) -> Sequence[bytes]:
    """All of them, or MAX_FRAMES including the first and the last."""
    if len(previews) <= MAX_FRAMES:
        return previews
    return [previews[round(i * (len(previews) - 1) / (MAX_FRAMES - 1))] for i in range(MAX_FRAMES)]
