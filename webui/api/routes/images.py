"""`/api/images`: pictures in, by upload; pictures out, by opaque id, to whom they belong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request, UploadFile
from fastapi.responses import FileResponse, Response

from webui.api.bodies.media_types import FormRoute
from webui.api.bodies.pictures import store_file
from webui.api.schemas import ERRORS, Uploaded
from webui.api.services import Services, owner_of
from webui.errors import InvalidRequest, PictureNotFound
from webui.requests.field_types import is_reference
from webui.storage.formats import MEDIA_TYPES, SUFFIXES, Format, in_format, left_out
from webui.storage.owners import Owner
from webui.storage.paths import StoredPath

# The bytes behind an id never change, and only their owner may keep them.
_CACHE = "private, max-age=31536000, immutable"
_TYPES = {suffix: MEDIA_TYPES[form] for form, suffix in SUFFIXES.items()} | {".jpeg": MEDIA_TYPES["jpeg"]}
_POLICY = "default-src 'none'; sandbox"  # whatever a picture's bytes may try, they are nothing but a picture
LEFT_OUT = "Darkroom-Left-Out"
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"image/png": {}, "image/jpeg": {}, "image/webp": {}},
        "description": "The picture",
        "headers": {
            LEFT_OUT: {
                "description": "which of the picture's texts about itself, `parameters` and `darkroom`, are not in the "
                "file because they are too long for it; absent where none is",
                "schema": {"type": "string"},
            }
        },
    }
}


def image_routes(services: Services) -> APIRouter:
    """Upload and download."""
    router = APIRouter(prefix="/api/images", tags=["images"], responses=ERRORS, route_class=FormRoute)

    @router.post("", status_code=201, response_model=Uploaded)
    async def upload(call: Request, file: UploadFile) -> Any:
        """Stores a PNG, JPEG or WebP of up to 64 megapixels, upright, in sRGB and without its metadata."""
        stored = await store_file(services, owner_of(call), file.file)
        return {"id": stored.reference, "width": stored.width, "height": stored.height}

    @router.head("/{id}", include_in_schema=False)
    @router.get("/{id}", response_class=Response, responses=_PICTURE)
    async def download(
        call: Request,
        id: str,
        size: Annotated[int | None, Query(ge=1, le=2048)] = None,
        download: bool = False,
        format: Format = "png",
    ) -> Response:
        """The picture as PNG, or in another `format` with the same texts about itself; with `size`, a small WebP of
        about that many pixels on its longest side.

        Uploads are served only as PNG. Texts that are too long for the format are left out and named in
        `Darkroom-Left-Out`; `HEAD` tells this beforehand.
        """
        if format != "png" and size is None:
            return await _converted(services, call, id, format, download)
        owner = owner_of(call)
        found = await to_thread.run_sync(_find, services, owner, id, size)
        etag = f'"{id.removeprefix("sha256:")}{found.suffix}-{size or "full"}"'
        headers = {"Cache-Control": _caching(owner), "Content-Security-Policy": _POLICY, "ETag": etag}
        if call.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        if size is None and not is_reference(id):
            headers |= _named(await to_thread.run_sync(left_out, found, "png"))  # what the file itself lacks
        if not isinstance(found, Path):
            return _from_memory(found, headers, is_download=download)
        return FileResponse(
            found,
            media_type=_TYPES.get(found.suffix.lower(), "image/png"),
            filename=f"darkroom-{found.name}",
            content_disposition_type="attachment" if download else "inline",
            headers=headers,
        )

    return router


async def _converted(
    services: Services, call: Request, id: str, form: Literal["jpeg", "webp"], download: bool
) -> Response:
    """A picture of the gallery in another format, made again each time. Raises PictureNotFound, InvalidRequest."""
    if is_reference(id):
        raise InvalidRequest(field="format", reason="uploads_are_png")
    owner = owner_of(call)
    picture = await to_thread.run_sync(services.storage.of(owner).pictures.get, owner, id)
    etag = f'"{id}-{form}"'
    headers = {"Cache-Control": _caching(owner), "Content-Security-Policy": _POLICY, "ETag": etag}
    if call.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    name = f"darkroom-{picture.path.stem}{SUFFIXES[form]}"
    headers["Content-Disposition"] = f'{"attachment" if download else "inline"}; filename="{name}"'
    if call.method == "HEAD":
        headers |= _named(await to_thread.run_sync(left_out, picture.path, form))
        answer = Response(media_type=MEDIA_TYPES[form], headers=headers)
        del answer.headers["content-length"]  # all of it would have to be made to know that
        return answer
    made = await to_thread.run_sync(in_format, picture.path, form)
    return Response(made.content, media_type=MEDIA_TYPES[form], headers=headers | _named(made.left_out))


def _named(texts: Sequence[str]) -> dict[str, str]:
    return {LEFT_OUT: ", ".join(texts)} if texts else {}


def _caching(owner: Owner) -> str:
    """Private pictures are not even cached by the browser."""
    return "no-store" if owner.is_private else _CACHE


def _from_memory(path: StoredPath, headers: dict[str, str], *, is_download: bool) -> Response:
    """Raises PictureNotFound where it has gone meanwhile."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise PictureNotFound(picture=path.stem) from error
    how = "attachment" if is_download else "inline"
    headers |= {"Content-Disposition": f'{how}; filename="darkroom-{path.name}"'}
    return Response(content, media_type=_TYPES.get(path.suffix.lower(), "image/png"), headers=headers)


def _find(services: Services, owner: Owner, id: str, size: int | None) -> StoredPath:
    """The file to send, which may be in memory. Raises PictureNotFound."""
    storage = services.storage.of(owner)
    if is_reference(id):
        path = storage.uploads.path(owner, id)
        storage.uploads.use(owner, id)  # a page that shows it again has it in a field
        shrink = None if owner.is_private else services.decoder.shrink  # which needs a file to write to
        return path if size is None else storage.thumbnails.path(path.stem, path, size, shrink)
    return storage.pictures.get(owner, id).path if size is None else storage.pictures.thumbnail(owner, id, size)
