"""Steps of a picture that become pictures themselves: one that is kept, and one where another picture branches off.

Both are requests like any other, made from the request of the job whose strip was used. Knows requests and the rules
for these, no latents and no jobs.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterator
from typing import Any

from webui.capabilities import Capability
from webui.errors import InvalidRequest
from webui.prompts.settle import prompts_of
from webui.requests import Request, SomeDiffusion, image_seed, to_dict
from webui.requests.diffusion import MAX_BRANCHES, Branch, Diffusion, ImageToImage, TextToImage
from webui.requests.field_types import Scope
from webui.requests.fields import controls_in, fields_in
from webui.requests.settled import as_asked
from webui.requests.style_transfer import StyleTransfer
from webui.rules.evaluate import refuse
from webui.rules.table import BRANCHES, STEPS

MAX_BRANCH_BYTES = 192 * 1024  # of JSON: with what happened beside it, it still fits into a picture's metadata
MAX_STEPS = 150  # of any request
# What a branch may have otherwise than its origin: what the network is told, and what noise is drawn. All else is the
# course that both are on.
FREE = fields_in(TextToImage, Scope.IMAGE, Scope.BRANCH)
# Those of them that people set, one by one: a branch has no variations.
CHANGEABLE = (FREE & controls_in(TextToImage).keys()) - {"variation_seed", "variation_strength"}


WITHOUT_TEMPLATES: dict[str, Any] = {"looks": (), "look_texts": (), "resolved_prompts": None, "resolved_from": None}


def image_alone(request: SomeDiffusion, image: int) -> SomeDiffusion:
    """The request for image `image` (from 0) of a settled one only: the same picture, with settled wildcards.

    Raises InvalidRequest for an image that the request does not make.
    """
    if not 0 <= image < count_images(request):
        raise InvalidRequest(field="image", reason="no_such_image")
    index = image if request.only_image is None else request.only_image
    prompts = prompts_of(request, 0 if isinstance(request, TextToImage) and request.walk_to is not None else index)
    return dataclasses.replace(
        request,
        prompt=prompts.prompt,
        negative_prompt=prompts.negative_prompt,
        **WITHOUT_TEMPLATES,
        keep_best=0,
        only_image=None if request.num_images == 1 else index,
    )


def step_kept(request: Request, image: int, step: int) -> Request:
    """The request that makes a picture of step `step` (from 1) of image `image` (from 0) of `request`.

    For a style transfer, this is the averaged picture after that iteration. Raises InvalidRequest if there is no such
    image or step.
    """
    if isinstance(request, StyleTransfer):
        if image != 0:
            raise InvalidRequest(field="image", reason="no_such_image")
        return dataclasses.replace(request, stop_after=step)
    alone = image_alone(request, image)
    if step > (total := count_steps(request) or MAX_STEPS):
        raise InvalidRequest(field="stop_after", reason="no_such_step", limit=total)
    return dataclasses.replace(alone, stop_after=step)


def finished(request: Request, image: int) -> Request:
    """The request that makes image `image` (from 0) of `request` after all, where its job ended before its pictures.

    Its steps are those of that image, so that whoever still has some of them goes on from the last. Raises
    InvalidRequest if there is no such image.
    """
    if not isinstance(request, StyleTransfer):
        return image_alone(request, image)
    if image != 0:
        raise InvalidRequest(field="image", reason="no_such_image")
    return request


def finished_sharp(request: Request, image: int) -> Request:
    """The request that decodes image `image` (from 0) of `request` with the full decoder.

    Its steps are those of that image, so that whoever still has them only decodes. Raises InvalidRequest if there is no
    such image, if it was decoded in full already, or if it was not made of latents.
    """
    if isinstance(request, StyleTransfer):
        raise InvalidRequest(field="step", reason="nothing_to_finish")
    if request.decoder != "tiny":
        raise InvalidRequest(field="decoder", reason="decoded_in_full")
    return dataclasses.replace(image_alone(request, image), decoder="full")


def can_branch(request: Request, capabilities: Collection[Capability]) -> bool:
    """Whether another picture may branch off from this request; `capabilities` are those of its checkpoint's family."""
    if isinstance(request, StyleTransfer) or Capability.BRANCHES not in capabilities:
        return False
    return sum(1 for _ in origins(request)) < MAX_BRANCHES


def branched(request: Request, image: int, step: int, changes: dict[str, Any]) -> Request:
    """The request that leaves image `image` of `request` at `step`, with `changes` to the fields in FREE.

    Without changes, it gives the same picture. Raises InvalidRequest as `step_kept` does, TypeError for other fields.
    """
    if isinstance(request, StyleTransfer):
        raise InvalidRequest(field="branch_from", reason="only_unet")
    if changes.keys() - FREE:
        raise TypeError(f"a branch cannot change {sorted(changes.keys() - FREE)}")
    alone = dataclasses.replace(image_alone(request, image), stop_after=None)
    if step >= (total := count_steps(request) or MAX_STEPS):
        raise InvalidRequest(field="branch_from", reason="no_step_after", limit=total - 1)
    if sum(1 for _ in origins(alone)) >= MAX_BRANCHES:
        raise InvalidRequest(field="branch_from", reason="branch_too_deep", limit=MAX_BRANCHES)
    plain: dict[str, Any] = {
        "seed": seed_alone(alone),
        "only_image": None,
        "num_images": 1,
        "variation_seed": None,
        "variation_strength": 0.0,
        "branch_from": Branch(origin=alone, step=step),
    }
    if isinstance(alone, TextToImage):
        plain["walk_to"] = None
    return dataclasses.replace(as_asked(alone), **plain | changes)


def seed_alone(alone: Diffusion) -> int | None:
    """The seed of the single image of `image_alone`; a branch with this seed continues with the same noise."""
    if alone.seed is None or alone.variation_strength > 0:
        return alone.seed
    if isinstance(alone, TextToImage) and alone.walk_to is not None:
        return alone.walk_to.seed if (alone.only_image or 0) == alone.num_images - 1 else alone.seed
    return image_seed(alone.seed, alone.only_image or 0)


def count_images(request: Request) -> int:
    """How many pictures the request makes."""
    if isinstance(request, StyleTransfer):
        return 1
    return request.num_images if request.only_image is None else 1


def count_steps(request: Diffusion) -> int | None:
    """How many steps a settled request's pictures take from noise on; None if its steps are open."""
    if request.steps is None:
        return None
    if not isinstance(request, ImageToImage) or request.strongest == 1:
        return request.steps
    return max(1, int(request.steps * request.strongest)) if request.strongest > 0 else 0


def origins(request: Diffusion) -> Iterator[Branch]:
    """The branch of the request, the branch of its origin, and so on."""
    while (branch := request.branch_from) is not None:
        yield branch
        request = branch.origin


def with_origins_course(request: SomeDiffusion) -> SomeDiffusion:
    """A branch with everything that it leaves open taken from its origin; a request that is not a branch stays as it
    is.
    """
    if request.branch_from is None:
        return request
    origin = request.branch_from.origin
    open_fields: dict[str, Any] = {
        field.name: getattr(origin, field.name, None)
        for field in dataclasses.fields(request)
        if (field.name not in FREE or field.name in ("guidance_scale", "decoder"))
        and getattr(request, field.name) is None
    }
    return dataclasses.replace(request, **open_fields)


def digest_of(alone: TextToImage | ImageToImage) -> str:
    """A digest of everything that affects the steps of a settled request for one image: not where it stops, nor what
    decodes it.
    """
    values = to_dict(dataclasses.replace(alone, stop_after=None, decoder="full"))
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def check_steps(request: Diffusion) -> None:
    """Raises InvalidRequest for a settled request with an image or step that does not exist, or a branch that differs
    from its origin in a field that must not differ.
    """
    refuse(request, STEPS)
    total = count_steps(request)
    if request.stop_after is not None and total is not None and request.stop_after > total:
        raise InvalidRequest(field="stop_after", reason="no_such_step", limit=total)
    if request.branch_from is not None:
        _check_branch(request, request.branch_from, total)


def _check_branch(request: Diffusion, branch: Branch, total: int | None) -> None:
    origin = branch.origin
    if (
        isinstance(request, TextToImage) is not isinstance(origin, TextToImage)
        or count_images(origin) != 1
        or origin.stop_after is not None
    ):
        raise InvalidRequest(field="branch_from", reason="branch_of_one")
    if total is not None and branch.step >= total:
        raise InvalidRequest(field="branch_from", reason="no_step_after", limit=total - 1)
    for field in dataclasses.fields(request):
        if field.name not in FREE and getattr(request, field.name) != getattr(origin, field.name):
            raise InvalidRequest(field=field.name, reason="branch_keeps")
    refuse(request, BRANCHES)
    if len(json.dumps(dataclasses.asdict(request), ensure_ascii=False).encode()) > MAX_BRANCH_BYTES:
        raise InvalidRequest(field="branch_from", reason="branch_too_long")
