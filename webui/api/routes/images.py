"""`/api/images`: pictures in, by upload; pictures out, by opaque id, to whom they belong."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Query, Request, UploadFile
from fastapi.responses import FileResponse, Response

from webui.api.bodies.media_types import FormRoute
from webui.api.bodies.pictures import store_file
from webui.api.schemas import ERRORS, Uploaded
from webui.api.services import Services, owner_of
from webui.errors import InvalidRequest, PictureNotFound
from webui.file_names import file_name
from webui.requests.field_types import is_reference
from webui.storage.formats import MEDIA_TYPES, SUFFIXES, Format, in_format, left_out
from webui.storage.owners import Owner
from webui.storage.paths import StoredPath
from webui.storage.pictures import Picture

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

        With `download` it comes as a file to save, named after the operator's setting `file_names`. Uploads are served
        only as PNG. Texts that are too long for the format are left out and named in
        `Darkroom-Left-Out`; `HEAD` tells this beforehand.
        """
        if format != "png" and size is None:
            return await _converted(services, call, id, format, download)
        owner = owner_of(call)
        found = await to_thread.run_sync(_find, services, owner, id, size)
        etag = f'"{id.removeprefix("sha256:")}{found.suffix}-{size or "full"}"'
        name = f"darkroom-{found.stem}"
        if download and not is_reference(id):
            picture = await to_thread.run_sync(services.storage.of(owner).pictures.get, owner, id)
            name = _file_name(services, picture)
        headers = _headers(owner, etag, name + found.suffix, is_download=download)
        if call.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        if size is None and not is_reference(id):
            headers |= _named(await to_thread.run_sync(left_out, found, "png"))  # what the file itself lacks
        if not isinstance(found, Path):
            return _from_memory(found, headers)
        return FileResponse(found, media_type=_TYPES.get(found.suffix.lower(), "image/png"), headers=headers)

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
    name = _file_name(services, picture) if download else f"darkroom-{picture.path.stem}"
    headers = _headers(owner, etag, name + SUFFIXES[form], is_download=download)
    if call.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if call.method == "HEAD":
        headers |= _named(await to_thread.run_sync(left_out, picture.path, form))
        answer = Response(media_type=MEDIA_TYPES[form], headers=headers)
        del answer.headers["content-length"]  # all of it would have to be made to know that
        return answer
    made = await to_thread.run_sync(in_format, picture.path, form)
    return Response(made.content, media_type=MEDIA_TYPES[form], headers=headers | _named(made.left_out))


def _named(texts: Sequence[str]) -> dict[str, str]:
    return {LEFT_OUT: ", ".join(texts)} if texts else {}


def _file_name(services: Services, picture: Picture) -> str:
    """What the picture is called where it is saved, without its ending."""
    moment = time.localtime(picture.created)
    request = picture.request
    return file_name(
        services.operator.now().file_names,
        {
            "date": time.strftime("%Y-%m-%d", moment),
            "time": time.strftime("%H-%M-%S", moment),
            "seed": str(picture.seed),
            "prompt": str(request.get("prompt") or ""),
            "checkpoint": str(request.get("checkpoint") or "").rpartition("/")[2],
            "id": picture.id,
        },
    )


def _headers(owner: Owner, etag: str, name: str, *, is_download: bool) -> dict[str, str]:
    """A file's name may be another one next time; private pictures are not even cached by the browser."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    written = f'filename="{plain}"' + ("" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}")
    return {
        "Cache-Control": "no-store" if owner.is_private or is_download else _CACHE,
        "Content-Security-Policy": _POLICY,
        "ETag": etag,
        "Content-Disposition": f"{'attachment' if is_download else 'inline'}; {written}",
    }


def _from_memory(path: StoredPath, headers: dict[str, str]) -> Response:
    """Raises PictureNotFound where it has gone meanwhile."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise PictureNotFound(picture=path.stem) from error
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
