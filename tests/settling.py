"""Requests settled as a submit would settle them, for tests that draw without a queue."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from tests.owners import ANN
from webui.checkpoints.addons import Addons
from webui.checkpoints.catalogue import Catalogue
from webui.engine.context import Context
from webui.engine.engine import Engine
from webui.jobs.prompts import PromptRules
from webui.jobs.resolve import resolve
from webui.requests import Request
from webui.requests.settled import Settled
from webui.settings import ROOT, Settings
from webui.storage.owners import Owner
from webui.storage.uploads import Uploads
from webui.worker.messages import RawImage


class EveryPicture:
    """An owner's uploads, where every picture is, of the size that the checkpoint draws by itself."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size

    def use(self, _owner: Owner, _picture: str) -> bool:
        return True

    def size(self, _picture: str) -> tuple[int, int]:
        return self._size


def settle(request: Request, catalogue: Catalogue, presets_dir: Path = ROOT / "presets") -> Settled:
    """Raises as `resolve` does."""
    named = getattr(request, "checkpoint", None)
    size = (64, 64)
    if request.task != "style_transfer":
        defaults = (catalogue.default() if named is None else catalogue.get(named)).defaults
        size = (defaults.width, defaults.height)
    uploads = cast(Uploads, EveryPicture(size))
    return resolve(request, ANN, catalogue, uploads, PromptRules(Addons(catalogue.models_dir), presets_dir))


class SettlingEngine(Engine):
    """Takes requests as people send them."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._presets_dir = settings.presets_dir

    def run(self, request: Request, context: Context) -> list[RawImage]:
        return super().run(settle(request, self.catalogue, self._presets_dir), context)

    def digests_of(self, request: Request) -> tuple[str, ...]:
        return super().digests_of(settle(request, self.catalogue, self._presets_dir))
