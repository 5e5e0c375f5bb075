"""Answers addresses below `/api` that no route serves, before Gradio can, which is mounted behind our routes: 404, or
405 with the methods that the address accepts."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from starlette.routing import Match
from starlette.types import Scope

from webui.api.bodies.media_types import UnreadRoute
from webui.api.http_errors import MethodNotAllowed, NotFound

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def unknown_routes(known: Sequence[APIRouter]) -> APIRouter:
    """The last of our routers; `known` are all the others."""
    router = APIRouter(include_in_schema=False, route_class=UnreadRoute)

    @router.api_route("/api/{path:path}", methods=list(_METHODS))
    async def unknown(call: Request, path: str) -> Response:
        if allowed := [method for method in _METHODS if _is_taken(known, call.scope, method)]:
            raise MethodNotAllowed(method=call.method, allow=", ".join(allowed))
        raise NotFound()

    return router


def _is_taken(known: Sequence[APIRouter], scope: Scope, method: str) -> bool:
    """Whether the same address would be answered for this method."""
    asked = {**scope, "method": method}
    return any(route.matches(asked)[0] is Match.FULL for router in known for route in router.routes)
