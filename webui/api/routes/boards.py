"""`/api/boards`: pictures of the gallery put together under names. The page's own calls."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from webui.api.bodies.media_types import JsonRoute
from webui.api.schemas import ERRORS, BoardOut, PictureIds
from webui.api.services import Services, owner_of
from webui.api.wire import board_json
from webui.storage.boards import Boards


class BoardNamed(BaseModel):
    """A board's name, 1 to 80 characters in one line."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=800)]


class BoardChange(BaseModel):
    """Pictures to put on the board, and pictures to take off it."""

    model_config = ConfigDict(extra="forbid")

    add: PictureIds = Field(default_factory=list)
    remove: PictureIds = Field(default_factory=list)


def board_routes(services: Services) -> APIRouter:
    """One person's boards."""
    router = APIRouter(prefix="/api/boards", tags=["page"], responses=ERRORS, route_class=JsonRoute)

    def boards(call: Request) -> Boards:
        return services.storage.of(owner_of(call)).boards

    @router.get("", response_model=list[BoardOut])
    async def list_boards(call: Request) -> Any:
        """Your boards, by name; `cover_url` is a thumbnail of the newest picture on a board."""
        return [board_json(board) for board in await to_thread.run_sync(boards(call).list, owner_of(call))]

    @router.post("", status_code=201, response_model=BoardOut)
    async def create_board(call: Request, asked: BoardNamed) -> Any:
        """Makes a board, or returns the one that already has this name."""
        return board_json(await to_thread.run_sync(boards(call).create, owner_of(call), asked.name))

    @router.post("/{id}", response_model=BoardOut)
    async def rename_board(call: Request, id: str, asked: BoardNamed) -> Any:
        """Renames a board."""
        return board_json(await to_thread.run_sync(boards(call).rename, owner_of(call), id, asked.name))

    @router.delete("/{id}", status_code=202)
    async def delete_board(call: Request, id: str) -> dict[str, Any]:
        """Deletes a board, but not its pictures; for an hour it can be restored."""
        await to_thread.run_sync(boards(call).delete, owner_of(call), id)
        return {"id": id}

    @router.post("/{id}/restore", response_model=BoardOut)
    async def restore_board(call: Request, id: str) -> Any:
        """Undoes `DELETE`."""
        return board_json(await to_thread.run_sync(boards(call).restore, owner_of(call), id))

    @router.post("/{id}/pictures", response_model=BoardOut)
    async def change_board(call: Request, id: str, asked: BoardChange) -> Any:
        """Puts pictures on a board and takes others off; repeating the call changes nothing."""
        owner = owner_of(call)
        changed = await to_thread.run_sync(lambda: boards(call).change(owner, id, add=asked.add, remove=asked.remove))
        return board_json(changed)

    return router
