"""`/api/jobs/{id}/keep` and `/branch`: go back to a step of a job, to keep it or to continue differently. `/strip`: all
its previews as one file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from webui import requests
from webui.api.bodies.media_types import JsonRoute
from webui.api.concurrency import at_once
from webui.api.schemas import ERRORS, Submitted
from webui.api.services import Services, owner_of
from webui.api.wire import submitted_json
from webui.requests import to_dict
from webui.requests.field_types import MAX_SEED, Prompt
from webui.requests.settled import Settled
from webui.rules.branches import branched, step_kept
from webui.storage.animation import animated_webp

_ANIMATION: dict[int | str, dict[str, Any]] = {200: {"content": {"image/webp": {}}, "description": "The strip"}}


class StepAsked(BaseModel):
    """Step `step` (from 1) of image `image` (from 0) of the job."""

    model_config = ConfigDict(extra="forbid")

    image: Annotated[int, Field(strict=True, ge=0, le=15)] = 0
    step: Annotated[int, Field(strict=True, ge=1, le=2000)]


class BranchAsked(StepAsked):
    """What is to be otherwise after that step; null or absent is as it was. A seed of -1 is a random one."""

    prompt: Prompt | None = None
    negative_prompt: Prompt | None = None
    guidance_scale: Annotated[float, Field(strict=True, ge=0.0, le=30.0)] | None = None
    seed: Annotated[int, Field(strict=True, ge=-1, le=MAX_SEED)] | None = None
    num_images: Annotated[int, Field(strict=True, ge=1, le=16)] | None = None


class StepSubmitted(Submitted):
    """`request` is what the job was submitted with."""

    request: dict[str, Any]


def step_routes(services: Services) -> APIRouter:
    """Both are jobs like any other: they wait in line, and can be made again from their pictures' metadata."""
    router = APIRouter(prefix="/api/jobs", tags=["jobs"], responses=ERRORS, route_class=JsonRoute)

    async def submit(call: Request, id: str, made_of: Callable[[Settled], requests.Request]) -> dict[str, Any]:
        owner = owner_of(call)
        origin = (await to_thread.run_sync(services.queue.get, owner, id)).request
        submitted = await services.submissions.submit(owner, made_of(origin))
        return submitted_json(submitted, request=to_dict(submitted.request))

    @router.post("/{id}/keep", status_code=202, response_model=StepSubmitted)
    async def keep_step(call: Request, id: str, asked: StepAsked) -> Any:
        """Makes a picture of a step: the clean one that the network expected then, as the step's preview shows it."""
        return await submit(call, id, lambda origin: step_kept(origin, asked.image, asked.step))

    @router.post("/{id}/branch", status_code=202, response_model=StepSubmitted)
    async def branch_off(call: Request, id: str, asked: BranchAsked) -> Any:
        """Goes on from a step with another prompt, guidance or seed."""
        changes = asked.model_dump(exclude={"image", "step"}, exclude_none=True)
        return await submit(call, id, lambda origin: branched(origin, asked.image, asked.step, changes))

    # Each takes up to two seconds of a core.
    @router.get("/{id}/strip", response_class=Response, responses=_ANIMATION, dependencies=[at_once(2)])
    async def save_strip(call: Request, id: str, image: Annotated[int, Query(ge=0, le=15)] = 0) -> Response:
        """The previews of one image (from 0) of a job as an animated WebP."""
        previews = await to_thread.run_sync(services.queue.strip, owner_of(call), id, image)
        content = await to_thread.run_sync(animated_webp, previews)
        headers = {"Content-Disposition": f'attachment; filename="darkroom-strip-{id}-{image}.webp"'}
        return Response(content, media_type="image/webp", headers=headers)

    return router
