"""From what somebody asks for to a plan: an offer, a repository of the Hub, or an address there or at Civitai."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from webui.checkpoints.places import NOT_SEARCHED
from webui.downloads.choosing import choose_files, place_in_folder
from webui.downloads.civitai import Civitai, version_in
from webui.downloads.files import WEIGHTS_SUFFIX, RemoteFile, checked_name, plain_name
from webui.downloads.hub import Hub, Repository
from webui.downloads.plan import Item, Plan, PlannedFile
from webui.errors import InvalidRequest, NothingToDownload

# Names that say nothing of what is inside; the repository's says more.
_SAY_NOTHING = re.compile(r"(diffusion_pytorch_model|model|pytorch_lora_weights|learned_embeds)(\.fp16)?")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One of the three: `offer`; `repository`, perhaps with `revision` and `files`; `url`."""

    offer: str | None = None
    repository: str | None = None
    revision: str | None = None
    files: tuple[str, ...] = ()
    url: str | None = None

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Asked:
        """What `as_json` gave."""
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in said.items()}
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        """Without what was left out."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self).items() if v}


class Sources:
    """Makes plans; each asks the network once or twice."""

    def __init__(self, hub: Hub, civitai: Civitai, plan_offer: Callable[[str], Plan]) -> None:
        """`plan_offer` raises OfferNotFound."""
        self._hub = hub
        self._civitai = civitai
        self._plan_offer = plan_offer

    def plan(self, asked: Asked) -> Plan:
        """Raises InvalidRequest for what is no source, and what the servers' refusals mean."""
        given = [one for one in (asked.offer, asked.repository, asked.url) if one]
        if len(given) != 1:
            raise InvalidRequest(field="repository", reason="one_source")
        if asked.offer:
            return self._plan_offer(asked.offer)
        if asked.url:
            return self._by_address(asked.url)
        return plan_repository(self._hub, asked)

    def _by_address(self, url: str) -> Plan:
        text = url.strip()
        whole = text if "://" in text else f"https://{text}"
        try:
            host = (urlsplit(whole).hostname or "").removeprefix("www.")
        except ValueError as error:
            raise InvalidRequest(field="url", reason="address_not_known") from error
        if host == self._civitai.home.host and _is_at(whole, self._civitai.home.origin):
            return self._by_version(whole)
        if host in ("huggingface.co", "hf.co") or _is_at(whole, self._hub.endpoint.origin):
            return plan_repository(self._hub, _asked_by_hub_address(whole))
        raise InvalidRequest(field="url", reason="address_not_known")

    def _by_version(self, url: str) -> Plan:
        version = self._civitai.with_access(self._civitai.read(version_in(url) or 0))
        source = f"Civitai {version.id}"
        name = plain_name(checked_name(version.file.name, source).stem, f"civitai-{version.id}")
        note = {"name": version.name, "source": {"civitai_version": version.id}}
        if version.trained_words:
            note["trained_words"] = list(version.trained_words)
        item = Item(name=name, kind=version.kind, files=(PlannedFile(path="", file=version.file),), note=note)
        return Plan(name=version.name, source={"civitai_version": version.id}, items=(item,), revision=str(version.id))


def plan_repository(hub: Hub, asked: Asked) -> Plan:
    """A repository's folder, its only file of weights, or the files that were asked for."""
    repository = hub.read(asked.repository or "", asked.revision)
    hub.check_access(repository)
    files = choose_files(repository, asked.files, hub.text)
    return Plan(
        name=repository.id,
        source=asked.as_json(),
        items=items_of(repository, files),
        repository=repository.id,
        revision=repository.revision,
        license=repository.license,
        is_gated=repository.is_gated,
    )


def items_of(repository: Repository, files: tuple[RemoteFile, ...]) -> tuple[Item, ...]:
    """A folder where there is an index of one; else each file of weights by itself."""
    own = plain_name(repository.id.partition("/")[2], "model")
    note = source_note(repository)
    paths = {file.name: checked_name(file.name, repository.id).as_posix() for file in files}
    if len({path.casefold() for path in paths.values()}) < len(paths):
        raise NothingToDownload(source=repository.id, reason="names_twice")
    if "model_index.json" in paths:
        planned = tuple(PlannedFile(path=place_in_folder(paths[file.name]), file=file) for file in files)
        is_taken = own.casefold() in NOT_SEARCHED  # a folder of other things, where no checkpoint would be found
        return (Item(name=f"{own}-model" if is_taken else own, kind="checkpoint", files=planned, note=note),)
    weights = [file for file in files if file.name.endswith(WEIGHTS_SUFFIX)]
    if not weights:
        raise NothingToDownload(source=repository.id, reason="no_weights")
    return tuple(single(file, _name_for(file, own, len(weights)), note) for file in weights)


def single(file: RemoteFile, name: str, note: dict[str, Any]) -> Item:
    """A file of weights by itself; its header will tell what it is."""
    return Item(name=name, kind=None, files=(PlannedFile(path="", file=file),), note=note_of_file(note, file))


def note_of_file(note: dict[str, Any], file: RemoteFile) -> dict[str, Any]:
    """The note of a file by itself: other files of its repository are other models."""
    return note | {"source": note["source"] | {"file": file.name}}


def source_note(repository: Repository) -> dict[str, Any]:
    """Where it came from, for the small file beside it."""
    note: dict[str, Any] = {"source": {"repository": repository.id, "revision": repository.revision}}
    return note | ({"license": repository.license} if repository.license else {})


def _name_for(file: RemoteFile, own: str, count: int) -> str:
    stem = file.name.rpartition("/")[2].removesuffix(WEIGHTS_SUFFIX)
    if _SAY_NOTHING.fullmatch(stem):
        return own if count == 1 else plain_name(f"{own} {file.name.replace('/', ' ')}"[:80], own)
    return plain_name(stem, own)


def _is_at(url: str, origin: str) -> bool:
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return False
    host = (parts.hostname or "").removeprefix("www.")
    return f"{parts.scheme}://{host}:{port}" == origin


def _asked_by_hub_address(url: str) -> Asked:
    """`…/owner/name`, `…/owner/name/tree/REVISION`, `…/owner/name/blob|resolve/REVISION/path/of/a/file`."""
    parts = [unquote(part) for part in urlsplit(url).path.strip("/").split("/")]
    if len(parts) < 2 or parts[0] in ("datasets", "spaces", "models", "docs", "api"):
        raise InvalidRequest(field="url", reason="address_not_a_model")
    repository = f"{parts[0]}/{parts[1]}"
    match parts[2:]:
        case []:
            return Asked(repository=repository)
        case ["tree", revision]:
            return Asked(repository=repository, revision=revision)
        case ["blob" | "resolve", revision, *path] if path:
            return Asked(repository=repository, revision=revision, files=("/".join(path),))
        case _:
            raise InvalidRequest(field="url", reason="address_not_a_model")
