"""What below `/api` nobody serves is answered here, instead of by Gradio, which is mounted behind our routes."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from webui.api.refusals import NotFound

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def unknown_routes() -> APIRouter:
    """The last of our routers."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/api/{path:path}", methods=_METHODS)
    async def unknown(call: Request, path: str) -> Response:
        raise NotFound()

    return router
