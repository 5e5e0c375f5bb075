"""A walk between two pictures: the request whose images lead from one to the other.

A walk changes noise and prompts; everything else is the first picture's. So if the second was made with other settings,
the walk's last image is not exactly that picture, and the differences are reported. Knows requests, no storage.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from webui.errors import InvalidRequest
from webui.prompts.settle import prompts_of
from webui.requests import image_seed
from webui.requests.diffusion import TextToImage, WalkEnd
from webui.requests.field_types import Scope
from webui.requests.fields import fields_in
from webui.rules.branches import WITHOUT_TEMPLATES

# What the two ends may differ in: a walk goes over these, or they say nothing of how one image looks.
_WALKED = fields_in(TextToImage, Scope.IMAGE)


@dataclass(frozen=True, kw_only=True)
class Walk:
    """The request, and the names of the settings in which the second picture differs from it."""

    request: TextToImage
    differences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image of a settled request, counted from 0."""

    request: TextToImage
    index: int


def walk_between(first: Image, second: Image, num_images: int) -> Walk:
    """The walk from `first` to `second` in `num_images` images, including both ends.

    Raises InvalidRequest for an image from the middle of another walk, a branch, and a kept step: no seed and prompt
    alone can give these.
    """
    start, end = _end_at(first), _end_at(second)
    request = dataclasses.replace(
        first.request,
        **dataclasses.asdict(start),
        **WITHOUT_TEMPLATES,
        num_images=num_images,
        keep_best=0,  # the images of a walk belong together
        only_image=None,
        walk_to=end,
    )
    names = (field.name for field in dataclasses.fields(TextToImage) if field.name not in _WALKED)
    differences = (name for name in names if getattr(first.request, name) != getattr(second.request, name))
    return Walk(request=request, differences=tuple(differences))


def _end_at(image: Image) -> WalkEnd:
    """What distinguishes this image from others with the same settings, as one end of a walk."""
    request, index = image.request, image.index if image.request.only_image is None else image.request.only_image
    if request.branch_from is not None or request.stop_after is not None:
        raise InvalidRequest(field="walk_to", reason="walk_needs_whole")
    if request.seed is None:
        raise InvalidRequest(field="seed", reason="seed_open")
    if request.walk_to is not None:
        if 0 < index < request.num_images - 1:
            raise InvalidRequest(field="walk_to", reason="walk_from_its_middle")
        if index > 0:
            return request.walk_to
    prompts = prompts_of(request, index)
    is_varied = request.variation_strength > 0 and request.variation_seed is not None
    return WalkEnd(
        prompt=prompts.prompt,
        negative_prompt=prompts.negative_prompt,
        seed=request.seed if is_varied else image_seed(request.seed, index),
        variation_seed=image_seed(request.variation_seed or 0, index) if is_varied else None,
        variation_strength=request.variation_strength if is_varied else 0.0,
    )
