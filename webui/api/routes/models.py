"""`GET /api/models`: everything that lies in the folders of models, and what to know of it before using it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response

from webui.api.bodies.media_types import JsonRoute
from webui.api.http_errors import refuse_json
from webui.api.schemas import ERRORS, ModelOut
from webui.api.services import Services, language_asked, owner_of
from webui.api.wire import thumbnail_url
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.fitting import Fitting
from webui.checkpoints.library import Library
from webui.checkpoints.model import Model
from webui.checkpoints.model_facts import picture_type
from webui.checkpoints.places import KINDS, Kind
from webui.errors import DarkroomError, ModelNotFound
from webui.storage.owners import Owner
from webui.texts import Language


def model_routes(services: Services, library: Library) -> APIRouter:
    """The list, and the pictures that came with models."""
    router = APIRouter(prefix="/api", tags=["models"], responses=ERRORS, route_class=JsonRoute)

    @router.get("/models", response_model=list[ModelOut])
    async def list_models(
        call: Request,
        kind: Annotated[Kind | None, Query()] = None,
        checkpoint: Annotated[str | None, Query(max_length=512)] = None,
    ) -> Any:
        """All of them, or one kind. With a `checkpoint`, `fits` says of LoRAs, embeddings and VAEs whether they are
        made for it."""
        listing = ModelList(services, library, owner_of(call), language_asked(call))
        return await to_thread.run_sync(listing.list, (kind,) if kind else KINDS, checkpoint)

    @router.get("/model-previews/{id:path}", response_class=Response)
    async def preview(id: str) -> Response:
        """The picture that came with a model, beside it or inside it."""
        return await to_thread.run_sync(_preview, library, id)

    return router


@dataclasses.dataclass(frozen=True)
class ModelList:
    """Models as JSON, for one caller."""

    services: Services
    library: Library
    owner: Owner
    language: Language

    def list(self, kinds: tuple[Kind, ...], checkpoint: str | None = None) -> list[dict[str, Any]]:
        """Raises the catalogue's errors for the checkpoint."""
        fitting = Fitting(self.services.catalogue.get(checkpoint)) if checkpoint is not None else None
        pictures = self.services.storage.of(self.owner).pictures.first_by_checkpoint(self.owner)
        known = self.services.hashes.known()
        return [self._json(model, known, pictures, fitting) for model in self.library.look(kinds)]

    def one(self, id: str) -> dict[str, Any]:
        """Raises ModelNotFound."""
        pictures = self.services.storage.of(self.owner).pictures.first_by_checkpoint(self.owner)
        return self._json(self.library.get(id), self.services.hashes.known(), pictures, None)

    def _json(
        self,
        model: Model,
        known: Mapping[str, tuple[str, str]],
        pictures: Mapping[str, str],
        fitting: Fitting | None,
    ) -> dict[str, Any]:
        version, hash = known.get(model.id, ("", ""))
        is_asked = fitting is not None and model.problem is None
        misfit = fitting.why_not(model) if fitting is not None and is_asked else None
        family = FAMILIES.get(model.family or "")
        return {
            "id": model.id,
            "kind": model.kind,
            "name": model.name,
            "family": model.family,
            "family_name": family.name if family else None,
            "size_bytes": model.size_bytes,
            "dtype": model.dtype,
            "hash": hash if version == model.version else None,
            "license": model.license,
            "place": model.place,
            "read_only": bool(model.place),
            "defaults": dataclasses.asdict(model.defaults) if model.defaults else None,
            "made_for": dataclasses.asdict(model.made_for) if model.made_for else None,
            "is_introductory": model.is_introductory,
            "trigger_words": model.words.trigger,
            "weight": model.words.weight,
            "prompt_name": model.prompt_name,
            "preview_url": f"/api/model-previews/{quote(model.id)}" if model.has_preview else None,
            "picture_url": thumbnail_url(pictures[model.id]) if model.id in pictures else None,
            "fits": misfit is None if is_asked else None,
            "problem": self._words(model.problem or misfit),
        }

    def _words(self, problem: DarkroomError | None) -> dict[str, str] | None:
        return refuse_json(problem, self.services.texts, self.language) if problem is not None else None


def _preview(library: Library, id: str) -> Response:
    """Raises ModelNotFound where there is none that browsers draw."""
    content = library.preview(library.get(id))
    media_type = picture_type(content) if content is not None else None
    if content is None or media_type is None:
        raise ModelNotFound(model=id)
    return Response(content, media_type=media_type, headers={"Cache-Control": "private, max-age=3600"})
