"""An engine with one toy, and what it draws."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.settling import SettlingEngine
from webui.engine.context import Context
from webui.engine.engine import Engine
from webui.events import Step
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.settings import Settings

PICTURE, MASK = "sha256:" + "0" * 64, "sha256:" + "1" * 64  # a gradient downwards; its lower half
OPTIONS: dict[str, Any] = {"checkpoint": "toy", "prompt": "a red cat", "seed": 7, "steps": 4, "width": 64, "height": 64}


def engine_with(save: Callable[[Path], Path], models: Path) -> Engine:
    """On the CPU, with the checkpoint `toy`."""
    save(models / "toy")
    return SettlingEngine(Settings(models_dir=models, device="cpu", precision="fp32"))


def draw(engine: Engine, **values: Any) -> tuple[np.ndarray, list[Step]]:
    """(H, W, 3) integers, and the steps of denoising; over PICTURE where `init_image` says so."""
    steps: list[Step] = []
    gradient = Image.linear_gradient("L").resize((64, 64))
    pictures = {PICTURE: gradient, MASK: gradient.point(lambda level: 255 * (level > 127))}

    def read(reference: str) -> bytes:
        buffer = io.BytesIO()
        pictures[reference].convert("RGB").save(buffer, "PNG")
        return buffer.getvalue()

    def on_event(event: Any) -> None:
        if isinstance(event, Step) and event.phase == "denoise":
            steps.append(event)

    asked = (ImageToImage if "init_image" in values else TextToImage)(**OPTIONS | values)
    (image,) = engine.run(asked, Context(on_event, lambda: None, lambda: True, read))
    return np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3).astype(int), steps


def counts(steps: list[Step]) -> list[tuple[int, int]]:
    """(index, total) of each."""
    return [(step.index, step.total) for step in steps]
