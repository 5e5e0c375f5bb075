"""`POST /api/text-to-image`, `/api/image-to-image`, `/api/style-transfer`: a request in, a queued job out."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request

from webui import requests
from webui.api.pictures_in import store_inline_pictures
from webui.api.schemas import ERRORS, Submitted
from webui.api.services import Services, owner_of
from webui.requests import ImageToImage, StyleTransfer, TextToImage


def generate_routes(services: Services) -> APIRouter:
    """One route for each task, with that task's request as its body."""
    router = APIRouter(prefix="/api", tags=["generate"], responses=ERRORS)

    async def submit(call: Request, request: requests.Request) -> dict[str, Any]:
        owner = owner_of(call)
        request = await store_inline_pictures(services, owner, request)
        job = await to_thread.run_sync(services.queue.submit, owner, request)
        return {"id": job.id, "position": services.queue.position(job.id)}

    @router.post("/text-to-image", status_code=202, response_model=Submitted)
    async def text_to_image(call: Request, request: TextToImage) -> Any:
        """Diffusion from noise, guided by a prompt. What is null or absent becomes the checkpoint's default."""
        return await submit(call, request)

    @router.post("/image-to-image", status_code=202, response_model=Submitted)
    async def image_to_image(call: Request, request: ImageToImage) -> Any:
        """Diffusion from a picture. `denoising_strength`: 0 keeps the picture, 1 ignores it."""
        return await submit(call, request)

    @router.post("/style-transfer", status_code=202, response_model=Submitted)
    async def style_transfer(call: Request, request: StyleTransfer) -> Any:
        """One picture's content in another's style."""
        return await submit(call, request)

    return router
