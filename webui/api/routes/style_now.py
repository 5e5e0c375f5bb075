"""`POST /api/style-transfer/now`: the instant network's picture as the answer itself, for a page whose slider moves.

The picture and its job lie in memory and go with the answer; who wants to keep one submits the same request as a job.
A caller who leaves ends it, so that a slider never waits for what it has passed.
"""

from __future__ import annotations

import secrets
from collections import Counter
from typing import Any

import anyio
from anyio import CancelScope, to_thread
from fastapi import APIRouter, Request, Response

from webui import requests
from webui.api import http_errors
from webui.api.bodies.media_types import JsonRoute
from webui.api.bodies.pictures import store_inline_pictures
from webui.api.schemas import ERRORS
from webui.api.services import Services, language_asked, owner_of
from webui.api.wire import failure_json
from webui.errors import InvalidRequest, TooManyJobs
from webui.events import Event, Failed, Finished
from webui.request_fields import pictures_of
from webui.requests import StyleTransfer
from webui.storage.formats import in_format
from webui.storage.owners import Owner, PrivateOwner

_PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}, "description": "The picture"}}
_LEFT = Response(status_code=499)  # nobody reads it
_MOST_AT_ONCE = 4  # of one person: a page has one on its way, and one that it has just left


def style_now_routes(services: Services) -> APIRouter:
    """One route."""
    on_their_way: Counter[Owner] = Counter()
    router = APIRouter(prefix="/api/style-transfer", tags=["generate"], responses=ERRORS, route_class=JsonRoute)

    @router.post("/now", response_class=Response, responses=_PICTURE)
    async def style_now(call: Request, request: StyleTransfer) -> Response:
        """A style transfer of the method `instant`, answered with its picture, which is not kept."""
        if request.method != "instant":
            raise InvalidRequest(field="method", reason="only_instant")
        owner = owner_of(call)
        if on_their_way[owner] >= _MOST_AT_ONCE:
            raise TooManyJobs(waiting=on_their_way[owner], retry_after_seconds=1)
        passing = PrivateOwner(owner.name, secrets.token_urlsafe(8), is_passing=True)
        answer = _LEFT
        on_their_way[owner] += 1
        try:
            stored = await store_inline_pictures(services, owner, request)
            async with anyio.create_task_group() as group:
                group.start_soon(_cancel_when_left, call, group.cancel_scope)
                answer = await _answer(services, owner, passing, stored, call)
                group.cancel_scope.cancel()
        except ExceptionGroup as group_of_one:
            raise group_of_one.exceptions[0] from None
        finally:
            on_their_way[owner] -= 1
            with CancelScope(shield=True):
                await to_thread.run_sync(services.queue.forget, passing)
        return answer

    return router


async def _answer(
    services: Services, owner: Owner, passing: PrivateOwner, request: requests.Request, call: Request
) -> Response:
    await to_thread.run_sync(_lend, services, owner, passing, request)
    job = await to_thread.run_sync(services.queue.submit, passing, request)
    last: Event | None = None
    async for _number, event in services.queue.watch(passing, job.id):
        last = event
    match last:
        case Finished(images=(image,)):
            return await to_thread.run_sync(_picture, services, passing, image.id)
        case Failed():
            error = failure_json(last, services.texts, language_asked(call))
            return http_errors.json_response({"error": error}, 500)
        case _:  # stopped: the program ends
            return _LEFT


def _lend(services: Services, owner: Owner, passing: PrivateOwner, request: requests.Request) -> None:
    """What is in the request is this passing owner's too. Raises PictureNotFound."""
    theirs, lent = services.storage.of(owner).uploads, services.storage.of(passing).uploads
    for reference in {picture for _field, picture in pictures_of(request)}:
        lent.add(passing, theirs.read(owner, reference), *theirs.size(reference))


def _picture(services: Services, passing: PrivateOwner, id: str) -> Response:
    path = services.storage.of(passing).pictures.get(passing, id).path
    return Response(in_format(path, "jpeg"), media_type="image/jpeg", headers={"Cache-Control": "no-store"})


async def _cancel_when_left(call: Request, scope: CancelScope) -> None:
    while (await call.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
