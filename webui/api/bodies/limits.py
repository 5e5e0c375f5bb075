"""How much a caller may send, and how slowly.

Each route declares its limit (`media_types.py`). A body that is too large is refused by its `Content-Length` before
anything is read, or else while it arrives. A body that trickles in is abandoned; time that the server itself spends
does not count.
"""

from __future__ import annotations

import asyncio
import time

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from webui.api.http_errors import BodyTooLarge, BodyTooSlow

MEGABYTE = 2**20
PICTURE_MEGABYTES = 64
OTHER_MEGABYTES = 2  # the longest prompt is 10,000 characters; what else is JSON is smaller
GRACE_SECONDS = 30.0  # what every body may take, however small
SLOWEST_BYTES_PER_SECOND = 16 * 1024  # 128 kbit/s: a telephone at the edge of its network sends faster


def check_announced(headers: Headers, limit: int) -> None:
    """Raises BodyTooLarge if the caller announces more than `limit` megabytes."""
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit * MEGABYTE:
        raise BodyTooLarge(limit_megabytes=limit)


def limited(receive: Receive, limit: int) -> Receive:
    """`receive`, but it raises BodyTooLarge once more than `limit` megabytes have arrived, and BodyTooSlow if they
    arrive more slowly than the slowest pace allowed.

    What follows the body (the caller's disconnection) may take any time.
    """
    received_bytes = 0
    waited_seconds = 0.0
    is_complete = False

    async def counted() -> Message:
        nonlocal received_bytes, waited_seconds, is_complete
        if is_complete:
            return await receive()
        asked = time.monotonic()
        try:
            async with asyncio.timeout(_allowed_seconds(received_bytes) - waited_seconds):
                message = await receive()
        except TimeoutError as error:
            raise BodyTooSlow() from error
        waited_seconds += time.monotonic() - asked
        received_bytes += len(message.get("body", b""))
        if received_bytes > limit * MEGABYTE:
            raise BodyTooLarge(limit_megabytes=limit)
        is_complete = not message.get("more_body", False)
        return message

    return counted


def _allowed_seconds(received_bytes: int) -> float:
    """The seconds that this many bytes may take."""
    return GRACE_SECONDS + received_bytes / SLOWEST_BYTES_PER_SECOND
