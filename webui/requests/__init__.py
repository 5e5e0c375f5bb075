"""What a person asks for: one frozen object per task that says everything.

A field is declared once, with its default, bounds and step. The control on the page, the HTTP 422, the JSON schema, the
picture's metadata and the preset all come from that declaration (`fields.py`). Whatever changes the pixels is a
field. Requests are plain JSON: pictures in them are references `sha256:<hex>` into the store of uploads.
Knows no torch, no gradio, no storage.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import rebuild_dataclass

from webui.requests.diffusion import Branch, ImageToImage, TextToImage
from webui.requests.field_types import MAX_SEED
from webui.requests.style_transfer import StyleTransfer

AnyDiffusion = TextToImage | ImageToImage
SomeDiffusion = TypeVar("SomeDiffusion", bound=AnyDiffusion)  # the same one in and out
Request = AnyDiffusion | StyleTransfer
REQUESTS: dict[str, type[TextToImage] | type[ImageToImage] | type[StyleTransfer]] = {
    "text_to_image": TextToImage,
    "image_to_image": ImageToImage,
    "style_transfer": StyleTransfer,
}


for _request in (Branch, *REQUESTS.values()):  # they name one another
    rebuild_dataclass(_request, force=True)  # type: ignore[arg-type]  # pydantic's own, which mypy does not see

_ADAPTER: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="task")])


def from_dict(values: dict[str, Any]) -> Request:
    """The request that `to_dict` wrote. Raises pydantic's ValidationError for anything else."""
    return _ADAPTER.validate_python(values)


def to_dict(request: Request) -> dict[str, Any]:
    """Plain JSON, including `task` and `schema_version`."""
    return dataclasses.asdict(request)


def image_seed(seed: int, index: int) -> int:
    """The seed of image `index` (from 0) of a request."""
    return (seed + index) % (MAX_SEED + 1)
