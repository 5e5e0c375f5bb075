"""The offers, with what the Hub says of them: read live before a download, and kept with its date for those who only
look."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from webui.downloads.bundles import Bundle, Part, checkpoint_note, read_offered
from webui.downloads.choosing import choose_files
from webui.downloads.estimates import Card, Estimate, estimate, recommend
from webui.downloads.files import RemoteFile
from webui.downloads.hub import Hub, Repository
from webui.downloads.machine import Machine
from webui.downloads.plan import Item, Plan, PlannedFile
from webui.downloads.sources import items_of, note_of_file, source_note
from webui.errors import (
    DarkroomError,
    NothingToDownload,
    OfferNotFound,
    RepositoryGated,
    SourceBusy,
    SourceUnreachable,
)
from webui.storage.files import write_atomically

FACTS_NAME = "offers.json"
_TINY_DECODER = "tiny_vae"  # the folder in which the engine looks for it
_TINY_FILES = ("config.json", "diffusion_pytorch_model.safetensors")
_log = logging.getLogger(__name__)


class Facts(BaseModel):
    """What the Hub said of a bundle, and when (seconds since 1970). A gated one may keep its size to itself."""

    model_config = ConfigDict(frozen=True)

    read: float
    size_bytes: int | None = None
    license: str | None = None
    gated: bool = False
    revisions: dict[str, str] = {}


_FACTS: TypeAdapter[dict[str, Facts]] = TypeAdapter(dict[str, Facts])


class Offers:
    """Thread-safe."""

    def __init__(self, presets_dir: Path, data_dir: Path, hub: Hub) -> None:
        """Raises ValueError for a file of offers that is not sound."""
        self._offered = read_offered(presets_dir)
        self._file = data_dir / FACTS_NAME
        self._hub = hub
        self._lock = threading.Lock()
        self._reading = threading.Lock()

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """All, in the file's order."""
        return self._offered.bundles

    @property
    def first(self) -> tuple[Bundle, ...]:
        """Those that may come with the first start."""
        return tuple(bundle for bundle in self.bundles if bundle.id in self._offered.first)

    def facts(self) -> dict[str, Facts]:
        """By id of a bundle; nothing of those that were never read."""
        try:
            return _FACTS.validate_json(self._file.read_bytes())
        except (OSError, ValidationError):
            return {}

    def estimates(self, machine: Machine) -> dict[str, Estimate]:
        """By id, for this machine."""
        return {bundle.id: estimate(bundle, self._offered.costs, machine) for bundle in self.bundles}

    def recommended(self, machine: Machine) -> dict[str, list[Card]]:
        """By id: the cards that a bundle is on this machine."""
        return recommend(self.bundles, self.estimates(machine))

    def read_all(self) -> None:
        """Asks the Hub about every bundle; what cannot be read stays as it was. Returns at once while somebody else
        asks already. Raises SourceUnreachable and SourceBusy, where it is of no use to ask on."""
        if not self._reading.acquire(blocking=False):
            return
        known: dict[str, Repository] = {}
        try:
            for bundle in self.bundles:
                self._read(bundle, known)
        finally:
            self._reading.release()

    def plan(self, id: str) -> Plan:
        """What a download of the bundle brings, asked of the Hub now. Raises OfferNotFound and what `Hub.read` does."""
        if (bundle := self._offered.bundle(id)) is None:
            raise OfferNotFound(offer=id[:100])
        repositories = {part.repository: self._hub.read(part.repository) for part in bundle.parts}
        for repository in repositories.values():
            self._hub.check_access(repository)
        plan = self._planned(bundle, repositories)
        self._keep(bundle, _facts(bundle, repositories, plan.size_bytes))
        return plan

    def _read(self, bundle: Bundle, known: dict[str, Repository]) -> None:
        """`known` are repositories that were read just now."""
        try:
            for part in bundle.parts:
                if part.repository not in known:
                    known[part.repository] = self._hub.read(part.repository)
            try:
                size: int | None = self._planned(bundle, known).size_bytes
            except RepositoryGated:
                size = None
        except (SourceUnreachable, SourceBusy):
            raise
        except DarkroomError as error:
            _log.info("cannot read what %s is: %s", bundle.id, error)
            return
        self._keep(bundle, _facts(bundle, known, size))

    def _planned(self, bundle: Bundle, repositories: dict[str, Repository]) -> Plan:
        base = repositories[bundle.checkpoint.repository]
        (item, *others) = items_of(base, choose_files(base, (), self._hub.text))
        if others or not item.is_folder:
            raise NothingToDownload(source=base.id, reason="parts_missing", file="model_index.json")
        tiny = [part for part in bundle.parts if part.role == "tiny_decoder"]
        files = item.files + tuple(file for part in tiny for file in _tiny_decoder(repositories[part.repository]))
        whole = replace(item, files=files, note=checkpoint_note(bundle) | item.note)
        loras = tuple(_lora(part, repositories[part.repository]) for part in bundle.loras)
        return Plan(
            name=bundle.name,
            source={"offer": bundle.id},
            items=(whole, *loras),
            repository=base.id,
            revision=base.revision,
            license=base.license,
            is_gated=any(repositories[part.repository].is_gated for part in bundle.parts),
        )

    def _keep(self, bundle: Bundle, facts: Facts) -> None:
        with self._lock:
            kept = self.facts() | {bundle.id: facts}
            write_atomically(self._file, _FACTS.dump_json(kept, indent=1))


def _facts(bundle: Bundle, repositories: dict[str, Repository], size: int | None) -> Facts:
    own = [repositories[part.repository] for part in bundle.parts]
    return Facts(
        read=time.time(),
        size_bytes=size,
        license=repositories[bundle.checkpoint.repository].license,
        gated=any(repository.is_gated for repository in own),
        revisions={repository.id: repository.revision for repository in own},
    )


def _tiny_decoder(repository: Repository) -> list[PlannedFile]:
    return [PlannedFile(path=f"{_TINY_DECODER}/{name}", file=_file(repository, name)) for name in _TINY_FILES]


def _lora(part: Part, repository: Repository) -> Item:
    file = _file(repository, part.file or "")
    return Item(
        name=part.name or "",
        kind="lora",
        files=(PlannedFile(path="", file=file),),
        note=note_of_file(source_note(repository), file),
    )


def _file(repository: Repository, name: str) -> RemoteFile:
    found = next((file for file in repository.files if file.name == name), None)
    if found is None:
        raise NothingToDownload(source=repository.id, reason="file_missing", file=name)
    return found
