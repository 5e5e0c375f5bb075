"""What a request becomes when it is submitted: nothing is left open, so running it again gives the same picture.

`jobs/resolve.py` makes these; only these are stored, queued, sent to a worker and run. Each is also a valid request of
its task, as a person might have sent it. Knows no torch, no gradio, no storage.
"""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Le
from pydantic import Field, Strict, TypeAdapter
from pydantic.dataclasses import dataclass, rebuild_dataclass

from webui.capabilities import Capability, needs
from webui.requests import Request, from_dict, to_dict
from webui.requests.diffusion import Branch, ImageToImage, TextToImage
from webui.requests.field_types import (
    AUTOMATIC,
    CONFIG,
    MAX_SEED,
    CheckpointId,
    Decoder,
    GuidanceScale,
    Pixels,
    Scheduler,
    Scope,
    Sigmas,
    Steps,
)
from webui.requests.infotext_names import infotext
from webui.requests.style_transfer import StyleTransfer

FixedSeed = Annotated[int, Strict(), Ge(0), Le(MAX_SEED)]


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class SettledBranch(Branch):
    """A branch whose origin is settled, too."""

    origin: Annotated[SettledTextToImage | SettledImageToImage, Field(discriminator="task")]


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class _Settled:
    """The fields of a diffusion that may be open when it is asked for."""

    checkpoint: CheckpointId
    scheduler: Scheduler
    sigmas: Sigmas
    steps: Steps
    guidance_scale: GuidanceScale
    seed: Annotated[FixedSeed, Scope.IMAGE, infotext("Seed")]
    width: Pixels
    height: Pixels
    # Before there was a tiny one, every picture was decoded in full.
    decoder: Decoder = "full"
    branch_from: Annotated[SettledBranch | None, needs(Capability.BRANCHES), Scope.BRANCH] = None


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class SettledTextToImage(_Settled, TextToImage):
    """A text to image with nothing left open. Raises ValueError, as pydantic does, if something is open after all."""

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class SettledImageToImage(_Settled, ImageToImage):
    """An image to image with nothing left open. Raises ValueError, as pydantic does, if something is open after all."""

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class SettledStyleTransfer(StyleTransfer):
    """A style transfer whose seed is fixed."""

    seed: Annotated[FixedSeed, infotext("Seed")]


SettledDiffusion = SettledTextToImage | SettledImageToImage
Settled = SettledDiffusion | SettledStyleTransfer
SETTLED: dict[str, type[SettledTextToImage] | type[SettledImageToImage] | type[SettledStyleTransfer]] = {
    "text_to_image": SettledTextToImage,
    "image_to_image": SettledImageToImage,
    "style_transfer": SettledStyleTransfer,
}

for _settled in (SettledBranch, *SETTLED.values()):  # they name one another
    rebuild_dataclass(_settled, force=True)  # type: ignore[arg-type]  # pydantic's own, which mypy does not see

_ADAPTER: TypeAdapter[Settled] = TypeAdapter(Annotated[Settled, Field(discriminator="task")])


def settled_from_dict(values: dict[str, Any]) -> Settled:
    """The settled request that `requests.to_dict` wrote, in this version or an earlier one.

    Raises pydantic's ValidationError for anything else, and for a request that leaves something open.
    """
    return _ADAPTER.validate_python(values)


def as_asked(request: Request) -> Request:
    """The same as a request that may leave things open again."""
    return from_dict(to_dict(request))


def _check(request: SettledDiffusion) -> None:
    if request.vae == AUTOMATIC:
        raise ValueError("vae must be an id, or null")
    if request.variation_strength > 0 and (request.variation_seed is None or request.variation_seed < 0):
        raise ValueError("variation_seed must be set")
    if tuple(look.name for look in request.look_texts) != request.looks:
        raise ValueError("look_texts must match looks")
    if request.looks and request.resolved_prompts is None:
        raise ValueError("resolved_prompts must be set")
    if request.resolved_prompts is not None and len(request.resolved_prompts) < request.num_images:
        raise ValueError("resolved_prompts must cover every image")
