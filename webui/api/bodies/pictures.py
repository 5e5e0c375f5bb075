"""Incoming pictures: from an upload, or from inside a JSON request, into the store of uploads."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from typing import BinaryIO

from anyio import to_thread

from webui.api.bodies.decode import Decoded, Decoder
from webui.api.services import Services
from webui.errors import NotAnImage, PictureNotFound
from webui.requests import Request
from webui.requests.field_types import is_reference
from webui.requests.fields import pictures_of, with_pictures
from webui.storage import Storage
from webui.storage.owners import Owner


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredUpload:
    """The reference of an upload (`sha256:<hex>`), and its size in pixels, upright."""

    reference: str
    width: int
    height: int


async def store_file(services: Services, owner: Owner, source: BinaryIO) -> StoredUpload:
    """Decodes and stores the picture in an open file.

    Raises NotAnImage, ImageTooLarge, Busy, DiskFull, UploadsFull.
    """
    await to_thread.run_sync(services.storage.of(owner).upload_keeper.check_room, owner)
    return await _store(services.storage, owner, await services.decoder.decode(owner, source))


async def store_inline_pictures(storage: Storage, decoder: Decoder, owner: Owner, request: Request) -> Request:
    """The request with references instead of base64 and `data:` URIs.

    Raises NotAnImage and similar errors for what cannot be decoded, PictureNotFound for a reference that is not this
    owner's.
    """
    replaced: dict[str, str] = {}
    for _field, picture in pictures_of(request):
        if not is_reference(picture):
            content = await to_thread.run_sync(_inline_bytes, picture)
            await to_thread.run_sync(storage.of(owner).upload_keeper.check_room, owner)
            decoded = await decoder.decode_bytes(owner, content)
            replaced[picture] = (await _store(storage, owner, decoded)).reference
        elif not await to_thread.run_sync(storage.of(owner).uploads.has, owner, picture):
            raise PictureNotFound(picture=picture)
    return with_pictures(request, replaced)


async def _store(storage: Storage, owner: Owner, decoded: Decoded) -> StoredUpload:
    add = storage.of(owner).uploads.add
    reference = await to_thread.run_sync(add, owner, decoded.png, decoded.width, decoded.height)
    return StoredUpload(reference=reference, width=decoded.width, height=decoded.height)


def _inline_bytes(picture: str) -> bytes:
    """The bytes in base64 or a `data:` URI; the request has checked its form already."""
    encoded = picture.partition(",")[2] if picture[:5].lower() == "data:" else picture
    compact = "".join(encoded.split()).rstrip("=")
    try:
        return base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except binascii.Error as error:
        raise NotAnImage from error
