"""Style transfer at once through the engine: sizes, shares, what is kept between requests, stopping, bad pictures."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from webui.engine.context import Context
from webui.engine.device import choose_device
from webui.engine.style import InstantTransfer, at_once
from webui.engine.style.instant import InstantStyle
from webui.errors import Cancelled, NotAnImage
from webui.events import EngineEvent
from webui.requests.style_transfer import StyleTransfer, WeightedStyle

CONTENT, WARM, COLD = (f"sha256:{digit * 64}" for digit in "abc")


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def noise(low: tuple[int, int, int], high: tuple[int, int, int], size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(0).integers(low, high, (*size, 3)).astype(np.uint8)


PICTURES = {
    CONTENT: png(noise((0, 0, 0), (255, 255, 255), (60, 90))),
    WARM: png(noise((180, 60, 0), (255, 120, 40), (70, 50))),
    COLD: png(noise((0, 60, 180), (40, 120, 255), (50, 70))),
}


@pytest.fixture(scope="module", autouse=True)
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Weights of the right shapes: what a trained network paints is another test's matter."""
    torch.manual_seed(0)
    network = InstantStyle()
    torch.nn.init.normal_(network.decoder.leave.weight, std=0.01)
    file = tmp_path_factory.mktemp("weights") / "instant.safetensors"
    save_file(network.state_dict(), file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(at_once, "WEIGHTS", file)
        yield


class Reader:
    """Counts what is read."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.events: list[EngineEvent] = []

    def context(self, check: Callable[[], None] = lambda: None) -> Context:
        def read(reference: str) -> bytes:
            self.read.append(reference)
            return PICTURES[reference]

        return Context(self.events.append, check, lambda: False, read)


def asked(**values: Any) -> StyleTransfer:
    return StyleTransfer(**{"method": "instant", "content_image": CONTENT, "style_image": WARM, "size": 64} | values)


def pixels(transfer: InstantTransfer, request: StyleTransfer, reader: Reader | None = None) -> np.ndarray:
    image = transfer(request, (reader or Reader()).context())
    return np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)


@pytest.fixture
def transfer(multiplies_bf16: bool) -> InstantTransfer:
    return InstantTransfer(choose_device("cpu", "auto"))


def test_the_longest_side_is_the_size_and_the_colours_are_the_styles(transfer: InstantTransfer) -> None:
    painted = pixels(transfer, asked(size=96))
    assert painted.shape == (64, 96, 3)
    red, _, blue = painted.reshape(-1, 3).mean(0)
    assert red > blue + 100


def test_a_slider_between_two_styles_reads_the_pictures_once(transfer: InstantTransfer) -> None:
    reader, blues = Reader(), []
    for share in (0.0, 0.5, 1.0):
        cold = WeightedStyle(image=COLD, weight=share)
        blues.append(pixels(transfer, asked(style_image_weight=1 - share, style_images=(cold,)), reader)[..., 2].mean())
    assert blues[1] - blues[0] > 40 < blues[2] - blues[1]
    assert sorted(reader.read) == sorted([CONTENT, WARM, COLD])
    np.testing.assert_array_equal(pixels(transfer, asked(style_image=COLD)), pixels(transfer, asked(style_image=COLD)))
    alone = pixels(transfer, asked(style_image=COLD)).astype(float)
    assert abs(alone[..., 2].mean() - blues[2]) < 1


def test_without_strength_it_is_nearly_the_content(transfer: InstantTransfer) -> None:
    content = Image.open(io.BytesIO(PICTURES[CONTENT])).resize((96, 64), Image.Resampling.LANCZOS)
    own = pixels(transfer, asked(size=96, style_strength=0.0)).astype(float)
    far = pixels(transfer, asked(size=96)).astype(float)
    distance = np.abs(own - np.asarray(content, float)).mean()
    assert distance < 20 < np.abs(far - np.asarray(content, float)).mean()


@pytest.mark.parametrize("kept", ["luminance", "coral", "histogram"])
def test_the_contents_colours_stay_where_they_are_kept(transfer: InstantTransfer, kept: str) -> None:
    red, _, blue = pixels(transfer, asked(keep_colours=kept)).reshape(-1, 3).mean(0)
    assert abs(red - blue) < 40


def test_it_says_what_happened(transfer: InstantTransfer) -> None:
    reader = Reader()
    image = transfer(asked(), reader.context())
    assert image.info["device"] == "CPU" or "cpu" in str(image.info["device"]).lower()
    assert [type(event).__name__ for event in reader.events] == ["Step"]


def test_it_stops_and_reads_anew_after_a_bad_picture(transfer: InstantTransfer) -> None:
    def stopped() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        transfer(asked(), Reader().context(stopped))
    broken = dataclasses.replace(asked(), style_image=COLD)
    context = Context(lambda event: None, lambda: None, lambda: False, lambda reference: b"no picture")
    with pytest.raises(NotAnImage):
        transfer(broken, context)
    assert pixels(transfer, broken)[..., 2].mean() > 150


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1)])
def test_pictures_of_one_pixel(
    transfer: InstantTransfer, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PICTURES, WARM, png(noise((180, 60, 0), (255, 120, 40), size)))
    assert pixels(transfer, asked()).any()


def test_the_weights_are_the_programs_own(
    transfer: InstantTransfer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(at_once, "WEIGHTS", tmp_path / "gone.safetensors")
    with pytest.raises(FileNotFoundError):
        transfer(asked(), Reader().context())
