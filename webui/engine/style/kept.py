"""The averaged picture of the style transfer that was stopped last, so that keeping it needs no computation.

It is a single picture in the worker's memory. Any other iteration can be kept, too, but has to be computed again: the
same request up to that iteration gives the same picture.
"""

from __future__ import annotations

import dataclasses

from webui.requests.style_transfer import StyleTransfer
from webui.worker.messages import RawImage


class KeptStyle:
    """One picture, or none."""

    def __init__(self) -> None:
        self._request: StyleTransfer | None = None
        self._image: RawImage | None = None

    def keep(self, request: StyleTransfer, iterations: int, image: RawImage) -> None:
        """Keeps `image`, which is what `request` gives after `iterations` iterations."""
        self._request = dataclasses.replace(request, stop_after=iterations)
        self._image = image

    def recall(self, request: StyleTransfer) -> RawImage | None:
        """The picture for a request, if it is the one that was kept."""
        return self._image if request == self._request else None
