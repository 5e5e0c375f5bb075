"""The two photographs and what runs a style transfer on them, small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from sklearn.datasets import load_sample_image

from webui.engine.context import Context
from webui.engine.device import Device
from webui.engine.style import KeptStyle, style_transfer
from webui.events import EngineEvent
from webui.requests.style_transfer import StyleTransfer
from webui.worker.messages import RawImage

CPU = Device(torch.device("cpu"), torch.float32, "CPU")
NO_MODELS = Path("no such folder")
REFERENCE = "sha256:" + "0" * 64  # the pictures are handed over themselves


def china() -> Image.Image:
    """640 × 427."""
    return Image.fromarray(load_sample_image("china.jpg"))


def flower() -> Image.Image:
    """640 × 427."""
    return Image.fromarray(load_sample_image("flower.jpg"))


def transfer(
    content: Image.Image,
    style: Image.Image,
    *,
    events: list[EngineEvent] | None = None,
    check: Callable[[], None] = lambda: None,
    models_dir: Path = NO_MODELS,
    device: Device = CPU,
    further_styles: Sequence[Image.Image] = (),
    kept: KeptStyle | None = None,
    **fields: Any,
) -> RawImage:
    """`style_transfer` at 64 pixels and 8 iterations, unless `fields` of the request say otherwise."""
    values = {"size": 64, "iterations": 8, "seed": 0, **fields}
    request = StyleTransfer(content_image=REFERENCE, style_image=REFERENCE, **values)
    on_event = events.append if events is not None else lambda _event: None
    context = Context(on_event, check, lambda: False, lambda _reference: b"")
    return style_transfer(
        request, content, style, further_styles, device=device, models_dir=models_dir, context=context, kept=kept
    )


def as_tensor(image: RawImage) -> torch.Tensor:
    """(1, 3, H, W) in [0, 1]"""
    flat = torch.frombuffer(bytearray(image.rgb), dtype=torch.uint8).float() / 255
    return flat.view(1, image.height, image.width, 3).permute(0, 3, 1, 2)
