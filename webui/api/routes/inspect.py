"""`POST /api/inspect`: what a picture of any program, or a text that somebody copied, says of how it was made.

No pixel is decoded: the texts are found by walking the file's chunks, within bounds
(`webui/metadata/embedded_texts.py`).
"""

from __future__ import annotations

import dataclasses
import json
from functools import partial
from typing import Annotated, Any, BinaryIO

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile

from webui import requests
from webui.api.bodies.limits import MEGABYTE, OTHER_MEGABYTES
from webui.api.bodies.media_types import (
    PictureRoute,
    in_memory_if_private,
    is_json,
    is_multipart,
    media_type,
    strict_json,
)
from webui.api.http_errors import BodyTooLarge, MediaTypeRefused
from webui.api.schemas import ERRORS
from webui.api.services import Services, language_asked, owner_of
from webui.checkpoints.vaes import vae_id
from webui.errors import NotAnImage
from webui.metadata.embedded_texts import Text, is_known_picture, texts_in
from webui.metadata.findings import FindCheckpoint, FindVae
from webui.metadata.reading import Inspection, read_pasted, read_texts
from webui.requests import REQUESTS, to_dict
from webui.requests.fields import picture_fields, pictures_of
from webui.storage.owners import Owner

_PARALLEL = 2  # each takes a tenth of a second of a core at the most
MAX_TEXT_CHARACTERS = 1_000_000


class PastedText(BaseModel):
    """The text: A1111's line, ComfyUI's JSON, or ours."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS)]


class NamedText(BaseModel):
    """A name and what was said under it, both as they were written."""

    name: str
    text: str


class InspectionOut(BaseModel):
    """What a picture or a text says about how it was made.

    `source` is `darkroom a1111 forge sdnext comfyui invokeai fooocus novelai swarmui easydiffusion drawthings`, or
    `none` if no settings were found. `settings` are fields of a request, `task` among them; `unknown` is what has no
    place there; `notes` are sentences about what cannot be the same; `texts` are all texts in the picture, unchanged.
    `again` is the request that makes a picture of Darkroom's again, including `task`; null for any other picture, and
    if a picture that went into it is not here.
    """

    source: str
    settings: dict[str, Any]
    unknown: list[NamedText]
    notes: list[str]
    texts: list[NamedText]
    again: dict[str, Any] | None


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "application/json": {"schema": PastedText.model_json_schema()},
        },
    }
}


def inspect_routes(services: Services, find: FindCheckpoint) -> APIRouter:
    """One route; nothing that comes in is kept."""
    router = APIRouter(prefix="/api", tags=["images"], responses=ERRORS, route_class=PictureRoute)
    limiter = CapacityLimiter(_PARALLEL)
    find_vae = partial(vae_id, services.catalogue)

    @router.post("/inspect", response_model=InspectionOut, openapi_extra=_BODY)
    async def inspect(call: Request) -> Any:
        """Reads the texts in a PNG, JPEG or WebP (multipart `file`), or a `text`, as settings of a request."""
        kind = media_type(call)
        texts: tuple[Text, ...] = ()
        if is_json(kind):
            pasted = _pasted(await call.body())
            found = await to_thread.run_sync(read_pasted, pasted.text, find, find_vae, limiter=limiter)
        elif is_multipart(kind):
            async with in_memory_if_private(call).form(max_files=1, max_fields=1) as form:
                file = form.get("file")
                if not isinstance(file, UploadFile):
                    raise RequestValidationError(
                        [{"type": "missing", "loc": ("body", "file"), "msg": "Field required"}]
                    )
                found, texts = await to_thread.run_sync(_inspected, file.file, find, find_vae, limiter=limiter)
        else:
            raise MediaTypeRefused()
        owner = owner_of(call)
        settings = await to_thread.run_sync(_with_own_pictures, services, owner, found.settings)
        again = await to_thread.run_sync(_again_json, services, owner, found.again)
        language = language_asked(call)
        return {
            "source": found.source,
            "settings": settings,
            "unknown": [{"name": name, "text": text} for name, text in found.unknown],
            "notes": [services.texts.text(f"inspect.{note.code}", language, note.details) for note in found.notes],
            "texts": [dataclasses.asdict(text) for text in texts],
            "again": again,
        }

    return router


def _pasted(content: bytes) -> PastedText:
    """Raises BodyTooLarge (here a picture would be allowed more), and RequestValidationError."""
    if len(content) > OTHER_MEGABYTES * MEGABYTE:
        raise BodyTooLarge(limit_megabytes=OTHER_MEGABYTES)
    try:
        return PastedText.model_validate(strict_json(content))
    except ValidationError as error:
        raise RequestValidationError([{**item, "loc": ("body", *item["loc"])} for item in error.errors()]) from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestValidationError([{"type": "json_invalid", "loc": ("body",), "msg": "this is no JSON"}]) from error


def _inspected(source: BinaryIO, find: FindCheckpoint, find_vae: FindVae) -> tuple[Inspection, tuple[Text, ...]]:
    """Raises NotAnImage for what is none of the formats that are read."""
    if not is_known_picture(source):
        raise NotAnImage
    texts = texts_in(source)
    return read_texts(texts, find, find_vae), texts


def _again_json(services: Services, owner: Owner, request: requests.Request | None) -> dict[str, Any] | None:
    """None where a picture that goes into it is not there for this person."""
    uploads = services.storage.of(owner).uploads
    if request is None or not all(uploads.has(owner, picture) for _field, picture in pictures_of(request)):
        return None
    return to_dict(request)


def _with_own_pictures(services: Services, owner: Owner, settings: dict[str, Any]) -> dict[str, Any]:
    """Without references to uploads that are not there for this person."""
    uploads = services.storage.of(owner).uploads
    pictures = frozenset[str]().union(*map(picture_fields, REQUESTS.values()))
    if isinstance(styles := settings.get("style_images"), list | tuple):
        settings = settings | {"style_images": [one for one in styles if uploads.has(owner, one["image"])]}
    return {
        name: value
        for name, value in settings.items()
        if name not in pictures or (isinstance(value, str) and uploads.has(owner, value))
    }
