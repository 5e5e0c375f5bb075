"""`/api/images/{id}/request` and `/fitted-size`: what follows from a picture for the next request."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ValidationError

from webui.api.schemas import ERRORS
from webui.api.services import Services, owner_of
from webui.errors import JobUnreadable
from webui.jobs.resolve import fitted_size
from webui.requests import from_dict, to_dict
from webui.requests.field_types import is_reference
from webui.rules.again import image_of, made_again
from webui.storage.owners import Owner


class SizeOut(BaseModel):
    """The size in pixels, each side a multiple of 8."""

    width: int
    height: int


def picture_fact_routes(services: Services) -> APIRouter:
    """Both for a person's own pictures alone."""
    router = APIRouter(prefix="/api/images", tags=["images"], responses=ERRORS)

    @router.get("/{id}/request", response_model=dict[str, Any])
    async def request_again(call: Request, id: str) -> Any:
        """The request that makes exactly this picture of the gallery again, with its `task`; post it to that task's
        address.
        """
        return await to_thread.run_sync(_request_again, services, owner_of(call), id)

    @router.get("/{id}/fitted-size", response_model=SizeOut)
    async def fit(call: Request, id: str, checkpoint: Annotated[str | None, Query(max_length=512)] = None) -> Any:
        """The size that an image to image of this picture gets if its request leaves the size open: the picture's own,
        scaled down to the checkpoint's number of pixels. `checkpoint`: null means the default one.
        """
        return await to_thread.run_sync(_fitted, services, owner_of(call), id, checkpoint)

    return router


def _request_again(services: Services, owner: Owner, id: str) -> dict[str, Any]:
    """Raises PictureNotFound, and JobUnreadable for a request that this version does not understand."""
    picture = services.storage.of(owner).pictures.get(owner, id)
    try:
        request = from_dict(picture.request)
    except ValidationError as error:
        raise JobUnreadable from error
    image = image_of(request, picture.seed, {})
    return to_dict(made_again(request, picture.position if image is None else image))


def _fitted(services: Services, owner: Owner, id: str, checkpoint: str | None) -> dict[str, int]:
    """Raises PictureNotFound, CheckpointNotFound and its like, NoCheckpoint."""
    stores = services.storage.of(owner)
    if is_reference(id):
        stores.uploads.path(owner, id)  # PictureNotFound for somebody else's
        size = stores.uploads.size(id)
    else:
        picture = stores.pictures.get(owner, id)
        size = picture.width, picture.height
    found = services.catalogue.default() if checkpoint is None else services.catalogue.get(checkpoint)
    width, height = fitted_size(size, found.defaults.width * found.defaults.height)
    return {"width": width, "height": height}
