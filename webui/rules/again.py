"""The request that makes exactly one finished picture again. Knows requests, no storage."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from webui.errors import InvalidRequest
from webui.requests import Request
from webui.requests.diffusion import TextToImage
from webui.requests.field_types import MAX_SEED
from webui.requests.style_transfer import StyleTransfer


def made_again(request: Request, image: int) -> Request:
    """The settled request for image `image` (from 0) of `request` only; its prompts stay as they were settled.

    Raises InvalidRequest for an image that the request does not make.
    """
    if isinstance(request, StyleTransfer):
        return request
    if not 0 <= image < request.num_images:
        raise InvalidRequest(field="image", reason="no_such_image")
    return request if request.num_images == 1 else dataclasses.replace(request, only_image=image, keep_best=0)


def image_of(request: Request, seed: int, info: Mapping[str, Any]) -> int | None:
    """Which image (from 0) of a settled request a picture is, by its seed and by what happened when it was made; None
    if these do not say.

    >>> image_of(TextToImage(seed=7, num_images=3), 9, {})
    2
    """
    if isinstance(request, StyleTransfer):
        return 0
    if request.only_image is not None:
        image: int | None = request.only_image
    elif isinstance(request, TextToImage) and request.walk_to is not None:
        walked = info.get("walked")
        image = (
            round(walked * (request.num_images - 1)) if isinstance(walked, int | float) and 0 <= walked <= 1 else None
        )
    elif request.variation_strength > 0:
        image = _after(request.variation_seed, info.get("variation_seed"))
    else:
        image = _after(request.seed, seed)
    return image if image is not None and image < request.num_images else None


def _after(first: int | None, seed: Any) -> int | None:
    """How many images are between the two seeds."""
    if first is None or first < 0 or not isinstance(seed, int):
        return None
    return (seed - first) % (MAX_SEED + 1)
