"""Facts about an image to image's settings: added sides, resize modes, the proportions of a mask.

Knows no torch and opens no picture.
"""

from __future__ import annotations

from webui.capabilities import Capability
from webui.checkpoints.family import Family
from webui.requests.diffusion import ImageToImage
from webui.requests.field_types import SIDES
from webui.requests.fields import needs_of

MAX_DRAWN = 2048  # pixels a side of what is drawn at once, as `width` and `height` have it
# What is let be where a family takes no mask, and says something only where a part of the picture is drawn.
OF_A_PART = tuple(
    name
    for name, needed in needs_of(ImageToImage).items()
    if Capability.INPAINTING in needed.capabilities and not needed.is_refused
)
_PIXELS_ONLY = ("just_resize", "crop_and_resize", "resize_and_fill")


def is_extended(request: ImageToImage) -> bool:
    """Whether pixels are added at a side."""
    return any(getattr(request, name) for name in SIDES)


def resize_modes_for(family: Family) -> tuple[str, ...]:
    """The resize modes that checkpoints of `family` support, in the order of the control."""
    can_enlarge_latents = Capability.LATENT_UPSCALE in family.capabilities
    return (*_PIXELS_ONLY, "latent_upscale") if can_enlarge_latents else _PIXELS_ONLY


def is_alike(mask: tuple[int, int], picture: tuple[int, int]) -> bool:
    """Whether a mask of this (width, height) has the picture's proportions, give or take a pixel of the smaller one.

    >>> is_alike((512, 384), (4000, 3000)), is_alike((512, 512), (512, 384))
    (True, False)
    """
    small, large = sorted((mask, picture))
    scale = large[0] / small[0]
    return abs(large[1] / scale - small[1]) <= 1 or abs(small[0] - large[0] * small[1] / large[1]) <= 1
