"""`/api/models/files`: a file of this computer becomes one of the models. The operator's alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from webui.api.bodies.media_types import JsonRoute
from webui.api.download_schemas import LocalFileOut, LocalFileTaken
from webui.api.schemas import ERRORS
from webui.checkpoints.families import FAMILIES
from webui.downloads.companions import Way
from webui.downloads.files import WEIGHTS_SUFFIX
from webui.downloads.local_files import LocalFiles


class LocalFileAsked(BaseModel):
    """A whole path on the machine that runs Darkroom."""

    model_config = ConfigDict(extra="forbid")

    path: Annotated[str, Field(min_length=1, max_length=4096)]


class LocalFileWanted(LocalFileAsked):
    """`way`: whether the file stays where it is, too."""

    way: Way = "link"


def local_file_routes(files: LocalFiles) -> APIRouter:
    """Look, and take."""
    router = APIRouter(prefix="/api/models/files", tags=["models"], responses=ERRORS, route_class=JsonRoute)
    one_by_one = CapacityLimiter(1)  # converting takes memory, and moving to another disk all of that disk

    @router.post("/look", response_model=LocalFileOut)
    async def look_at_file(asked: LocalFileAsked) -> Any:
        """What the file is, by its header. Nothing changes."""
        found = await to_thread.run_sync(files.look, asked.path, limiter=one_by_one)
        family = FAMILIES.get(found.family or "")
        return {**asdict(found), "family_name": family.name if family else None}

    @router.post("", status_code=201, response_model=LocalFileTaken)
    async def take_file(wanted: LocalFileWanted) -> Any:
        """Links it or moves it into the folder of its kind, under a name that is free. A pickled one is converted."""
        taken = await to_thread.run_sync(files.take, wanted.path, wanted.way, limiter=one_by_one)
        return {"id": taken.place.removesuffix(WEIGHTS_SUFFIX), "kind": taken.kind, "how": taken.how}

    return router
