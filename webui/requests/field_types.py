"""The types of the fields of requests: bounds, texts, pictures, and how far a field concerns a single image.

Each says what the page, the HTTP API and the stored form need to know about a value; knows no request.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from typing import Annotated, Final, Literal

from annotated_types import Ge, Le, MultipleOf
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    WithJsonSchema,
)

from webui.capabilities import Capability, needs
from webui.requests import infotext_names
from webui.requests.field_controls import ProperNames
from webui.requests.field_rules import (
    all_of,
    at_most,
    error,
    inactive,
    is_set,
    lacks,
    negated,
    not_offered,
    one_choice,
    one_of,
)
from webui.requests.infotext_names import infotext
from webui.schedulers import (
    SCHEDULERS,
    SIGMAS,
    nearest_scheduler,
    nearest_sigmas,
)

SCHEMA_VERSION: Final = 2
MAX_SEED = 2**32 - 1  # torch takes more, but JSON clients and SQLite do not
MAX_PROMPT_CHARACTERS = 10_000
MAX_LOOKS = 8
MAX_LOOK_NAME = 100  # characters
_MAX_CLEANED_CHARACTERS = 4 * MAX_PROMPT_CHARACTERS  # megabytes take seconds to clean, and are refused anyway

# Not `strict` as a whole: that would refuse a JSON object for the dataclass itself. Each number is strict instead.
CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False)
_HAN = re.compile(r"[\u3400-\u9fff]")
_REFERENCE = re.compile(r"sha256:[0-9a-f]{64}")
# The possessive `+` keeps it linear: 64 MB of spaces before one wrong sign must not be tried in every division.
_INLINE = re.compile(r"(data:image/(png|jpeg|jpg|webp);base64,)?[A-Za-z0-9+/\s]{16,}+={0,2}\s*+", re.IGNORECASE)


def clean_text(text: str) -> str:
    """NFC, without what breaks files, databases and event streams later: lone surrogates, controls but \\n and \\t."""
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", kept)


def is_chinese(text: str) -> bool:
    """Whether `text` contains Chinese characters."""
    return _HAN.search(text) is not None


def _clean_if_text(value: object) -> object:
    if not isinstance(value, str) or len(value) > _MAX_CLEANED_CHARACTERS:
        return value
    return clean_text(value)


def is_reference(picture: str) -> bool:
    """Whether `picture` names a stored upload, instead of containing the bytes themselves."""
    return _REFERENCE.fullmatch(picture) is not None


def _check_picture(picture: str) -> str:
    if is_reference(picture) or _INLINE.fullmatch(picture):
        return picture
    raise ValueError(
        "a picture is base64, a data: URI of a PNG, JPEG or WebP, or the sha256:<hex> of one that was uploaded"
    )


def _check_scheduler(name: str) -> str:
    if any(name == known.id for known in SCHEDULERS):
        return name
    nearest = nearest_scheduler(name)
    hint = "" if nearest is None else f"; the nearest one here is {nearest}"
    raise ValueError(f"no scheduler is called {name!r}{hint}")


def _check_template(text: str) -> str:
    if text.count("{prompt}") != 1:
        raise ValueError("a look's prompt must contain {prompt} exactly once")
    return text


def _check_sigmas(name: str) -> str:
    if name in SIGMAS:
        return name
    nearest = nearest_sigmas(name)
    hint = "" if nearest is None else f"; the nearest one here is {nearest}"
    raise ValueError(f"no sigmas are called {name!r}{hint}")


class Scope(Enum):
    """How far a field may differ on one way from noise to picture: between images, or in a branch. Others must not."""

    IMAGE = "image"  # one image's own: a walk goes over it, or it says nothing of how one image looks
    BRANCH = "branch"  # what the network is told and when: a branch may have it otherwise, and one image's own


Prompt = Annotated[str, Field(max_length=MAX_PROMPT_CHARACTERS), BeforeValidator(_clean_if_text)]
PICTURE = object()  # marks the type below, so that pictures are found by it
Picture = Annotated[
    str,
    PICTURE,
    AfterValidator(_check_picture),
    WithJsonSchema(
        {"type": "string", "description": "base64, a data: URI, or the sha256:<hex> of a picture that was uploaded"}
    ),
]
Pixels = Annotated[int, Strict(), Ge(64), Le(2048), MultipleOf(8)]
Added = Annotated[int, Strict(), Ge(0), Le(1024), MultipleOf(8), needs(Capability.INPAINTING)]
SIDES = ("outpaint_left", "outpaint_right", "outpaint_top", "outpaint_bottom")
# Of what says something only where a part of the picture is drawn.
_OF_A_PART = needs(Capability.INPAINTING, is_refused=False)
_NOTHING_MASKED = inactive("nothing_masked", negated(is_set("mask", *SIDES)))
_FROM_NOISE = inactive("from_noise", is_set(*SIDES), negated(is_set("mask")))
NO_GUIDANCE = 1.0  # a guidance scale up to this follows the prompt alone
_GUIDANCE_OFF = inactive("guidance_off", at_most("guidance_scale", NO_GUIDANCE))
Seed = Annotated[int, Strict(), Ge(-1), Le(MAX_SEED)]
CheckpointId = Annotated[str, Field(max_length=512)]  # path below models/, without suffix
AUTOMATIC = "automatic"  # the VAE beside the checkpoint, if there is one
VaeId = Annotated[str, Field(min_length=1, max_length=512)]  # as `GET /api/models?kind=vae` has it, or AUTOMATIC
# Then it is what draws. Where the one beside the checkpoint was asked for, settling says whether there is one.
_VAE_NAMED = all_of(negated(lacks(Capability.VAE)), is_set("vae"), negated(one_of("vae", AUTOMATIC)))
Decoder = Annotated[
    Literal["full", "tiny"],
    Scope.BRANCH,
    inactive("no_tiny_decoder", one_choice("decoder")),
    inactive("vae_decodes", _VAE_NAMED),
    error("no_tiny_decoder", not_offered("decoder")),
    error("vae_decodes", _VAE_NAMED, one_of("decoder", "tiny")),
    infotext_names.DECODER,
]
Scheduler = Annotated[
    str,
    AfterValidator(_check_scheduler),
    WithJsonSchema({"type": "string", "enum": [s.id for s in SCHEDULERS]}),
    ProperNames({s.id: s.name for s in SCHEDULERS}),
]
Sigmas = Annotated[str, AfterValidator(_check_sigmas), WithJsonSchema({"type": "string", "enum": list(SIGMAS)})]
Steps = Annotated[int, Strict(), Ge(1), Le(150), infotext("Steps")]
GuidanceScale = Annotated[
    float, Strict(), Ge(0.0), Le(30.0), Field(json_schema_extra={"step": 0.1}), Scope.BRANCH, infotext("CFG scale")
]
Looks = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=MAX_LOOK_NAME)], ...], Field(max_length=MAX_LOOKS)
]
