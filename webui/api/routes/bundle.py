"""`/api/gallery/zip`: many pictures as one file. First which ones, then the file under an address of its own, so that a
browser writes it straight to the disk. The page's own calls."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from webui.api.bodies.media_types import JsonRoute
from webui.api.schemas import ERRORS
from webui.api.services import Services, owner_of
from webui.errors import BundleTooLarge, PictureNotFound, TooManyPictures
from webui.storage.bundle import MAX_BYTES, MAX_PICTURES, zip_of
from webui.storage.formats import Format, left_out
from webui.storage.owners import Owner
from webui.storage.pictures import Picture
from webui.storage.private import Stores

_KEPT_SECONDS = 900.0  # from the question to the download, and to a second try of it
_MAX_TICKETS = 100  # of everybody; the oldest goes
_GIGABYTE = 2**30
_ZIP: dict[int | str, dict[str, Any]] = {200: {"content": {"application/zip": {}}, "description": "The pictures"}}


class BundleAsked(BaseModel):
    """The caller's pictures, and the format to download them in."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(min_length=1, max_length=20_000)]
    format: Format = "png"


class BundleOut(BaseModel):
    """The address of the zip, for a quarter of an hour. `bytes` is what the pictures take on the server's disk;
    `left_out` is how many of them lack texts about themselves in that format because these are too long.
    """

    url: str
    count: int
    bytes: int
    left_out: int


@dataclass(frozen=True)
class _Ticket:
    owner: Owner
    ids: tuple[str, ...]
    form: Format
    expires: float


def bundle_routes(services: Services) -> APIRouter:
    """Two routes; in between, which pictures were meant is remembered."""
    router = APIRouter(prefix="/api/gallery/zip", tags=["page"], responses=ERRORS, route_class=JsonRoute)
    tickets = _Tickets()

    @router.post("", response_model=BundleOut)
    async def choose_pictures(call: Request, asked: BundleAsked) -> Any:
        """Returns the address of a zip with these pictures and a `metadata.json` that says what made each of them."""
        owner = owner_of(call)
        found = await to_thread.run_sync(_pictures, services.storage.of(owner), owner, asked.ids)
        ticket = tickets.add(owner, tuple(picture.id for picture in found), asked.format)
        size = await to_thread.run_sync(_size, found)
        incomplete = await to_thread.run_sync(_count_incomplete, found, asked.format)
        return {
            "url": f"/api/gallery/zip/{ticket}",
            "count": len(found),
            "bytes": size,
            "left_out": incomplete,
        }

    @router.get("/{ticket}", response_class=Response, responses=_ZIP)
    async def fetch_pictures(call: Request, ticket: str) -> Response:
        """The zip, made while it is downloaded."""
        owner = owner_of(call)
        wanted = tickets.get(owner, ticket)
        found = await to_thread.run_sync(_pictures, services.storage.of(owner), owner, wanted.ids)
        own = services.storage.of(owner).boards
        names = {board.id: board.name for board in await to_thread.run_sync(own.list, owner)}
        lying = await to_thread.run_sync(own.of, owner, wanted.ids)
        boards = {id: [names[board] for board in some if board in names] for id, some in lying.items()}
        name = f"darkroom-{time.strftime('%Y%m%d-%H%M%S')}.zip"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return StreamingResponse(zip_of(found, boards, wanted.form), media_type="application/zip", headers=headers)

    return router


class _Tickets:
    """Which pictures somebody is about to fetch."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tickets: OrderedDict[str, _Ticket] = OrderedDict()

    def add(self, owner: Owner, ids: tuple[str, ...], form: Format) -> str:
        """The name of a new ticket, which cannot be guessed."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._tickets[name] = _Ticket(owner, ids, form, time.monotonic() + _KEPT_SECONDS)
            while len(self._tickets) > _MAX_TICKETS:
                self._tickets.popitem(last=False)
        return name

    def get(self, owner: Owner, name: str) -> _Ticket:
        """The ticket with this name. Raises PictureNotFound if it does not exist, is somebody else's, or is too old."""
        with self._lock:
            found = self._tickets.get(name)
        if found is None or found.owner != owner or found.expires < time.monotonic():
            raise PictureNotFound(picture=name[:80])
        return found


def _pictures(storage: Stores, owner: Owner, ids: Sequence[str]) -> Sequence[Picture]:
    """Those that are there, in their order. Raises PictureNotFound where none is, TooManyPictures, BundleTooLarge."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MAX_PICTURES:
        raise TooManyPictures(count=len(wanted), limit=MAX_PICTURES)
    found = storage.pictures.those(owner, wanted)
    if not found:
        raise PictureNotFound(picture=wanted[0])
    if (size := _size(found)) > MAX_BYTES:
        raise BundleTooLarge(gigabytes=round(size / _GIGABYTE, 1), limit=MAX_BYTES // _GIGABYTE)
    return found


def _size(pictures: Sequence[Picture]) -> int:
    return sum(picture.path.stat().st_size for picture in pictures if picture.path.is_file())


def _count_incomplete(pictures: Sequence[Picture], form: Format) -> int:
    """How many of those that can be read will lack texts."""
    count = 0
    for picture in pictures:
        with suppress(PictureNotFound):
            count += bool(left_out(picture.path, form))
    return count
