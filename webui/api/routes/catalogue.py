"""`/api/checkpoints` and `/api/schedulers`: what a request may name."""

from __future__ import annotations

import dataclasses
from typing import Any

from anyio import to_thread
from fastapi import APIRouter

from webui.api.schemas import CheckpointOut, SchedulerOut
from webui.api.services import Services
from webui.checkpoints import Checkpoint
from webui.scheduler_names import SCHEDULERS


def catalogue_routes(services: Services) -> APIRouter:
    """Two lists."""
    router = APIRouter(prefix="/api", tags=["catalogue"])

    @router.get("/checkpoints", response_model=list[CheckpointOut])
    async def list_checkpoints() -> Any:
        """The checkpoints that can be used, with what they do where a request leaves a value open."""
        return [_checkpoint_json(found) for found in await to_thread.run_sync(services.catalogue.list)]

    @router.get("/schedulers", response_model=list[SchedulerOut])
    async def list_schedulers() -> Any:
        """The schedulers, and other programs' names for them, which are accepted too."""
        return [dataclasses.asdict(scheduler) for scheduler in SCHEDULERS]

    return router


def _checkpoint_json(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "id": checkpoint.id,
        "name": checkpoint.name,
        "family": checkpoint.family,
        "size_bytes": checkpoint.size_bytes,
        "defaults": dataclasses.asdict(checkpoint.defaults),
    }
