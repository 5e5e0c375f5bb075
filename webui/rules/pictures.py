"""Which settings of an image to image go together: those about its picture, its mask and what is added at its sides.

Asked where `sampling.py` is, as a part of it. Knows no torch and opens no picture.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

from webui.capabilities import Capability, reason_without
from webui.checkpoints.families import Family
from webui.errors import InvalidRequest
from webui.request_fields import needs_of
from webui.requests import Diffusion, ImageToImage
from webui.rules.inactive_settings import InactiveSetting

MAX_DRAWN = 2048  # pixels a side of what is drawn at once, as `width` and `height` have it
SIDES = ("outpaint_left", "outpaint_right", "outpaint_top", "outpaint_bottom")
SIDE_LABELS = {name.replace("_", " ").capitalize(): name for name in SIDES}
# What is let be where a family takes no mask, and says something only where a part of the picture is drawn.
OF_A_PART = tuple(
    name
    for name, needed in needs_of(ImageToImage).items()
    if Capability.INPAINTING in needed.capabilities and not needed.is_refused
)
_PIXELS_ONLY = ("just_resize", "crop_and_resize", "resize_and_fill")


# A1111's names for its resize modes.
RESIZE_LABELS = {
    "just_resize": "Just resize",
    "crop_and_resize": "Crop and resize",
    "resize_and_fill": "Resize and fill",
    "latent_upscale": "Just resize (latent upscale)",
}


def added_to(request: ImageToImage) -> dict[str, str | int | float | None]:
    """What is added at which side, by the name that an infotext has for it; empty where nothing is."""
    return {label: getattr(request, name) for label, name in SIDE_LABELS.items() if getattr(request, name)}


def resize_modes_for(family: Family) -> tuple[str, ...]:
    """How checkpoints of `family` can have a picture brought to size, in the order of the control."""
    can_enlarge_latents = Capability.LATENT_UPSCALE in family.capabilities
    return (*_PIXELS_ONLY, "latent_upscale") if can_enlarge_latents else _PIXELS_ONLY


def inactive_for_pictures() -> tuple[InactiveSetting, ...]:
    """What does nothing with any checkpoint, and when. The first that fits a field is the reason to give."""
    return (
        *(InactiveSetting(field=name, reason="nothing_masked", without=("mask", *SIDES)) for name in OF_A_PART),
        InactiveSetting(field="mask_mode", reason="nothing_masked", without=("mask",)),
        InactiveSetting(field="masked_content", reason="from_noise", without=("mask",)),
        InactiveSetting(field="masked_content", reason="full_strength", at_least={"denoising_strength": 1.0}),
        InactiveSetting(field="inpaint_padding", reason="whole_picture", when={"inpaint_area": ("whole_picture",)}),
        InactiveSetting(
            field="resize_mode", reason="own_size", when={"inpaint_area": ("only_masked",)}, beside=("mask", *SIDES)
        ),
        InactiveSetting(field="denoising_strength", reason="from_noise", beside=SIDES, without=("mask",)),
    )


def check_picture(request: ImageToImage, family: Family) -> None:
    """Raises InvalidRequest for a resolved request that `family` cannot follow, or whose result would be too large."""
    added = [name for name in SIDES if getattr(request, name)]
    if request.resize_mode not in resize_modes_for(family):
        raise InvalidRequest(field="resize_mode", reason=reason_without(Capability.LATENT_UPSCALE))
    if request.mask is not None or added:
        refuse_what_it_lacks(request, family, OF_A_PART)
    if request.inpaint_area == "only_masked" or request.width is None or request.height is None:
        return
    across = request.width + request.outpaint_left + request.outpaint_right
    down = request.height + request.outpaint_top + request.outpaint_bottom
    if max(across, down) > MAX_DRAWN:
        raise InvalidRequest(field=added[0], reason="outpaint_too_large", limit=MAX_DRAWN)


def refuse_what_it_lacks(request: Diffusion, family: Family, names: Collection[str]) -> None:
    """Raises InvalidRequest where one of these fields is not at its default and needs what `family` cannot do."""
    needed = needs_of(type(request))
    for field in fields(request):
        if field.name in names and field.name in needed and getattr(request, field.name) != field.default:
            lacking = family.lacks(needed[field.name])
            if lacking is not None:
                raise InvalidRequest(field=field.name, reason=reason_without(lacking))


def is_alike(mask: tuple[int, int], picture: tuple[int, int]) -> bool:
    """Whether a mask of this (width, height) has the picture's shape, give or take a pixel of the smaller one.

    >>> is_alike((512, 384), (4000, 3000)), is_alike((512, 512), (512, 384))
    (True, False)
    """
    small, large = sorted((mask, picture))
    scale = large[0] / small[0]
    return abs(large[1] / scale - small[1]) <= 1 or abs(small[0] - large[0] * small[1] / large[1]) <= 1
