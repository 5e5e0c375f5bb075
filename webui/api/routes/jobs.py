"""`/api/jobs`: what a person's jobs are doing, told once or as it happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request, Response

from webui import events
from webui.api import sse
from webui.api.schemas import ERRORS, JobOut
from webui.api.services import Services, language_asked, owner_of
from webui.api.wire import event_json, job_json
from webui.storage.owners import Owner
from webui.texts import Language

_EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Server-sent events"}
}


def job_routes(services: Services) -> APIRouter:
    """List, look at, follow and cancel."""
    router = APIRouter(prefix="/api/jobs", tags=["jobs"], responses=ERRORS)

    @router.get("", response_model=list[JobOut])
    async def list_jobs(call: Request, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Any:
        """The caller's jobs, newest first."""
        jobs = await to_thread.run_sync(lambda: services.queue.list(owner_of(call), limit=limit))
        checkpoints = await to_thread.run_sync(services.catalogue.list)
        return [job_json(job, checkpoints, services.texts, language_asked(call)) for job in jobs]

    @router.get("/{id}", response_model=JobOut)
    async def get_job(call: Request, id: str) -> Any:
        """One job: its state, its request with all defaults filled in, its pictures.

        `request` is null if this version cannot read the job.
        """
        job = await to_thread.run_sync(services.queue.look, owner_of(call), id)
        checkpoints = await to_thread.run_sync(services.catalogue.list)
        return job_json(job, checkpoints, services.texts, language_asked(call))

    @router.delete("/{id}", status_code=202)
    async def cancel_job(call: Request, id: str) -> dict[str, Any]:
        """Stops a waiting or running job. Stopping a job that has ended changes nothing."""
        await to_thread.run_sync(services.queue.cancel, owner_of(call), id)
        return {"id": id}

    @router.get("/{id}/events", response_class=Response, responses=_EVENT_STREAM)
    async def follow_job(
        call: Request, id: str, last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None
    ) -> Response:
        """All events so far (after `Last-Event-ID`), then live, until `finished`, `failed` or `cancelled`."""
        owner = owner_of(call)
        await to_thread.run_sync(services.queue.look, owner, id)  # JobNotFound before the stream begins
        return sse.stream(_frames(services, owner, id, _number(last_event_id), language_asked(call)))

    return router


async def _frames(services: Services, owner: Owner, id: str, after: int, language: Language) -> AsyncIterator[bytes]:
    async with aclosing(services.queue.watch(owner, id, after=after)) as items:
        async for number, event in items:
            data = event_json(event, services.texts, language)
            yield sse.frame(data, event=events.event_name(event), id=number)


def _number(last_event_id: str | None) -> int:
    """What a client says it had last; one that says nonsense gets everything."""
    text = (last_event_id or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0
