"""Instant style transfer: patches and one pass of the instant network (`instant.py`), fast enough to follow a slider.

What depends on the pictures only is kept from one request to the next, so that a change of strength or mixture repeats
nothing but the pass itself. Knows no jobs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from PIL import Image

from webui.engine.cancel import cancellable
from webui.engine.context import Context
from webui.engine.device import Device, precision_of
from webui.engine.pictures.images import read_picture
from webui.engine.style.instant import WEIGHTS, InstantStyle, Seen, load_instant, seen_as, stylise
from webui.engine.style.sources import Sources, Style
from webui.events import Step
from webui.requests.style_transfer import StyleTransfer, WeightedStyle
from webui.rules.style import style_shares
from webui.worker.messages import RawImage


@dataclass(frozen=True)
class _Looked:
    """A request's pictures at its size: what stays the same for all strengths and mixtures."""

    sources: Sources
    own: Seen
    styles: list[Seen]


class InstantTransfer:
    """The network, loaded when it is first needed, and the pictures it saw last."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._network: InstantStyle | None = None
        self._key: StyleTransfer | None = None
        self._looked: _Looked | None = None

    def __call__(self, request: StyleTransfer, context: Context) -> RawImage:
        """The picture for a request whose `method` is `instant`. Raises NotAnImage, and Cancelled if `context.check`
        does.
        """
        begun = time.perf_counter()
        network = self.network()
        with cancellable(network, context.check):
            looked = self._look(request, context)
            strength = request.style_strength
            shares = [share * strength for share in style_shares(request)]
            mixture = [*zip(looked.styles, shares, strict=True), (looked.own, 1 - strength)]
            painted = stylise(network, [one for one in mixture if one[1] > 0], request.seed or 0)
        pixels = looked.sources.pixels(painted)
        seconds = time.perf_counter() - begun
        context.on_event(Step(index=1, total=1, phase="optimise", seconds=seconds))
        info: dict[str, str | int | float] = {
            "device": self._device.name,
            "precision": precision_of(self._device.wide_dtype),
            "seconds": round(seconds, 3),
        }
        height, width, _ = pixels.shape
        return RawImage(width=width, height=height, rgb=pixels.tobytes(), seed=request.seed or 0, info=info)

    def network(self) -> InstantStyle:
        """The network with its trained weights, on the device."""
        if self._network is None:
            self._network = load_instant(WEIGHTS, self._device.torch_device, self._device.wide_dtype)
        return self._network

    def _look(self, request: StyleTransfer, context: Context) -> _Looked:
        key = _key_of(request)
        if self._looked is None or key != self._key:
            self._key, self._looked = None, None  # whatever happens now, nothing old is taken for this
            self._looked = self._read(request, context.read_picture, context.check)
            self._key = key
        return self._looked

    def _read(self, request: StyleTransfer, read: Callable[[str], bytes], check: Callable[[], None]) -> _Looked:
        def picture(reference: str) -> Image.Image:
            check()
            return read_picture(read(reference))

        styles = [picture(one) for one in (request.style_image, *(one.image for one in request.style_images))]
        sources = Sources(
            picture(request.content_image),
            [Style(style, 1 / len(styles)) for style in styles],
            device=self._device.torch_device,
            keep_colours=request.keep_colours,
            colour_share=0.0,  # the network recolours
            check=check,
        )
        network = self.network()
        content = sources.content(request.size).whole()
        seen = []
        for style in sources.styles(request.size, request.style_scale):
            check()
            seen.append(seen_as(network, content, style))
        return _Looked(sources, seen_as(network, content, None), seen)


def _key_of(request: StyleTransfer) -> StyleTransfer:
    """The request without the fields that change the pass only."""
    images = tuple(WeightedStyle(image=style.image) for style in request.style_images)
    return replace(request, style_images=images, style_image_weight=1.0, style_strength=1.0, seed=0)
