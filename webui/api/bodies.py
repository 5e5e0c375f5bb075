"""How much a caller may send, and when it is said: by `Content-Length` before anything is read, else while it comes."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from webui.api.refusals import BodyTooLarge

MEGABYTE = 2**20
PICTURE_MEGABYTES = 64
OTHER_MEGABYTES = 2  # the longest prompt is 10,000 characters; what else is JSON is smaller
_PICTURE_PATHS = ("/api/images", "/api/image-to-image", "/api/style-transfer")


def limit_megabytes(path: str) -> int:
    """The most that this address takes in one body."""
    return PICTURE_MEGABYTES if path in _PICTURE_PATHS else OTHER_MEGABYTES


def check_announced(headers: Headers, limit: int) -> None:
    """Raises BodyTooLarge when the caller says themselves that it will be more than `limit` megabytes."""
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit * MEGABYTE:
        raise BodyTooLarge(limit_megabytes=limit)


def limited(receive: Receive, limit: int) -> Receive:
    """`receive`, but raising BodyTooLarge once more than `limit` megabytes have come."""
    received_bytes = 0

    async def counted() -> Message:
        nonlocal received_bytes
        message = await receive()
        received_bytes += len(message.get("body", b""))
        if received_bytes > limit * MEGABYTE:
            raise BodyTooLarge(limit_megabytes=limit)
        return message

    return counted
