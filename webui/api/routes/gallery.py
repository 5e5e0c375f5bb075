"""`/api/gallery`, and deleting with undo. The page's own calls."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request

from webui.api.schemas import ERRORS, GalleryPage
from webui.api.services import Services, owner_of
from webui.api.wire import gallery_json


def gallery_routes(services: Services) -> APIRouter:
    """One person's finished pictures."""
    router = APIRouter(prefix="/api", tags=["page"], responses=ERRORS)
    pictures = services.storage.pictures

    @router.get("/gallery", response_model=GalleryPage)
    async def list_pictures(
        call: Request,
        before: Annotated[str | None, Query(max_length=100)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 60,
    ) -> Any:
        """Newest first; `before` is the `next` of the page before."""
        found = await to_thread.run_sync(lambda: pictures.list(owner_of(call), before=before, limit=limit))
        following = found[-1].id if len(found) == limit else None
        return {"pictures": [gallery_json(picture) for picture in found], "next": following}

    @router.delete("/images/{id}", status_code=202)
    async def delete_picture(call: Request, id: str) -> dict[str, Any]:
        """Out of the gallery; for a while it can be brought back."""
        await to_thread.run_sync(pictures.delete, owner_of(call), id)
        return {"id": id}

    @router.post("/images/{id}/restore", status_code=202)
    async def restore_picture(call: Request, id: str) -> dict[str, Any]:
        """Undoes `DELETE`."""
        await to_thread.run_sync(pictures.restore, owner_of(call), id)
        return {"id": id}

    return router
