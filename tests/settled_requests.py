"""Settled requests, which leave nothing open, for tests that settle none themselves."""

from __future__ import annotations

from typing import Any

from webui.requests.settled import SettledImageToImage, SettledTextToImage, settled_from_dict


def stored(**values: Any) -> dict[str, Any]:
    """A settled text to image as JSON."""
    return {
        "task": "text_to_image", "schema_version": 2, "prompt": "a lake", "checkpoint": "starter", "scheduler": "euler",
        "sigmas": "default", "steps": 4, "guidance_scale": 5.0, "seed": 7, "width": 64, "height": 64,
    } | values  # fmt: skip


def settled(**values: Any) -> SettledTextToImage:
    """The same as a request."""
    made = settled_from_dict(stored(**values))
    assert isinstance(made, SettledTextToImage)
    return made


def settled_over(init_image: str, **values: Any) -> SettledImageToImage:
    """A settled image to image."""
    made = settled_from_dict(stored(task="image_to_image", init_image=init_image, **values))
    assert isinstance(made, SettledImageToImage)
    return made
