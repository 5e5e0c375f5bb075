"""`POST /api/walk`: the pictures between two of the gallery, as one job."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from webui.api.bodies.media_types import JsonRoute
from webui.api.idempotency import Key, once_of
from webui.api.schemas import ERRORS, Submitted
from webui.api.services import Services, owner_of
from webui.api.wire import submitted_json
from webui.errors import InvalidRequest
from webui.requests import from_dict
from webui.requests.diffusion import TextToImage
from webui.rules.walks import Image, Walk, walk_between
from webui.storage.owners import Owner
from webui.storage.pictures import Picture

_Id = Annotated[str, Field(min_length=1, max_length=100)]


class WalkAsked(BaseModel):
    """A walk from one of the caller's pictures to another one; `num_images` includes both ends."""

    model_config = ConfigDict(extra="forbid")

    first: _Id
    second: _Id
    num_images: Annotated[int, Field(strict=True, ge=2, le=16)] = 7


class WalkSubmitted(Submitted):
    """`differences` are settings in which the second picture differs; the walk uses the first one's throughout."""

    differences: list[str]


def walk_routes(services: Services) -> APIRouter:
    """Walks between a person's own pictures."""
    router = APIRouter(prefix="/api", tags=["generate"], responses=ERRORS, route_class=JsonRoute)

    def walk_of(owner: Owner, asked: WalkAsked) -> Walk:
        pictures = services.storage.of(owner).pictures
        first, second = (pictures.get(owner, id) for id in (asked.first, asked.second))
        return walk_between(_image(first), _image(second), asked.num_images)

    @router.post("/walk", status_code=202, response_model=WalkSubmitted)
    async def make_walk(call: Request, asked: WalkAsked, key: Key = None) -> Any:
        """The pictures between two that were made from text: noise moves along a sphere, prompts
        along a straight line.
        """
        owner = owner_of(call)
        walk = await to_thread.run_sync(walk_of, owner, asked)
        submitted = await services.submissions.submit(owner, walk.request, await once_of(call, key))
        return submitted_json(submitted, differences=list(walk.differences))

    return router


def _image(picture: Picture) -> Image:
    """Raises InvalidRequest for a picture that no text alone made, or whose request this version cannot read."""
    try:
        request = from_dict(picture.request)
    except ValidationError as error:
        raise InvalidRequest(field="walk_to", reason="walk_needs_text") from error
    if not isinstance(request, TextToImage):
        raise InvalidRequest(field="walk_to", reason="walk_needs_text")
    return Image(request=request, index=picture.position)
