"""`POST /api/text-to-image`, `/api/image-to-image`, `/api/style-transfer`: a request in, a queued job out.

A caller whose connection may break sends an `Idempotency-Key`; the same call with the same key is the same job.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Request

from webui import requests
from webui.api.bodies.media_types import JsonRoute
from webui.api.schemas import ERRORS, Submitted
from webui.api.services import Services, owner_of
from webui.api.wire import submitted_json
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.requests.style_transfer import StyleTransfer
from webui.storage.job_rows import Once

_Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description="Any text that is new for each new request; the same call with the same key makes no second job",
    ),
]


def generate_routes(services: Services) -> APIRouter:
    """One route for each task, with that task's request as its body."""
    router = APIRouter(prefix="/api", tags=["generate"], responses=ERRORS, route_class=JsonRoute)

    async def submit(call: Request, request: requests.Request, key: str | None) -> dict[str, Any]:
        return submitted_json(await services.submissions.submit(owner_of(call), request, await _once(call, key)))

    @router.post("/text-to-image", status_code=202, response_model=Submitted)
    async def text_to_image(call: Request, request: TextToImage, key: _Key = None) -> Any:
        """Diffusion from noise, guided by a prompt. What is null or absent becomes the checkpoint's default."""
        return await submit(call, request, key)

    @router.post("/image-to-image", status_code=202, response_model=Submitted)
    async def image_to_image(call: Request, request: ImageToImage, key: _Key = None) -> Any:
        """Diffusion from a picture. `denoising_strength`: 0 keeps the picture, 1 ignores it."""
        return await submit(call, request, key)

    @router.post("/style-transfer", status_code=202, response_model=Submitted)
    async def style_transfer(call: Request, request: StyleTransfer, key: _Key = None) -> Any:
        """One picture's content in another's style."""
        return await submit(call, request, key)

    return router


async def _once(call: Request, key: str | None) -> Once | None:
    """The key with a digest of the body's very bytes and of the address that they were sent to."""
    if key is None:
        return None
    body = await call.body()  # read already: the request was made of it
    return Once(key=key, digest=await to_thread.run_sync(_digest, call.scope["path"], body))


def _digest(path: str, body: bytes) -> str:
    return hashlib.sha256(path.encode() + b"\0" + body).hexdigest()
