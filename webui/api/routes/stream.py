"""`GET /api/stream`: everything that happens to one person's jobs on one connection. The page's own call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from fastapi import APIRouter, Request, Response

from webui import events
from webui.api import sse
from webui.api.services import Services, language_asked, owner_of
from webui.api.wire import event_json
from webui.storage.owners import Owner
from webui.texts import Language


def stream_routes(services: Services) -> APIRouter:
    """One stream a page, however many jobs: a browser holds only six connections to a host."""
    router = APIRouter(prefix="/api", tags=["page"])

    @router.get("/stream", response_class=Response)
    async def follow_all(call: Request) -> Response:
        """`hello` first, then each event as `{"job", "id", "event", …its fields}`, for as long as
        the caller listens.
        """
        return sse.stream(_frames(services, owner_of(call), language_asked(call)))

    return router


async def _frames(services: Services, owner: Owner, language: Language) -> AsyncIterator[bytes]:
    yield sse.frame({}, event="hello")
    async with aclosing(services.queue.watch_owner(owner)) as items:
        async for job_id, number, event in items:
            data = event_json(event, services.texts, language)
            yield sse.frame({"job": job_id, "id": number, "event": events.event_name(event), **data})
