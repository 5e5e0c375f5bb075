"""`GET /healthz`, open to everybody, and `GET /api/queue`: the state of the worker and the queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request

from webui.api.access.audience import Audience, is_operator, open_to
from webui.api.http_errors import refuse_json
from webui.api.services import Services, language_asked, owner_of
from webui.worker.status import WorkerStatus


def machine_routes(services: Services, downloads: Callable[[], Mapping[str, int]] = dict) -> APIRouter:
    """Both answer at once, whatever the worker does. `downloads` counts those that have not finished, by state."""
    router = APIRouter(tags=["machine"])

    @router.head("/healthz", include_in_schema=False)
    @router.get("/healthz")
    @open_to(Audience.ANYBODY)
    async def healthz() -> dict[str, Any]:
        """200 as soon as the page answers, with the worker's state; needs no login and contains no personal data."""
        return {"status": "ok", "worker": _worker_json(services.queue.status().worker)}

    @router.get("/api/queue", tags=["page"])
    async def queue(call: Request) -> dict[str, Any]:
        """Other people's jobs appear only as a number; `problem` is what currently keeps jobs from running.
        `is_operator` says whether the caller runs the program; for the operator alone, `downloads` are how many models
        are on their way, by state."""
        services.storage.of(owner_of(call))  # in private mode that says: the page is still open
        status = services.queue.status()
        problem = status.problem and refuse_json(status.problem, services.texts, language_asked(call))
        return {
            "worker": _worker_json(status.worker),
            "waiting": status.waiting,
            "running": status.running,
            "problem": problem,
            "is_operator": is_operator(call),
            "downloads": dict(downloads()) if is_operator(call) else None,
        }

    return router


def _worker_json(worker: WorkerStatus) -> dict[str, Any]:
    return {
        "state": str(worker.state),
        "device": worker.device,
        "precision": worker.precision,
        "memory_used_bytes": worker.memory_used_bytes,
        "memory_total_bytes": worker.memory_total_bytes,
        "ready_eta_seconds": worker.ready_eta_seconds,
    }
