"""`/api/models/downloads`: models fetched from the Hub and from Civitai. The operator's alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from webui.api.bodies.media_types import JsonRoute
from webui.api.download_schemas import DownloadOut, DownloadStarted, PlanOut
from webui.api.schemas import ERRORS
from webui.api.services import Services, language_asked
from webui.downloads.download import Problem
from webui.downloads.downloads import Downloads
from webui.downloads.plan import Plan
from webui.downloads.sources import Asked
from webui.downloads.views import DownloadView
from webui.texts import Language, Texts

_Word = Annotated[str, Field(min_length=1, max_length=200)]


class DownloadAsked(BaseModel):
    """One of `offer`, `repository` (with a `revision` and `files` of it, or all that it needs) and `url`."""

    model_config = ConfigDict(extra="forbid")

    offer: _Word | None = None
    repository: _Word | None = None
    revision: _Word | None = None
    files: Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=100)] = []
    url: Annotated[str, Field(min_length=1, max_length=2000)] | None = None

    def asked(self) -> Asked:
        """For the room below."""
        return Asked(**{**self.model_dump(), "files": tuple(self.files)})


def download_routes(services: Services, downloads: Downloads) -> APIRouter:
    """Ask, look, pause, go on, take back."""
    router = APIRouter(prefix="/api/models/downloads", tags=["models"], responses=ERRORS, route_class=JsonRoute)

    @router.post("", status_code=202, response_model=DownloadStarted)
    async def start_download(asked: DownloadAsked) -> Any:
        """Checked first: that it is there, may be had and fits. The same download where it is under way."""
        return asdict(await to_thread.run_sync(downloads.ask, asked.asked()))

    @router.post("/plan", response_model=PlanOut)
    async def plan_download(asked: DownloadAsked) -> Any:
        """What it would bring and how much of it is not here yet; fetches nothing."""
        return plan_json(*await to_thread.run_sync(downloads.plan, asked.asked()))

    @router.get("", response_model=list[DownloadOut])
    async def list_downloads(call: Request) -> Any:
        """All, oldest first; ask again for their progress."""
        views = await to_thread.run_sync(downloads.list)
        return [download_json(view, services.texts, language_asked(call)) for view in views]

    @router.get("/{id}", response_model=DownloadOut)
    async def get_download(call: Request, id: str) -> Any:
        """One of them."""
        view = await to_thread.run_sync(downloads.get, id)
        return download_json(view, services.texts, language_asked(call))

    @router.post("/{id}/pause", status_code=202, response_model=DownloadStarted)
    async def pause_download(id: str) -> Any:
        """What has come stays."""
        return asdict(await to_thread.run_sync(downloads.pause, id))

    @router.post("/{id}/resume", status_code=202, response_model=DownloadStarted)
    async def resume_download(id: str) -> Any:
        """Goes on where it ended, also after a failure."""
        return asdict(await to_thread.run_sync(downloads.resume, id))

    @router.delete("/{id}", status_code=202)
    async def cancel_download(id: str) -> dict[str, Any]:
        """Nothing of it stays. One that has ended leaves the list; what it brought stays, and it can still be asked for
        by its id."""
        await to_thread.run_sync(downloads.cancel, id)
        return {"id": id}

    return router


def download_json(view: DownloadView, texts: Texts, language: Language) -> dict[str, Any]:
    """A download with its sentences."""
    worded = {"problem": _worded(view.problem, texts, language), "error": _worded(view.error, texts, language)}
    return {**asdict(view), **worded}


def plan_json(plan: Plan, bytes_to_fetch: int, fits: bool) -> dict[str, Any]:
    """A plan without the addresses."""
    return {
        "name": plan.name,
        "repository": plan.repository,
        "revision": plan.revision,
        "license": plan.license,
        "gated": plan.is_gated,
        "size_bytes": plan.size_bytes,
        "bytes_to_fetch": bytes_to_fetch,
        "fits": fits,
        "files": [{"name": file.name, "size_bytes": file.size_bytes} for file in plan.files],
    }


def _worded(problem: Problem | None, texts: Texts, language: Language) -> dict[str, Any] | None:
    if problem is None:
        return None
    message, hint = texts.word(problem.kind, problem.details, language)
    return {"kind": problem.kind, "message": message, "hint": hint, "log_id": problem.details.get("log_id")}
