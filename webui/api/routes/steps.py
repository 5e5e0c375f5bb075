"""`/api/jobs/{id}/keep` and `/branch`: back to a step of a job, ended or not, to keep it or to go on otherwise."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from webui import requests
from webui.api.media_types import JsonRoute
from webui.api.schemas import ERRORS, Submitted
from webui.api.services import Services, owner_of
from webui.branches import branched, step_kept
from webui.requests import Prompt, to_dict


class StepAsked(BaseModel):
    """Step `step` (from 1) of image `image` (from 0) of the job."""

    model_config = ConfigDict(extra="forbid")

    image: Annotated[int, Field(strict=True, ge=0, le=15)] = 0
    step: Annotated[int, Field(strict=True, ge=1, le=150)]


class BranchAsked(StepAsked):
    """What is to be otherwise after that step; null or absent is as it was. A seed of -1 is a random one."""

    prompt: Prompt | None = None
    negative_prompt: Prompt | None = None
    guidance_scale: Annotated[float, Field(strict=True, ge=0.0, le=30.0)] | None = None
    seed: Annotated[int, Field(strict=True, ge=-1, le=requests.MAX_SEED)] | None = None
    num_images: Annotated[int, Field(strict=True, ge=1, le=16)] | None = None


class StepSubmitted(Submitted):
    """`request` is what the job was submitted with."""

    request: dict[str, Any]


def step_routes(services: Services) -> APIRouter:
    """Both are jobs like any other: they wait in line, and can be made again from their pictures' metadata."""
    router = APIRouter(prefix="/api/jobs", tags=["jobs"], responses=ERRORS, route_class=JsonRoute)

    def submit(owner: str, request: requests.Request) -> dict[str, Any]:
        job = services.queue.submit(owner, request)
        return {"id": job.id, "position": services.queue.position(job.id), "request": to_dict(job.request)}

    def keep(owner: str, id: str, asked: StepAsked) -> dict[str, Any]:
        return submit(owner, step_kept(services.queue.get(owner, id).request, asked.image, asked.step))

    def branch(owner: str, id: str, asked: BranchAsked) -> dict[str, Any]:
        changes = asked.model_dump(exclude={"image", "step"}, exclude_none=True)
        return submit(owner, branched(services.queue.get(owner, id).request, asked.image, asked.step, changes))

    @router.post("/{id}/keep", status_code=202, response_model=StepSubmitted)
    async def keep_step(call: Request, id: str, asked: StepAsked) -> Any:
        """Makes a picture of a step: the clean one that the network expected then, as the step's preview shows it."""
        return await to_thread.run_sync(keep, owner_of(call), id, asked)

    @router.post("/{id}/branch", status_code=202, response_model=StepSubmitted)
    async def branch_off(call: Request, id: str, asked: BranchAsked) -> Any:
        """Goes on from a step with another prompt, guidance or seed."""
        return await to_thread.run_sync(branch, owner_of(call), id, asked)

    return router
