"""`POST /api/style-transfer/now`: answers with the instant network's picture itself, for a page whose slider moves.

The picture and its job stay in memory and disappear with the answer; to keep a picture, submit the same request as a
job. A caller who disconnects ends it, so a slider never waits for values that it has passed.
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import Any

from anyio import CancelScope, to_thread
from fastapi import APIRouter, Request, Response

from webui import requests
from webui.api import http_errors
from webui.api.bodies.media_types import JsonRoute
from webui.api.bodies.pictures import store_inline_pictures
from webui.api.concurrency import at_once_per_person, unless_left
from webui.api.schemas import ERRORS
from webui.api.services import Services, language_asked, owner_of
from webui.api.wire import failure_json
from webui.errors import InvalidRequest
from webui.events import Failed, Finished
from webui.requests.fields import pictures_of
from webui.requests.style_transfer import StyleTransfer
from webui.storage.formats import in_format
from webui.storage.owners import Owner, PrivateOwner

_PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}, "description": "The picture"}}
_LEFT = Response(status_code=499)  # nobody reads it


def style_now_routes(services: Services) -> APIRouter:
    """One route."""
    router = APIRouter(prefix="/api/style-transfer", tags=["generate"], responses=ERRORS, route_class=JsonRoute)

    # A page has one on its way, and one that it has just left.
    @router.post("/now", response_class=Response, responses=_PICTURE, dependencies=[at_once_per_person(4)])
    async def style_now(call: Request, request: StyleTransfer) -> Response:
        """A style transfer with the method `instant`, answered with its picture, which is not kept."""
        if request.method != "instant":
            raise InvalidRequest(field="method", reason="only_instant")
        return await unless_left(call, partial(_answer, services, call, request)) or _LEFT

    return router


async def _answer(services: Services, call: Request, request: requests.Request) -> Response:
    owner = owner_of(call)
    passing = PrivateOwner(owner.name, secrets.token_urlsafe(8), is_passing=True)
    stored = await store_inline_pictures(services.storage, services.decoder, owner, request)
    try:
        await to_thread.run_sync(_lend, services, owner, passing, stored)
        submitted = await services.submissions.submit(passing, stored)
        match last := await services.submissions.wait(passing, submitted.job.id):
            case Finished(images=(image,)):
                return await to_thread.run_sync(_picture, services, passing, image.id)
            case Failed():
                error = failure_json(last, services.texts, language_asked(call))
                return http_errors.json_response({"error": error}, 500)
            case _:  # stopped: the program ends
                return _LEFT
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(services.queue.forget, passing)


def _lend(services: Services, owner: Owner, passing: PrivateOwner, request: requests.Request) -> None:
    """What is in the request is this passing owner's too. Raises PictureNotFound."""
    theirs, lent = services.storage.of(owner).uploads, services.storage.of(passing).uploads
    for reference in {picture for _field, picture in pictures_of(request)}:
        lent.add(passing, theirs.read(owner, reference), *theirs.size(reference))


def _picture(services: Services, passing: PrivateOwner, id: str) -> Response:
    path = services.storage.of(passing).pictures.get(passing, id).path
    return Response(in_format(path, "jpeg").content, media_type="image/jpeg", headers={"Cache-Control": "no-store"})
