"""Repositories of the Hugging Face Hub, or of a mirror: what they hold at a fixed revision, read by huggingface_hub.

Its own transfer neither goes on after a break nor can be stopped: `webui/downloads/transfer.py` fetches the files.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, hf_hub_url, is_offline_mode, set_client_factory, try_to_load_from_cache
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from webui.downloads.addresses import Address, read_address
from webui.downloads.files import MAX_SMALL_BYTES, RemoteFile
from webui.downloads.hub_client import client_over
from webui.downloads.options import Options
from webui.downloads.refusals import check_status, retry_after
from webui.downloads.web import Login, Web
from webui.errors import (
    DarkroomError,
    NothingToDownload,
    RepositoryGated,
    RepositoryNotFound,
    RevisionNotFound,
    SourceBusy,
    SourceUnreachable,
)

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_REVISION = re.compile(r"[0-9a-f]{40}")
_METADATA_SECONDS = 30.0
_ONE_AT_A_TIME = threading.Lock()  # huggingface_hub has one client for the whole process


@dataclass(frozen=True, kw_only=True)
class Repository:
    """One repository at one revision. `license` is its own word for it, None where it says none."""

    id: str
    revision: str  # 40 digits
    files: tuple[RemoteFile, ...]
    license: str | None
    is_gated: bool


class Hub:
    """Asks the Hub, or the mirror that the options name at the moment. Thread-safe."""

    def __init__(self, web: Web, options: Options) -> None:
        self._web = web
        self._options = options

    @property
    def endpoint(self) -> Address:
        """What is asked. Raises AddressRefused for a mirror that is no address."""
        return read_address(self._options().endpoint)

    def check_online(self) -> None:
        """Raises SourceUnreachable where `HF_HUB_OFFLINE` says that the Hub is not to be asked."""
        if is_offline_mode():
            raise SourceUnreachable(host=self.endpoint.host, reason="offline")

    @property
    def login(self) -> Login | None:
        """For the Hub alone, whatever a mirror asks for; for a mirror where the options say so."""
        options = self._options()
        home = options.endpoint if options.mirror_gets_token else options.hub
        return Login(read_address(home).origin, options.hub_token) if options.hub_token else None

    def read(self, id: str, revision: str | None = None) -> Repository:
        """What it holds. Raises RepositoryNotFound, RepositoryGated, RevisionNotFound, SourceUnreachable, SourceBusy,
        NothingToDownload."""
        if not _NAME.fullmatch(id):
            raise RepositoryNotFound(repository=id[:100])
        self.check_online()
        endpoint, login = self._options().endpoint, self.login
        token = login.token if login is not None and login.origin == read_address(endpoint).origin else None
        with self._lent(id, revision):
            info = HfApi(endpoint=endpoint, token=token or False).model_info(
                id, revision=revision, files_metadata=True, timeout=_METADATA_SECONDS
            )
        sha = info.sha or ""
        if not _REVISION.fullmatch(sha):
            raise SourceUnreachable(host=self.endpoint.host, reason="source_not_understood")
        files = tuple(
            RemoteFile(
                name=sibling.rfilename,
                size_bytes=(sibling.lfs.size if sibling.lfs else sibling.size) or 0,
                sha256=sibling.lfs.sha256 if sibling.lfs else None,
                git_sha1=None if sibling.lfs else sibling.blob_id,
                address=hf_hub_url(id, sibling.rfilename, revision=sha, endpoint=endpoint),
                repository=id,
                revision=sha,
            )
            for sibling in info.siblings or ()
            if sibling.size is not None and (sibling.lfs or sibling.blob_id)
        )
        card = info.card_data
        license = card.get("license") if card is not None else None
        return Repository(
            id=id,
            revision=sha,
            files=files,
            license=license if isinstance(license, str) else None,
            is_gated=bool(info.gated),
        )

    def check_access(self, repository: Repository) -> None:
        """Whether a repository that asks for agreement lets us in, told by one of its files. Raises RepositoryGated."""
        if not repository.is_gated:
            return
        if self.login is None:
            raise RepositoryGated(repository=repository.id)
        for file in repository.files[:1]:
            address = read_address(file.address)
            with self._web.get(address, login=self.login, method="HEAD") as answer:
                check_status(answer, file)

    def text(self, file: RemoteFile) -> bytes:
        """A small file, checked by its hash."""
        if file.size_bytes > MAX_SMALL_BYTES:
            raise NothingToDownload(source=file.repository or "", reason="file_too_large", file=file.name)
        with self._web.get(read_address(file.address), login=self.login) as answer:
            check_status(answer, file)
            content = answer.read(file.size_bytes)
        digest = file.digest()
        digest.update(content)
        if not file.is_right(digest):
            raise SourceUnreachable(host=answer.address.host, reason="source_not_understood")
        return content

    def cached(self, file: RemoteFile) -> Path | None:
        """The file in the cache that other programs on this machine share, if it is there at that revision."""
        if file.repository is None:
            return None
        found = try_to_load_from_cache(file.repository, file.name, revision=file.revision)
        return Path(found).resolve() if isinstance(found, str) else None

    @contextmanager
    def _lent(self, id: str, revision: str | None) -> Iterator[None]:
        """huggingface_hub asks through our `Web` and under our time limit; what it says becomes ours."""
        with _ONE_AT_A_TIME:
            set_client_factory(lambda: client_over(self._web))
            try:
                yield
            except GatedRepoError as error:
                raise RepositoryGated(repository=id) from error
            except (RepositoryNotFoundError, HFValidationError) as error:
                raise RepositoryNotFound(repository=id) from error
            except RevisionNotFoundError as error:
                raise RevisionNotFound(repository=id, revision=(revision or "main")[:100]) from error
            except HfHubHTTPError as error:
                raise self._http_error(id, error.response) from error
            except (httpx2.HTTPError, ValueError, TypeError, KeyError) as error:
                raise SourceUnreachable(host=self.endpoint.host, reason="source_not_understood") from error

    def _http_error(self, id: str, response: httpx2.Response) -> DarkroomError:
        match response.status_code:
            case 401 | 403:
                return RepositoryGated(repository=id)
            case 429 | 503:
                seconds = retry_after(response.headers)
                return SourceBusy(host=self.endpoint.host, retry_after_seconds=seconds)
            case status:
                return SourceUnreachable(host=self.endpoint.host, reason="source_status", status=status)
