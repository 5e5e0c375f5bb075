"""The page's own few routes: the pictures of the example tiles. Everything else it asks for is the API's."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from webui.checkpoints import Catalogue
from webui.errors import DarkroomError


def examples_of(catalogue: Catalogue) -> dict[str, list[dict[str, Any]]]:
    """The examples of every checkpoint, by its id: prompts, seed, and where the picture is, or None."""
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


def page_routes(catalogue: Catalogue) -> APIRouter:
    """`GET /page/examples/{index}?checkpoint=…`: the picture that a checkpoint brings along as an example."""
    router = APIRouter(include_in_schema=False)

    @router.get("/page/examples/{index}")
    def example(index: int, checkpoint: str) -> Response:
        try:
            examples = catalogue.get(checkpoint).examples
        except DarkroomError:
            return Response(status_code=404)
        if not 0 <= index < len(examples) or not (picture := examples[index].picture):
            return Response(status_code=404)
        return FileResponse(picture, headers={"Cache-Control": "private, max-age=86400"})

    return router
