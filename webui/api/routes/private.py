"""`/api/private`: private mode on and off. The page's own calls."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from webui.api.access import private_mode
from webui.api.bodies.media_types import JsonRoute
from webui.api.routes.login import is_https
from webui.api.schemas import ERRORS
from webui.api.services import Services, owner_of
from webui.storage.owners import Owner, PrivateOwner
from webui.storage.private import IDLE_SECONDS

_MEGABYTE = 2**20


class PrivateOut(BaseModel):
    """Whether this browser is in private mode, how much memory it uses and may use, and how many minutes after its last
    call everything is forgotten.
    """

    private: bool
    megabytes: float
    limit_megabytes: int
    minutes: int


def private_routes(services: Services, port: int) -> APIRouter:
    """Three calls; while private mode is on, all other calls are those of another owner."""
    router = APIRouter(prefix="/api/private", tags=["page"], responses=ERRORS, route_class=JsonRoute)

    @router.get("", response_model=PrivateOut)
    async def how_it_is(call: Request) -> Any:
        """Whether this browser is in private mode, in which nothing is written to the disk: no request, no picture, no
        upload.
        """
        return _state(services, owner_of(call))

    @router.post("", response_model=PrivateOut)
    async def turn_on(call: Request, response: Response) -> Any:
        """Turns private mode on for this browser; calling it again changes nothing."""
        owner = owner_of(call)
        if not owner.is_private:
            private_mode.begin(response, port, is_secure=is_https(call))
        return {**_state(services, owner), "private": True}

    @router.delete("", response_model=PrivateOut)
    async def turn_off(call: Request, response: Response) -> Any:
        """Stops running jobs, forgets everything at once, and ends private mode."""
        owner = owner_of(call)
        if isinstance(owner, PrivateOwner):
            await to_thread.run_sync(services.queue.forget, owner)
        private_mode.end(response, port)
        return _state(services, Owner(owner.name))

    return router


def _state(services: Services, owner: Owner) -> dict[str, Any]:
    sessions = services.storage.private
    used_bytes = sessions.used_bytes(owner) if isinstance(owner, PrivateOwner) else 0
    return {
        "private": owner.is_private,
        "megabytes": round(used_bytes / _MEGABYTE, 1),
        "limit_megabytes": sessions.session_bytes // _MEGABYTE,
        "minutes": round(IDLE_SECONDS / 60),
    }
