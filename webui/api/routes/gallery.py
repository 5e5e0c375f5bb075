"""`/api/gallery`: a person's pictures by page, by words, stars and boards; stars, and deleting with undo. The page's
own calls."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, StrictBool

from webui.api.bodies.media_types import JsonRoute
from webui.api.schemas import ERRORS, GalleryPage, GalleryPicture, Kept, PictureIds, PicturesDone
from webui.api.services import Services, owner_of
from webui.api.wire import gallery_json
from webui.errors import PictureNotFound
from webui.storage.listing import Wanted
from webui.storage.owners import Owner
from webui.storage.pictures import Pictures
from webui.storage.private import Stores
from webui.storage.search import MAX_QUERY_CHARACTERS

_Moment = Annotated[float | None, Query(ge=0, le=2**40, allow_inf_nan=False)]


class ManyPictures(BaseModel):
    """The caller's pictures; ids that are not theirs are left out."""

    model_config = ConfigDict(extra="forbid")

    ids: PictureIds


class Starred(ManyPictures):
    """Whether the pictures should be favourites."""

    starred: StrictBool = True


def gallery_routes(services: Services) -> APIRouter:
    """One person's finished pictures."""
    router = APIRouter(prefix="/api", tags=["page"], responses=ERRORS, route_class=JsonRoute)

    def pictures(call: Request) -> Pictures:
        return services.storage.of(owner_of(call)).pictures

    @router.get("/gallery", response_model=GalleryPage)
    async def list_pictures(
        call: Request,
        before: Annotated[str | None, Query(max_length=100)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 60,
        q: Annotated[str, Query(max_length=MAX_QUERY_CHARACTERS)] = "",
        starred: bool = False,
        board: Annotated[str | None, Query(max_length=100)] = None,
        since: _Moment = None,
        until: _Moment = None,
    ) -> Any:
        """Newest first; `before` is the `next` of the previous page.

        `q`: words of the prompts or of the checkpoint's name, all of which must occur; `"…"` matches words as they
        stand.
        """
        wanted = Wanted(query=q, starred=starred, board=board, since=since, until=until)
        return await to_thread.run_sync(
            _page, services.storage.of(owner_of(call)), owner_of(call), before, limit, wanted
        )

    @router.get("/gallery/{id}", response_model=GalleryPicture)
    async def look_at_picture(call: Request, id: str) -> Any:
        """One picture of the gallery."""
        return await to_thread.run_sync(_picture, services.storage.of(owner_of(call)), owner_of(call), id)

    @router.post("/gallery/star", response_model=PicturesDone)
    async def star_pictures(call: Request, asked: Starred) -> Any:
        """Marks pictures as favourites, or unmarks them."""
        owner = owner_of(call)
        return _done(
            asked, await to_thread.run_sync(lambda: pictures(call).star(owner, asked.ids, starred=asked.starred))
        )

    @router.post("/gallery/delete", response_model=PicturesDone)
    async def delete_pictures(call: Request, asked: ManyPictures) -> Any:
        """Removes pictures from the gallery; for an hour they can be restored."""
        return _done(asked, await to_thread.run_sync(pictures(call).delete_all, owner_of(call), asked.ids))

    @router.post("/gallery/restore", response_model=PicturesDone)
    async def restore_pictures(call: Request, asked: ManyPictures) -> Any:
        """Undoes the deletion."""
        return _done(asked, await to_thread.run_sync(pictures(call).restore_all, owner_of(call), asked.ids))

    @router.delete("/images/{id}", status_code=202)
    async def delete_picture(call: Request, id: str) -> dict[str, Any]:
        """Removes a picture from the gallery; for an hour it can be restored."""
        await to_thread.run_sync(pictures(call).delete, owner_of(call), id)
        return {"id": id}

    @router.post("/images/{id}/restore", status_code=202)
    async def restore_picture(call: Request, id: str) -> dict[str, Any]:
        """Undoes `DELETE`."""
        await to_thread.run_sync(pictures(call).restore, owner_of(call), id)
        return {"id": id}

    @router.post("/images/{id}/keep", status_code=202, response_model=Kept)
    async def keep_picture(call: Request, id: str) -> Any:
        """Adds a picture that fits the prompt less well to those of its job that are kept."""
        return await _set_kept(pictures(call), owner_of(call), id, kept=True)

    @router.delete("/images/{id}/keep", status_code=202, response_model=Kept)
    async def put_picture_back(call: Request, id: str) -> Any:
        """Undoes `keep`; a picture that no critic has judged stays kept."""
        return await _set_kept(pictures(call), owner_of(call), id, kept=False)

    return router


def _page(storage: Stores, owner: Owner, before: str | None, limit: int, wanted: Wanted) -> dict[str, Any]:
    found = storage.pictures.list(owner, before, limit, wanted)
    boards = storage.boards.of(owner, [picture.id for picture in found])
    return {
        "pictures": [gallery_json(picture, boards.get(picture.id, ())) for picture in found],
        "next": found[-1].id if len(found) == limit else None,
        "total": storage.pictures.count(owner, wanted) if before is None else None,
    }


def _picture(storage: Stores, owner: Owner, id: str) -> dict[str, Any]:
    """Raises PictureNotFound."""
    return gallery_json(storage.pictures.get(owner, id), storage.boards.of(owner, [id]).get(id, ()))


def _done(asked: ManyPictures, done: frozenset[str]) -> dict[str, list[str]]:
    """The ids in the order in which they were named. Raises PictureNotFound if none of them exists."""
    if asked.ids and not done:
        raise PictureNotFound(picture=asked.ids[0])
    return {"ids": [id for id in dict.fromkeys(asked.ids) if id in done]}


async def _set_kept(pictures: Pictures, owner: Owner, id: str, *, kept: bool) -> dict[str, Any]:
    found = await to_thread.run_sync(lambda: pictures.keep(owner, id, kept=kept))
    return {"id": id, "kept": found.kept}
