"""A data folder for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from webui.requests.diffusion import TextToImage
from webui.storage import Storage
from webui.worker.messages import RawImage


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = Storage(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def request_() -> TextToImage:
    """A resolved request."""
    return TextToImage(
        prompt="a lake at night, stars",
        negative_prompt="fog",
        checkpoint="folder/starter",
        scheduler="euler_a",
        sigmas="karras",
        steps=20,
        guidance_scale=7.0,
        seed=1,
        width=128,
        height=64,
    )


def raw(seed: int = 1, width: int = 128, height: int = 64) -> RawImage:
    """A small picture in one colour that the seed decides."""
    colour = bytes((seed % 256, 100, 200))
    return RawImage(width=width, height=height, rgb=colour * (width * height), seed=seed, info={"device": "cpu"})
