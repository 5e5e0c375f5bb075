"""What a server's refusal is for people."""

from __future__ import annotations

import math
import time
from email.utils import parsedate_to_datetime

from webui.downloads.files import RemoteFile
from webui.downloads.web import Answer
from webui.errors import (
    NothingToDownload,
    RepositoryGated,
    RepositoryNotFound,
    RevisionNotFound,
    SourceBusy,
    SourceLogin,
    SourceUnreachable,
)

DEFAULT_RETRY_SECONDS = 30
MAX_RETRY_SECONDS = 3600


def retry_after(said: str | None) -> int:
    """Seconds that a `Retry-After` asks for, at least one; half a minute where it cannot be read."""
    try:
        seconds = float(said or "")
    except ValueError:
        try:
            seconds = parsedate_to_datetime(said or "").timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return DEFAULT_RETRY_SECONDS
    return max(1, min(MAX_RETRY_SECONDS, math.ceil(seconds))) if math.isfinite(seconds) else DEFAULT_RETRY_SECONDS


def check_status(answer: Answer, file: RemoteFile) -> None:
    """Returns for 2xx. Raises what the Hub's `X-Error-Code` says, or else the status."""
    if 200 <= answer.status < 300:
        return
    host, repository = answer.address.host, file.repository
    if answer.status in (429, 503):
        raise SourceBusy(host=host, retry_after_seconds=retry_after(answer.headers.get("Retry-After")))
    if repository is not None:
        match answer.headers.get("X-Error-Code"):
            case "GatedRepo":
                raise RepositoryGated(repository=repository)
            case "RepoNotFound":
                raise RepositoryNotFound(repository=repository)
            case "RevisionNotFound":
                raise RevisionNotFound(repository=repository, revision=file.revision or "main")
        if answer.status in (401, 403):
            raise RepositoryGated(repository=repository)
    if answer.status in (401, 403):
        raise SourceLogin(host=host)
    if answer.status == 404:
        raise NothingToDownload(source=repository or host, reason="file_missing", file=file.name)
    raise SourceUnreachable(host=host, reason="source_status", status=answer.status)
