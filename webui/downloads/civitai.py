"""Civitai's models by the id of a version: which file that is, how large, and with which hash, from its public API."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from webui.downloads.addresses import read_address
from webui.downloads.files import WEIGHTS_SUFFIX, RemoteFile
from webui.downloads.options import Options
from webui.downloads.refusals import check_status, retry_after
from webui.downloads.web import Login, Web
from webui.errors import (
    AddressRefused,
    InvalidRequest,
    NothingToDownload,
    SourceBusy,
    SourceLogin,
    SourceUnreachable,
)

_MAX_ANSWER_BYTES = 8 * 2**20
Kind = Literal["checkpoint", "lora", "embedding", "vae", "control", "upscaler"]
_KINDS: dict[str, Kind] = {
    "Checkpoint": "checkpoint",
    "LORA": "lora",
    "LoCon": "lora",
    "DoRA": "lora",
    "TextualInversion": "embedding",
    "VAE": "vae",
    "Controlnet": "control",
    "Upscaler": "upscaler",
}


@dataclass(frozen=True, kw_only=True)
class CivitaiVersion:
    """One version of one model. `name` is the author's title for it."""

    id: int
    name: str
    kind: Kind | None
    file: RemoteFile
    trained_words: tuple[str, ...] = ()


def version_in(url: str) -> int | None:
    """The version's id in an address of Civitai: `…/models/1?modelVersionId=2` or `…/api/download/models/2`.

    Raises InvalidRequest where there is none.
    """
    parts = urlsplit(url)
    said = (parse_qs(parts.query).get("modelVersionId") or [""])[0]
    if not said and parts.path.startswith("/api/download/models/"):
        said = parts.path.removeprefix("/api/download/models/").strip("/")
    if not (said.isascii() and said.isdigit() and len(said) <= 12):
        raise InvalidRequest(field="url", reason="civitai_version")
    return int(said)


class Civitai:
    """Asks its API. Thread-safe."""

    def __init__(self, web: Web, options: Options) -> None:
        self._web = web
        self._options = options
        self._base = options().civitai
        self.home = read_address(self._base)

    @property
    def login(self) -> Login | None:
        """For Civitai alone."""
        token = self._options().civitai_token
        return Login(self.home.origin, token) if token else None

    def read(self, id: int) -> CivitaiVersion:
        """Raises NothingToDownload, SourceLogin, SourceBusy, SourceUnreachable."""
        source = f"Civitai {id}"
        address = read_address(f"{self._base}/api/v1/model-versions/{id}")
        with self._web.get(address, headers={"Accept": "application/json"}, login=self.login) as answer:
            host = answer.address.host
            match answer.status:
                case 200:
                    content = answer.read(_MAX_ANSWER_BYTES)
                case 404:
                    raise NothingToDownload(source=source, reason="version_missing")
                case 401 | 403:
                    raise SourceLogin(host=host)
                case 429 | 503:
                    raise SourceBusy(host=host, retry_after_seconds=retry_after(answer.headers))
                case status:
                    raise SourceUnreachable(host=host, reason="source_status", status=status)
        try:
            return self._version(id, json.loads(content), source)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise SourceUnreachable(host=host, reason="source_not_understood") from error

    def with_access(self, version: CivitaiVersion) -> CivitaiVersion:
        """The version, its size to the byte: its API gives kilobytes. Raises SourceLogin where the file is for members,
        and as `read`."""
        address = read_address(version.file.address)
        with self._web.get(address, headers={"Range": "bytes=0-0"}, login=self.login) as answer:
            if answer.address.origin == self.home.origin and answer.address.target.startswith("/login"):
                raise SourceLogin(host=self.home.host)
            check_status(answer, version.file)
            total = answer.headers.get("Content-Range", "").rpartition("/")[2]
            total = total if answer.status == 206 else answer.headers.get("Content-Length", "")
        if not (total.isascii() and total.isdigit()):
            return version
        return replace(version, file=replace(version.file, size_bytes=int(total)))

    def _version(self, id: int, said: dict[str, Any], source: str) -> CivitaiVersion:
        model = said.get("model") or {}
        files = [file for file in said.get("files") or () if str(file.get("name", "")).endswith(WEIGHTS_SUFFIX)]
        if not files:
            raise NothingToDownload(source=source, reason="pickles_only" if said.get("files") else "no_weights")
        file = next((one for one in files if one.get("primary")), files[0])
        address = str(file["downloadUrl"])
        if read_address(address).origin != self.home.origin:
            raise AddressRefused(address=read_address(address).shown, reason="address_not_known")
        return CivitaiVersion(
            id=id,
            name=" ".join(str(part) for part in (model.get("name"), said.get("name")) if part)[:200] or source,
            kind=_KINDS.get(str(model.get("type"))),
            file=RemoteFile(
                name=str(file["name"]),
                size_bytes=round(float(file["sizeKB"]) * 1024),
                sha256=str(file["hashes"]["SHA256"]).lower(),
                address=address,
            ),
            trained_words=tuple(str(word)[:200] for word in (said.get("trainedWords") or ())[:50]),
        )
