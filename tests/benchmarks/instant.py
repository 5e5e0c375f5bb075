"""Style transfer at once at 512²: the network by itself, and the answer of a whole program while a slider moves."""

from __future__ import annotations

import dataclasses
import io
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from PIL import Image
from skimage import data

from tests.benchmarks.figures import Figure
from tests.browser.studio import Studio
from webui.engine.context import Context
from webui.engine.device import choose_device
from webui.engine.style import InstantTransfer
from webui.requests.style_transfer import StyleTransfer, WeightedStyle
from webui.settings import ROOT

SIZE = 512
_GOAL = "goal: 0.5 s on two cores"
_STYLES = ("swirling_oil", "mosaic")


def measure_instant(repeats: int) -> Iterator[Figure]:
    """New pictures have to be looked at first; while a slider moves they are the same."""
    content, *styles = _pictures()
    references = ["sha256:" + digit * 64 for digit in "abc"]
    stored = dict(zip(references, (content, *styles), strict=True))
    context = Context(lambda event: None, lambda: None, lambda: False, lambda reference: stored[reference])
    transfer = InstantTransfer(choose_device("cpu", "auto"))
    one = StyleTransfer(method="instant", content_image=references[0], style_image=references[1], size=SIZE)
    both = dataclasses.replace(one, style_images=(WeightedStyle(image=references[2]),))
    transfer(dataclasses.replace(one, size=64), context)  # loads the weights
    first, moved = [], []
    for _ in range(repeats):
        transfer(dataclasses.replace(one, size=64), context)
        first.append(_seconds(transfer, one, context))
        transfer(both, context)
        moved += [
            _seconds(transfer, dataclasses.replace(both, style_image_weight=share), context) for share in (0.3, 0.7)
        ]
    yield Figure(f"a style at once, {SIZE}², new pictures", tuple(first), goal=_GOAL)
    yield Figure(f"a style at once, {SIZE}², between two styles", tuple(moved), goal=_GOAL)
    yield _over_http(content, styles[0], repeats)


def _seconds(transfer: InstantTransfer, request: StyleTransfer, context: Context) -> float:
    start = time.perf_counter()
    transfer(request, context)
    return time.perf_counter() - start


def _over_http(content: bytes, style: bytes, repeats: int) -> Figure:
    """From the request to the last byte of the picture, with the same pictures and another strength each time."""
    with tempfile.TemporaryDirectory() as folder, Studio(Path(folder)) as studio:
        studio.wait_until_ready()
        with httpx.Client(base_url=studio.address, timeout=120, trust_env=False) as client:
            ids = [client.post("/api/images", files={"file": one}).json()["id"] for one in (content, style)]
            asked = {"method": "instant", "content_image": ids[0], "style_image": ids[1], "size": SIZE}
            seconds = []
            for turn in range(repeats + 1):
                start = time.perf_counter()
                answer = client.post("/api/style-transfer/now", json=asked | {"style_strength": 1 - turn / 100})
                answer.raise_for_status()
                seconds.append(time.perf_counter() - start)
    return Figure(f"a style at once, {SIZE}², over HTTP", tuple(seconds[1:]), goal=_GOAL)


def _pictures() -> list[bytes]:
    drawn = [Image.fromarray(data.astronaut())]
    drawn += [Image.open(ROOT / "presets" / "styles" / f"{name}.webp") for name in _STYLES]
    return [_png(picture.convert("RGB")) for picture in drawn]


def _png(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()
