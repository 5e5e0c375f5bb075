"""`Idempotency-Key`: a caller whose connection may break sends the same call again, and gets the same job."""

from __future__ import annotations

import hashlib
from typing import Annotated

from anyio import to_thread
from fastapi import Header, Request

from webui.storage.job_rows import Once

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description="Any text, new for each new request; the same call with the same key makes no second job",
    ),
]


async def once_of(call: Request, key: str | None) -> Once | None:
    """The key, with a digest of the body's exact bytes and of the address that they were sent to;
    None without a key.
    """
    if key is None:
        return None
    body = await call.body()  # read already: the request was made of it
    return Once(key=key, digest=await to_thread.run_sync(_digest, call.scope["path"], body))


def _digest(path: str, body: bytes) -> str:
    return hashlib.sha256(path.encode() + b"\0" + body).hexdigest()
