"""Server-sent events: frames, keep-alive comments, and an end when the source ends or the caller leaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import StreamingResponse

KEEP_ALIVE_SECONDS = 15.0  # under the 30 s and 60 s after which proxies give up on a silent connection
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back otherwise
    "Connection": "keep-alive",
}


def frame(data: Any, *, event: str | None = None, id: int | str | None = None) -> bytes:
    """One event. `data` becomes JSON on a single line, with lone surrogates and line separators escaped."""
    lines = []
    if id is not None:
        lines.append(f"id: {id}")
    if event is not None:
        lines.append(f"event: {event}")
    lines.append("data: " + json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":")))
    return ("\n".join(lines) + "\n\n").encode("ascii")


def stream(frames: AsyncIterator[bytes], *, keep_alive_seconds: float = KEEP_ALIVE_SECONDS) -> StreamingResponse:
    """The response that sends `frames` as they come, and a comment whenever none has come for a while."""
    return StreamingResponse(
        _with_keep_alive(frames, keep_alive_seconds), media_type="text/event-stream", headers=_HEADERS
    )


async def _with_keep_alive(frames: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    """Waits for the next frame in a task of its own, because a timeout must not cancel the source."""
    pending: asyncio.Task[bytes | None] | None = None
    try:
        while True:
            pending = pending or asyncio.create_task(_next(frames))
            done, _ = await asyncio.wait({pending}, timeout=seconds)
            if not done:
                yield b": still here\n\n"
                continue
            finished, pending = pending, None
            if (sent := finished.result()) is None:
                return
            yield sent
    finally:
        if pending is not None:
            pending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pending


async def _next(frames: AsyncIterator[bytes]) -> bytes | None:
    """The next frame; None after the last one."""
    return await anext(frames, None)
