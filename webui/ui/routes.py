"""The page's own few routes: the pictures of the example tiles and of the style gallery, the names in the picker of
checkpoints, the share link.

Everything else that the page asks for belongs to the API.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from webui.checkpoints.catalogue import Catalogue
from webui.errors import DarkroomError
from webui.presets import Presets
from webui.requests.style_transfer import MAX_FURTHER_STYLES, StyleTransfer
from webui.rules.style import RANDOM_LAYERS, TRAINED_LAYERS, WEIGHTS_FOLDER
from webui.share.link import ShareState
from webui.storage.thumbnails import shrunk
from webui.texts import Texts, language_of
from webui.ui.controls import WITHOUT_CONTROL, checkpoint_choices
from webui.ui.share_dialog import describe_share

_TILE_PIXELS = 384  # longest side; twice the width at which a tile is shown


def examples_of(catalogue: Catalogue) -> dict[str, list[dict[str, Any]]]:
    """The examples of every checkpoint, by its id: prompts, seed, and the picture's address, or None."""
    return {
        checkpoint.id: [
            {
                "prompt": example.prompt,
                "prompt_zh": example.prompt_zh,
                "seed": example.seed,
                "url": f"/page/examples/{index}?checkpoint={checkpoint.id}" if example.picture else None,
            }
            for index, example in enumerate(checkpoint.examples)
        ]
        for checkpoint in catalogue.list()
    }


def styles_of(presets: Presets, models_dir: Path) -> dict[str, Any]:
    """What the tab *Style transfer* needs: the gallery, and which layers can be weighted."""
    has_weights = any((models_dir / WEIGHTS_FOLDER).glob("*.safetensors"))
    return {
        "gallery": [
            {"id": style.id, "name": style.name, "name_zh": style.name_zh, "url": f"/page/styles/{style.id}"}
            for style in presets.styles
        ],
        "fields": [field for field in StyleTransfer.__dataclass_fields__ if field not in WITHOUT_CONTROL],
        "layers": TRAINED_LAYERS,
        "inactive_layers": [name for name in TRAINED_LAYERS if name not in RANDOM_LAYERS and not has_weights],
        "most_further": MAX_FURTHER_STYLES,
    }


@functools.lru_cache(maxsize=64)
def _tile(picture: Path, changed: int) -> bytes:
    """An example's picture as WebP at the size of a tile; `changed`, its time in nanoseconds, makes it another."""
    return shrunk(picture.name, picture, _TILE_PIXELS)


def page_routes(catalogue: Catalogue, presets: Presets, share: ShareState, texts: Texts) -> APIRouter:
    """`GET /page/examples/{index}?checkpoint=…`: the picture that a checkpoint brings along as an example;
    `GET /page/styles/{id}`: a style of the gallery; `GET /page/checkpoints`: [label, id] for the picker;
    `GET /page/share`: what the share dialog shows.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/page/checkpoints")
    def labels() -> list[tuple[str, str]]:
        return checkpoint_choices(catalogue)

    @router.get("/page/share")
    def look_up_share(call: Request) -> dict[str, Any]:
        return describe_share(share.now, texts, language_of(call.headers.get("accept-language")))

    @router.get("/page/examples/{index}")
    def example(index: int, checkpoint: str) -> Response:
        try:
            examples = catalogue.get(checkpoint).examples
        except DarkroomError:
            return Response(status_code=404)
        if not 0 <= index < len(examples) or not (picture := examples[index].picture):
            return Response(status_code=404)
        try:
            content = _tile(picture, picture.stat().st_mtime_ns)
        except (DarkroomError, OSError):
            return Response(status_code=404)
        return Response(content, media_type="image/webp", headers={"Cache-Control": "private, max-age=86400"})

    @router.get("/page/styles/{id}")
    def style(id: str) -> Response:
        found = next((style.picture for style in presets.styles if style.id == id), None)
        if found is None:
            return Response(status_code=404)
        return FileResponse(found, headers={"Cache-Control": "private, max-age=86400"})

    return router
