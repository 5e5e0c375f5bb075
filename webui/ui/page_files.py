"""The page's own scripts, styles and data, served below a folder that is named after their content.

Any change of them makes a new folder, so that browsers can keep the files for good and never mix versions.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath

from fastapi import APIRouter
from fastapi.responses import Response

FOLDER = "/page/files"
# Not left to the machine's own table, which some programs on Windows change.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}


class PageFiles:
    """Texts by file name, and where they are served. The guard says how long an answer may be kept."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._bodies = {name: text.encode() for name, text in texts.items()}
        digest = hashlib.sha256()
        for name, body in sorted(self._bodies.items()):
            digest.update(f"{name}\0{len(body)}\0".encode() + body)
        self._version = digest.hexdigest()[:16]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all files, in order."""
        return tuple(self._bodies)

    def address(self, name: str) -> str:
        """The address of the file `name`. Raises KeyError if there is no such file."""
        if name not in self._bodies:
            raise KeyError(name)
        return f"{FOLDER}/{self._version}/{name}"

    def routes(self) -> APIRouter:
        """`GET /page/files/{version}/{name}`: 404 for what an older page asks for, which then loads itself again."""
        router = APIRouter(include_in_schema=False)

        @router.head(FOLDER + "/{version}/{name:path}")
        @router.get(FOLDER + "/{version}/{name:path}")
        async def file(version: str, name: str) -> Response:
            body = self._bodies.get(name) if version == self._version else None
            if body is None:
                return Response(status_code=404, headers={"Cache-Control": "no-store"})
            return Response(body, media_type=_TYPES[PurePosixPath(name).suffix])

        return router
