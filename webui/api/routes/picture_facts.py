"""`/api/images/{id}/request`: what follows from a picture for the next request."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import ValidationError

from webui.api.schemas import ERRORS
from webui.api.services import Services, owner_of
from webui.errors import JobUnreadable
from webui.requests import from_dict, to_dict
from webui.rules.again import image_of, made_again
from webui.storage.owners import Owner


def picture_fact_routes(services: Services) -> APIRouter:
    """For a person's own pictures alone."""
    router = APIRouter(prefix="/api/images", tags=["images"], responses=ERRORS)

    @router.get("/{id}/request", response_model=dict[str, Any])
    async def request_again(call: Request, id: str) -> Any:
        """The request that makes this picture of the gallery again and nothing else, with its `task`: post it there."""
        return await to_thread.run_sync(_request_again, services, owner_of(call), id)

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
