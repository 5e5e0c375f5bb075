"""`/api/checkpoints` and `/api/schedulers`: what a request may name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, BackgroundTasks

from webui.api.schemas import CheckpointOut, SchedulerOut
from webui.api.services import Services
from webui.checkpoints.addons import LoraFile
from webui.checkpoints.catalogue import Catalogue, Checkpoint
from webui.checkpoints.critics import critic_id_for
from webui.checkpoints.quick_loras import quick_lora_for
from webui.checkpoints.tiny_decoders import TinyDecoders
from webui.schedulers import SCHEDULERS


def catalogue_routes(services: Services) -> APIRouter:
    """Two lists."""
    router = APIRouter(prefix="/api", tags=["catalogue"])

    @router.get("/checkpoints", response_model=list[CheckpointOut])
    async def list_checkpoints(afterwards: BackgroundTasks) -> Any:
        """The checkpoints that can be used, with the values that they use where a request leaves them open."""
        loras = {}
        if services.queue.is_on_cpu:  # a GPU is quick without one
            loras = services.addons.loras_last_seen()
            afterwards.add_task(services.addons.loras)  # nobody waits for headers: the next call knows those
        return await to_thread.run_sync(_checkpoints_json, services.catalogue, loras, services.queue.is_on_cpu)

    @router.get("/schedulers", response_model=list[SchedulerOut])
    async def list_schedulers() -> Any:
        """The schedulers, and other programs' names for them, which are accepted as well."""
        return [dataclasses.asdict(scheduler) for scheduler in SCHEDULERS]

    return router


def _checkpoints_json(catalogue: Catalogue, known: Mapping[str, LoraFile], is_on_cpu: bool) -> list[dict[str, Any]]:
    listed = catalogue.list()
    decoders = TinyDecoders(listed)
    loras = {name: file for name, file in known.items() if file.made_for is not None}
    return [
        _checkpoint_json(
            found, critic_id_for(found, catalogue.models_dir), decoders.words_for(found, is_on_cpu=is_on_cpu)
        )
        | {"quick_lora": _quick_lora_json(found, loras)}
        for found in listed
    ]


def _quick_lora_json(checkpoint: Checkpoint, loras: Mapping[str, LoraFile]) -> dict[str, Any] | None:
    found = quick_lora_for(checkpoint, loras)
    return {"name": found[0], "made_for": dataclasses.asdict(found[1])} if found is not None else None


def _checkpoint_json(checkpoint: Checkpoint, critic: str | None, decoders: tuple[str, ...]) -> dict[str, Any]:
    return {
        "id": checkpoint.id,
        "name": checkpoint.name,
        "family": checkpoint.family,
        "size_bytes": checkpoint.size_bytes,
        "clip_layers": checkpoint.clip_layers,
        "critic": critic,
        "decoders": decoders,
        "is_introductory": checkpoint.is_introductory,
        "defaults": dataclasses.asdict(checkpoint.defaults),
        "made_for": dataclasses.asdict(checkpoint.made_for) if checkpoint.made_for else None,
        "vocabulary": {
            kind: [word.model_dump(mode="json") for word in words] for kind, words in checkpoint.vocabulary.items()
        },
    }
