"""Which kind of body a route accepts and how much of it, decided before the body is read: JSON, or a form for an
upload; and which JSON is accepted.

A page of another site may send `text/plain` and forms without asking first, but not JSON; and a caller who sends the
wrong kind is told that, instead of complaints about fields that it did send. JSON is read strictly: no key twice in one
object (readers differ in which one counts), and no more keys than any request could have. Knows no route.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Any

from fastapi import HTTPException, Request
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import Response

from webui.api.bodies.limits import MEGABYTE, OTHER_MEGABYTES, PICTURE_MEGABYTES
from webui.api.http_errors import MediaTypeRefused
from webui.api.services import owner_of
from webui.requests.fields import may_hold_pictures

MAX_NAMES = 256  # in one object; complaining about each of a hundred thousand unknown ones took six seconds


class BodyRoute(APIRoute):
    """A route that declares how much of a body it accepts, in megabytes; the guard enforces this."""

    megabytes = OTHER_MEGABYTES


class UnreadRoute(BodyRoute):
    """A route that reads no body, and so need not refuse any for its length."""

    megabytes = 1_000_000


class PictureRoute(BodyRoute):
    """A route that accepts a picture."""

    megabytes = PICTURE_MEGABYTES


class JsonRoute(BodyRoute):
    """A route whose body, if any, is `application/json` or `application/…+json`. It accepts as much as a picture takes
    if its body may contain one, at any depth.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        if any(may_hold_pictures(body.field_info.annotation) for body in self.dependant.body_params):
            self.megabytes = PICTURE_MEGABYTES

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own handler, after the check."""
        handle = _checked(self, is_json)

        async def handle_strictly(call: Request) -> Response:
            return await handle(_StrictRequest(call.scope, call.receive))

        return handle_strictly


class FormRoute(PictureRoute):
    """A route whose body, if any, is `multipart/form-data`: a picture."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own handler, after the check."""
        handle = _checked(self, is_multipart)

        async def handle_in_place(call: Request) -> Response:
            return await handle(in_memory_if_private(call))

        return handle_in_place


class _StrictRequest(Request):
    """Reads its JSON strictly; FastAPI answers what it refuses like any other JSON that cannot be read."""

    async def json(self) -> Any:
        """Raises json.JSONDecodeError."""
        return strict_json(await self.body())


class _MemoryParser(MultiPartParser):
    """Keeps files of a form in memory, however large; the guard has limited the whole body."""

    spool_max_size = 2 * PICTURE_MEGABYTES * MEGABYTE


class _MemoryRequest(Request):
    async def _get_form(
        self, *, max_files: float = 1000, max_fields: float = 1000, max_part_size: int = 2**20
    ) -> FormData:
        if self._form is None:
            parser = _MemoryParser(
                self.headers, self.stream(), max_files=max_files, max_fields=max_fields, max_part_size=max_part_size
            )
            try:
                self._form = await parser.parse()
            except MultiPartException as error:
                raise HTTPException(400, error.message) from error
        return self._form


def in_memory_if_private(call: Request) -> Request:
    """The same call; the files of a form stay in memory if the caller is in private mode."""
    is_ours = owner_of(call).is_private and is_multipart(media_type(call))
    return _MemoryRequest(call.scope, call.receive) if is_ours else call


def strict_json(content: bytes) -> Any:
    """Parses JSON strictly. Raises json.JSONDecodeError, also for some things that ordinary parsers accept."""
    return json.loads(content, object_pairs_hook=_strict_object)


def _strict_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_NAMES:
        raise json.JSONDecodeError("too many names in one object", "", 0)
    values = dict(pairs)
    if len(values) < len(pairs):
        raise json.JSONDecodeError("a name stands twice in one object", "", 0)
    return values


def _checked(route: APIRoute, is_taken: Callable[[str], bool]) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    handle = APIRoute.get_route_handler(route)
    if route.body_field is None:
        return handle

    async def check_and_handle(call: Request) -> Response:
        if not is_taken(media_type(call)):
            raise MediaTypeRefused()
        return await handle(call)

    return check_and_handle


def media_type(call: Request) -> str:
    """`type/subtype` in lower case; empty if the caller does not say."""
    said = call.headers.get("content-type", "")
    if not said:
        return ""
    message = Message()
    message["content-type"] = said
    return message.get_content_type() if "/" in said else said


def is_json(said: str) -> bool:
    """Whether a media type is `application/json` or `application/…+json`."""
    kind, _, subtype = said.partition("/")
    return kind == "application" and (subtype == "json" or subtype.endswith("+json"))


def is_multipart(said: str) -> bool:
    """Whether a media type is that of a form with a file in it."""
    return said == "multipart/form-data"
