"""`/api/jobs/{id}/keep` and `/branch`: go back to a step of a job, to keep it or to continue differently. `/strip`: all
its previews as one file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, create_model

from webui import requests
from webui.api.bodies.media_types import JsonRoute
from webui.api.concurrency import at_once
from webui.api.idempotency import Key, once_of
from webui.api.schemas import ERRORS, Submitted
from webui.api.services import Services, owner_of
from webui.api.wire import submitted_json
from webui.errors import InvalidRequest
from webui.jobs.job import Job, JobState
from webui.requests.diffusion import TextToImage
from webui.requests.field_types import MAX_SEED
from webui.requests.style_transfer import StyleTransfer
from webui.rules.branches import CHANGEABLE, branched, finished, finished_sharp, step_kept
from webui.storage.animation import animated_webp

_ANIMATION: dict[int | str, dict[str, Any]] = {200: {"content": {"image/webp": {}}, "description": "The strip"}}


Step = Annotated[int, Field(strict=True, ge=1, le=2000)]


class _ImageAsked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    image: Annotated[int, Field(strict=True, ge=0, le=15)] = 0


class KeepAsked(_ImageAsked):
    """Step `step` (from 1) of image `image` (from 0) of the job; without `step`, the picture itself, finished."""

    step: Step | None = None


class StepAsked(_ImageAsked):
    """Step `step` (from 1) of image `image` (from 0) of the job."""

    step: Step


_BranchFields: Any = {
    name: (kind | None, None)
    for name, kind in get_type_hints(TextToImage, include_extras=True).items()
    if name in CHANGEABLE and name != "seed"
}
BranchAsked = create_model(
    "BranchAsked",
    __base__=StepAsked,
    __doc__="What changes after that step; null or missing fields stay as they were. A seed of -1 is random.",
    seed=(Annotated[int, Field(strict=True, ge=-1, le=MAX_SEED)] | None, None),
    **_BranchFields,
)


def step_routes(services: Services) -> APIRouter:
    """Both are jobs like any other: they wait in the queue, and can be made again from their pictures' metadata."""
    router = APIRouter(prefix="/api/jobs", tags=["jobs"], responses=ERRORS, route_class=JsonRoute)

    async def submit(
        call: Request, id: str, key: str | None, made_of: Callable[[Job], requests.Request]
    ) -> dict[str, Any]:
        owner = owner_of(call)
        origin = await to_thread.run_sync(services.queue.get, owner, id)
        return submitted_json(await services.submissions.submit(owner, made_of(origin), await once_of(call, key)))

    @router.post("/{id}/keep", status_code=202, response_model=Submitted)
    async def keep_step(call: Request, id: str, asked: KeepAsked, key: Key = None) -> Any:
        """Makes a picture of a step: the clean one that the network expected at that point, as the step's preview shows
        it. Without `step`, of a job that was stopped or failed, draws the rest of the picture; of any other, decodes a
        picture that the tiny decoder drew with the full one.
        """
        image, step = asked.image, asked.step
        if step is None:
            return await submit(call, id, key, lambda origin: _finished(origin, image))
        return await submit(call, id, key, lambda origin: step_kept(origin.request, image, step))

    @router.post("/{id}/branch", status_code=202, response_model=Submitted)
    async def branch_off(call: Request, id: str, asked: BranchAsked, key: Key = None) -> Any:  # type: ignore[valid-type]
        """Continues from a step with another prompt, guidance or seed."""
        given: StepAsked = asked
        changes = given.model_dump(exclude={"image", "step"}, exclude_none=True)
        return await submit(call, id, key, lambda origin: branched(origin.request, given.image, given.step, changes))

    # Each takes up to two seconds of a core.
    @router.get("/{id}/strip", response_class=Response, responses=_ANIMATION, dependencies=[at_once(2)])
    async def save_strip(call: Request, id: str, image: Annotated[int, Query(ge=0, le=15)] = 0) -> Response:
        """The previews of one image (from 0) of a job as an animated WebP."""
        previews = await to_thread.run_sync(services.queue.strip, owner_of(call), id, image)
        content = await to_thread.run_sync(animated_webp, previews)
        headers = {"Content-Disposition": f'attachment; filename="darkroom-strip-{id}-{image}.webp"'}
        return Response(content, media_type="image/webp", headers=headers)

    return router


def _finished(job: Job, image: int) -> requests.Request:
    """What is left to do for an image of a job. Raises InvalidRequest if there is nothing, or if it is being done."""
    match job.state:
        case JobState.CANCELLED | JobState.FAILED:
            return finished(job.request, image)
        case JobState.FINISHED:
            return finished_sharp(job.request, image)
    if isinstance(job.request, StyleTransfer) or job.request.decoder != "tiny":
        raise InvalidRequest(field="step", reason="not_ended")
    return finished_sharp(job.request, image)
