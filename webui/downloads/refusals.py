"""What a server's refusal is for people."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from email.message import Message
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
_RATE_LIMIT = re.compile(r"\bt=(\d{1,6})\b")  # `"api";r=0;t=55`: none left, new ones in 55 seconds


def retry_after(headers: Mapping[str, str] | Message) -> int:
    """Seconds that an answer asks to wait, at least one: by `Retry-After`, or by `RateLimit`, which the Hub sends. Half
    a minute where neither can be read."""
    said = headers.get("Retry-After") or ""
    limit = _RATE_LIMIT.search(headers.get("RateLimit") or "")
    try:
        seconds = float(said or (limit[1] if limit else ""))
    except ValueError:
        try:
            seconds = parsedate_to_datetime(said).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return DEFAULT_RETRY_SECONDS
    return max(1, min(MAX_RETRY_SECONDS, math.ceil(seconds))) if math.isfinite(seconds) else DEFAULT_RETRY_SECONDS


def check_status(answer: Answer, file: RemoteFile) -> None:
    """Returns for 2xx. Raises what the Hub's `X-Error-Code` says, or else the status."""
    if 200 <= answer.status < 300:
        return
    host, repository = answer.address.host, file.repository
    if answer.status in (429, 503):
        raise SourceBusy(host=host, retry_after_seconds=retry_after(answer.headers))
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
