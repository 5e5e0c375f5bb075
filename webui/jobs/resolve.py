"""Settles what a request leaves open, once, when it is submitted: the checkpoint's defaults, or those of a LoRA of few
steps in the prompt; the seed, the size.

From then on the request says everything, and running it again gives the same picture. Raises domain errors for what no
schema can refuse. Knows no database, but asks the store of uploads for sizes and owners.
"""

from __future__ import annotations

import dataclasses
import math
import secrets
from typing import Any

from webui.capabilities import Capability
from webui.checkpoints.catalogue import Catalogue, Checkpoint, Defaults
from webui.checkpoints.critics import critic_for
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.made_for import with_few_steps
from webui.checkpoints.tiny_decoders import TinyDecoders, Word
from webui.checkpoints.vaes import vae_beside, vae_named
from webui.errors import InvalidRequest, PictureNotFound, TaskUnsupported
from webui.jobs.prompts import PromptRules
from webui.requests import Request, SomeDiffusion
from webui.requests.diffusion import Branch, Diffusion, ImageToImage
from webui.requests.field_types import AUTOMATIC, MAX_SEED, is_reference
from webui.requests.fields import pictures_of
from webui.requests.settled import SETTLED, Settled, SettledBranch
from webui.requests.style_transfer import StyleTransfer
from webui.rules.branches import count_images, image_alone, with_origins_course
from webui.rules.pictures import is_alike
from webui.rules.sampling import check
from webui.rules.style import check_style
from webui.storage.owners import Owner
from webui.storage.uploads import Uploads

MULTIPLE = 8  # every VAE of the families halves the sides three times
MIN_SIDE, MAX_SIDE = 64, 2048  # pixels; the bounds of the request


def resolve(
    request: Request,
    owner: Owner,
    catalogue: Catalogue,
    uploads: Uploads,
    prompts: PromptRules,
    *,
    is_on_cpu: bool = False,
) -> Settled:
    """The same request with nothing left open; a settled one stays as it is.

    `is_on_cpu`: whether a processor will draw it, which decides about an open decoder. The origin of a branch is
    settled like any request, and the branch takes from it whatever it leaves open.

    Raises NoCheckpoint, CheckpointNotFound and similar errors; TaskUnsupported; CriticMissing if the best should be
    kept and there is no critic; PictureNotFound for a picture that is not this person's; InvalidRequest for a picture
    that is not a reference and for settings that do not work with the checkpoint or the scheduler; and whatever
    `prompts` raises.
    """
    _check_pictures(request, owner, uploads)
    seed = secrets.randbelow(MAX_SEED + 1) if request.seed in (None, -1) else request.seed
    if isinstance(request, StyleTransfer):
        check_style(request, catalogue.models_dir)
        is_open = request.seed in (None, -1)
        return _as_settled(request, seed=0 if is_open and request.method == "instant" else seed)
    if request.branch_from is not None:
        origin = resolve(request.branch_from.origin, owner, catalogue, uploads, prompts, is_on_cpu=is_on_cpu)
        request = _with_origin(request, request.branch_from, origin)
    checkpoint = catalogue.get(request.checkpoint) if request.checkpoint is not None else catalogue.default()
    if request.task not in checkpoint.tasks:
        raise TaskUnsupported(checkpoint=checkpoint.id, family=checkpoint.family, task=request.task)
    request = dataclasses.replace(request, vae=_vae(request.vae, checkpoint, catalogue))
    decoders = TinyDecoders(catalogue.last_seen()).words_for(checkpoint, is_on_cpu=is_on_cpu)
    defaults = with_few_steps(checkpoint.defaults, prompts.made_for(request, checkpoint.family))
    filled = _with_defaults(request, checkpoint, defaults, seed, _picture_size(request, uploads), decoders)
    if filled.keep_best:
        critic_for(checkpoint, catalogue.models_dir)
    return _as_settled(prompts.settle(filled, checkpoint.family))


def _as_settled(request: Request, **values: Any) -> Settled:
    fields = {field.name: getattr(request, field.name) for field in dataclasses.fields(request)}
    made: Settled = SETTLED[request.task](**fields | values)
    return made


def _with_origin(request: SomeDiffusion, branch: Branch, origin: Settled) -> SomeDiffusion:
    """Raises InvalidRequest for an origin whose seed is open, which nobody could make again."""
    if branch.origin.seed in (None, -1):
        raise InvalidRequest(field="branch_from", reason="seed_open")
    if isinstance(origin, StyleTransfer) or count_images(origin) != 1:
        raise InvalidRequest(field="branch_from", reason="branch_of_one")
    settled = SettledBranch(origin=image_alone(origin, 0), step=branch.step)
    return with_origins_course(dataclasses.replace(request, branch_from=settled))


def _with_defaults(
    request: SomeDiffusion,
    checkpoint: Checkpoint,
    defaults: Defaults,
    seed: int | None,
    picture_size: tuple[int, int] | None,
    decoders: tuple[Word, ...],
) -> SomeDiffusion:
    """The request with everything but its prompts settled. `decoders` are the checkpoint's, its default first."""
    scheduler = defaults.scheduler if request.scheduler is None else request.scheduler
    # Sigmas belong to the scheduler that they were chosen with.
    own_sigmas = defaults.sigmas if scheduler == defaults.scheduler else "default"
    sigmas = own_sigmas if request.sigmas is None else request.sigmas
    width, height = _size(request, (defaults.width, defaults.height), picture_size)
    own_decoder = decoders[0] if request.vae is None else "full"  # who names a VAE wants to see what it draws
    filled = dataclasses.replace(
        request,
        checkpoint=checkpoint.id,
        scheduler=scheduler,
        sigmas=sigmas,
        steps=defaults.steps if request.steps is None else request.steps,
        guidance_scale=defaults.guidance_scale if request.guidance_scale is None else request.guidance_scale,
        seed=seed,
        variation_seed=_variation_seed(request),
        decoder=own_decoder if request.decoder is None else request.decoder,
        width=width,
        height=height,
    )
    check(filled, FAMILIES[checkpoint.family], checkpoint.clip_layers, decoders)
    return filled


def _vae(asked: str | None, checkpoint: Checkpoint, catalogue: Catalogue) -> str | None:
    """The id of the VAE, None for the checkpoint's own; as it is where the family takes no other, which is refused
    with the other settings. Raises InvalidRequest.
    """
    if Capability.VAE not in FAMILIES[checkpoint.family].capabilities:
        return asked
    if asked == AUTOMATIC:
        beside = vae_beside(catalogue, checkpoint)
        asked = beside.id if beside is not None else None
    return vae_named(catalogue, asked, checkpoint).id if asked is not None else None


def _picture_size(request: Request, uploads: Uploads) -> tuple[int, int] | None:
    """The size of the picture that settles an open size. Raises InvalidRequest for a mask with other proportions."""
    if not isinstance(request, ImageToImage):
        return None
    size = uploads.size(request.init_image)
    if request.mask is None:
        return size
    if not is_alike(uploads.size(request.mask), size):
        raise InvalidRequest(field="mask", reason="mask_other_shape")
    return size if request.inpaint_area == "whole_picture" else None  # what is drawn is the masked place alone


def _variation_seed(request: Diffusion) -> int | None:
    """A random seed if there is a variation without one; None if there is no variation."""
    if request.variation_strength == 0:
        return None
    return secrets.randbelow(MAX_SEED + 1) if request.variation_seed in (None, -1) else request.variation_seed


def _size(request: Diffusion, native: tuple[int, int], picture: tuple[int, int] | None) -> tuple[int, int]:
    width, height = request.width, request.height
    if width is not None and height is not None:
        return width, height
    if picture is None:
        return width or native[0], height or native[1]
    if width is not None:
        return width, _rounded(width * picture[1] / picture[0])
    if height is not None:
        return _rounded(height * picture[0] / picture[1]), height
    return fitted_size(picture, native[0] * native[1])


def fitted_size(picture: tuple[int, int], max_pixels: int) -> tuple[int, int]:
    """The picture's size, scaled down to at most `max_pixels`; each side is a multiple of 8 from 64 to 2048.

    Of the sizes close to that, it is the one that keeps the aspect ratio best. A very small picture is enlarged to 64;
    only then, if it is long and thin, may it have more than `max_pixels`.

    >>> fitted_size((4000, 3000), 256 * 256)
    (288, 216)
    """
    scale = min(1.0, math.sqrt(max_pixels / (picture[0] * picture[1])))
    scale = max(scale, MIN_SIDE / min(picture))
    near = [
        (_clamped(across(picture[0] * scale / MULTIPLE)), _clamped(down(picture[1] * scale / MULTIPLE)))
        for across in (math.floor, math.ceil)
        for down in (math.floor, math.ceil)
    ]
    allowed = [size for size in near if size[0] * size[1] <= max_pixels] or [min(near)]
    aspect = picture[0] / picture[1]
    return min(allowed, key=lambda size: (abs(math.log(size[0] / size[1] / aspect)), -size[0]))


def _rounded(side: float) -> int:
    return _clamped(round(side / MULTIPLE))


def _clamped(multiples: int) -> int:
    return min(MAX_SIDE, max(MIN_SIDE, multiples * MULTIPLE))


def _check_pictures(request: Request, owner: Owner, uploads: Uploads) -> None:
    for name, picture in pictures_of(request):
        if not is_reference(picture):
            raise InvalidRequest(field=name, reason="picture_not_stored")
        if not uploads.use(owner, picture):  # from now on it is not taken away before this job is written down
            raise PictureNotFound(picture=picture)
