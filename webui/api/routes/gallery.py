"""`/api/gallery`, and deleting with undo. The page's own calls."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request

from webui.api.schemas import ERRORS, GalleryPage, Kept
from webui.api.services import Services, owner_of
from webui.api.wire import gallery_json
from webui.storage.pictures import Pictures


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

    @router.post("/images/{id}/keep", status_code=202, response_model=Kept)
    async def keep_picture(call: Request, id: str) -> Any:
        """Takes a picture that fits the prompt less among those of its job that are kept."""
        return await _set_kept(pictures, owner_of(call), id, kept=True)

    @router.delete("/images/{id}/keep", status_code=202, response_model=Kept)
    async def put_picture_back(call: Request, id: str) -> Any:
        """Undoes that; a picture that no critic has judged stays kept."""
        return await _set_kept(pictures, owner_of(call), id, kept=False)

    return router


async def _set_kept(pictures: Pictures, owner: str, id: str, *, kept: bool) -> dict[str, Any]:
    found = await to_thread.run_sync(lambda: pictures.keep(owner, id, kept=kept))
    return {"id": id, "kept": found.kept}
