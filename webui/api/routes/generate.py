"""`POST /api/text-to-image`, `/api/image-to-image`, `/api/style-transfer`: a request in, a queued job out.

A caller whose connection may break sends an `Idempotency-Key`; the same call with the same key is the same job.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from webui import requests
from webui.api.bodies.media_types import JsonRoute
from webui.api.idempotency import Key, once_of
from webui.api.schemas import ERRORS, Submitted
from webui.api.services import Services, owner_of
from webui.api.wire import submitted_json
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.requests.style_transfer import StyleTransfer


def generate_routes(services: Services) -> APIRouter:
    """One route for each task, with that task's request as its body."""
    router = APIRouter(prefix="/api", tags=["generate"], responses=ERRORS, route_class=JsonRoute)

    async def submit(call: Request, request: requests.Request, key: str | None) -> dict[str, Any]:
        submitted = await services.submissions.submit(owner_of(call), request, await once_of(call, key))
        return submitted_json(submitted)

    @router.post("/text-to-image", status_code=202, response_model=Submitted)
    async def text_to_image(call: Request, request: TextToImage, key: Key = None) -> Any:
        """Diffusion from noise, guided by a prompt. Null or missing fields get the checkpoint's defaults."""
        return await submit(call, request, key)

    @router.post("/image-to-image", status_code=202, response_model=Submitted)
    async def image_to_image(call: Request, request: ImageToImage, key: Key = None) -> Any:
        """Diffusion from a picture. `denoising_strength`: 0 keeps the picture, 1 ignores it."""
        return await submit(call, request, key)

    @router.post("/style-transfer", status_code=202, response_model=Submitted)
    async def style_transfer(call: Request, request: StyleTransfer, key: Key = None) -> Any:
        """One picture's content in the style of another."""
        return await submit(call, request, key)

    return router
