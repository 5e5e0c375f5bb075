"""Renaming, defaults, deleting with a trash, and the folders of models: the operator's calls."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from webui.api.access.audience import Audience, is_operator, open_to
from webui.api.access.origins import is_at_this_machine
from webui.api.bodies.media_types import JsonRoute
from webui.api.routes.models import ModelList
from webui.api.schemas import ERRORS, DeletedModel, ModelOut, ModelPlaces, ShownFolder
from webui.api.services import Services, language_asked, owner_of
from webui.checkpoints import changing
from webui.checkpoints.hashing import hash_model
from webui.checkpoints.library import Library
from webui.checkpoints.model import Model
from webui.checkpoints.notes import DefaultsNotes
from webui.checkpoints.places import usual_folders
from webui.checkpoints.trash import Deleted, Trash
from webui.errors import InvalidRequest, ModelInUse
from webui.storage.files import naming_refusals


class DefaultsChange(DefaultsNotes):
    """Values that are left out stay; null gives one back to the checkpoint's family."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelChange(BaseModel):
    """What is to be otherwise. A `name` is a path below the folder of its kind; without "/" it stays in its folder."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    defaults: DefaultsChange | None = None


class FolderChange(BaseModel):
    """A folder of another program, or ComfyUI's `extra_model_paths.yaml`."""

    model_config = ConfigDict(extra="forbid")

    path: Annotated[str, Field(min_length=1, max_length=4096)]


def model_change_routes(services: Services, library: Library, show: Callable[[Path], bool]) -> APIRouter:
    """`show` opens a folder on this machine's screen, and says whether there is one."""
    router = APIRouter(prefix="/api", tags=["models"], responses=ERRORS, route_class=JsonRoute)
    models = _Models(services, library)
    one_by_one = CapacityLimiter(1)  # two changes at once would not see each other; hashing reads a whole disk

    def json_of(call: Request, id: str) -> dict[str, Any]:
        return ModelList(services, library, owner_of(call), language_asked(call)).one(id)

    @router.get("/model-places", response_model=ModelPlaces)
    @open_to(Audience.PERSONS)
    async def places(call: Request) -> Any:
        """Our folder, other programs', free disk and the trash. Paths and folders that were noticed are for the
        operator alone."""
        return await to_thread.run_sync(models.places, is_operator(call))

    @router.post("/model-places", response_model=ModelPlaces)
    async def add_place(folder: FolderChange) -> Any:
        """Reads the models of another program's folder from now on, where they are."""
        return await to_thread.run_sync(models.add_place, folder.path)

    @router.delete("/model-places/{name}", response_model=ModelPlaces)
    async def remove_place(name: str) -> Any:
        """Does so no longer, nor for the others that came with it from one `extra_model_paths.yaml`; only for what was
        added here, and nothing in it changes."""
        return await to_thread.run_sync(models.remove_place, name)

    @router.get("/model-trash", response_model=list[DeletedModel])
    async def list_trash() -> Any:
        """The models that were deleted, the last one first."""
        return await to_thread.run_sync(models.trash.list)

    @router.delete("/model-trash", status_code=204)
    async def empty_trash() -> None:
        """Deletes them for good."""
        await to_thread.run_sync(models.trash.empty, limiter=one_by_one)

    @router.post("/models/{id:path}/restore", response_model=ModelOut)
    async def restore(call: Request, id: str) -> Any:
        """Takes the model that was last deleted under this id out of the trash."""
        await to_thread.run_sync(models.restore, id, limiter=one_by_one)
        return await to_thread.run_sync(json_of, call, id)

    @router.post("/models/{id:path}/hash", response_model=ModelOut)
    async def hash(call: Request, id: str) -> Any:
        """Reads the model once and answers with its hash, which is then kept."""
        await to_thread.run_sync(models.hash, id, limiter=one_by_one)
        return await to_thread.run_sync(json_of, call, id)

    @router.post("/models/{id:path}/show", response_model=ShownFolder)
    async def show_in_folder(call: Request, id: str) -> Any:
        """Opens the model's folder on the screen of this machine, for who sits at it; the path for everybody else."""
        model = await to_thread.run_sync(library.get, id)
        shown = is_at_this_machine(call.scope, call.headers) and await to_thread.run_sync(show, model.path)
        return {"path": str(model.path), "shown": shown}

    @router.patch("/models/{id:path}", response_model=ModelOut)
    async def change(call: Request, id: str, change: ModelChange) -> Any:
        """Another name, or other defaults for a checkpoint. Requests that name the old path find it again."""
        now = await to_thread.run_sync(models.change, id, change, limiter=one_by_one)
        return await to_thread.run_sync(json_of, call, now)

    @router.delete("/models/{id:path}", response_model=DeletedModel)
    async def delete(id: str) -> Any:
        """Moves it to the trash, with what lies beside it; 409 while a job needs it."""
        return await to_thread.run_sync(models.delete, id, limiter=one_by_one)

    return router


class _Models:
    """What the routes do, in a thread."""

    def __init__(self, services: Services, library: Library) -> None:
        self._queue = services.queue
        self._book = services.hashes
        self._library = library
        self._models_dir = library.catalogue.models_dir
        self._others = library.catalogue.others
        self.trash = Trash(self._models_dir)

    def change(self, id: str, change: ModelChange) -> str:
        """The id from then on."""
        model = self._library.get(id)
        with naming_refusals(self._models_dir):
            if change.defaults is not None:
                changing.set_defaults(self._library, self._book, model, change.defaults.model_dump(exclude_unset=True))
            if change.name is None:
                return id
            self._check_is_free(model)
            return changing.rename(self._library, self._book, self._library.get(id), change.name)

    def delete(self, id: str) -> Deleted:
        model = self._library.get(id)
        changing.check_is_ours(model)
        self._check_is_free(model)
        with naming_refusals(self._models_dir):
            return self.trash.delete(model)

    def restore(self, id: str) -> None:
        with naming_refusals(self._models_dir):
            self.trash.restore(id)

    def hash(self, id: str) -> None:
        hash_model(self._library, self._book, id)

    def places(self, is_operator: bool) -> dict[str, Any]:
        trash = self.trash.list()
        added = {*self._others.added()} - {*self._others.given}
        used = [self._models_dir, *self._others.folders()]
        there = next(path for path in (self._models_dir, *self._models_dir.parents) if path.exists())
        return {
            "is_operator": is_operator,
            "path": str(self._models_dir) if is_operator else None,
            "free_bytes": shutil.disk_usage(there).free,
            "trash_bytes": sum(one.size_bytes for one in trash),
            "trash_count": len(trash),
            "places": [
                {
                    "name": place.name,
                    "path": str(place.path) if is_operator else None,
                    "is_there": place.is_there,
                    "can_be_removed": place.origin in added,
                }
                for place in self._others.places()
            ],
            "noticed": [str(path) for path in usual_folders(used, Path.home())] if is_operator else [],
        }

    def add_place(self, path: str) -> dict[str, Any]:
        folder = Path(path).expanduser()
        if not folder.is_absolute() or not folder.exists():
            raise InvalidRequest(field="path", reason="no_such_folder")
        with naming_refusals(self._models_dir):
            self._others.add(folder)
        return self.places(is_operator=True)

    def remove_place(self, name: str) -> dict[str, Any]:
        with naming_refusals(self._models_dir):
            for origin in {place.origin for place in self._others.places() if place.name == name}:
                self._others.remove(origin)
        return self.places(is_operator=True)

    def _check_is_free(self, model: Model) -> None:
        """Raises ModelInUse."""
        if jobs := self._queue.needing(model):
            raise ModelInUse(model=model.name, jobs=jobs)
