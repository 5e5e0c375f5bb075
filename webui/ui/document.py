"""The page's HTML: where the browser starts, with what Gradio's scripts take their start from.

Gradio would make another document for each call, under its own name and with scripts for pages that embed it. This
one is the same for everybody: it is made once, and browsers keep it until it changes. Our scripts run before Gradio's,
since deferred scripts and modules run in the order in which they stand here.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from typing import Any

import gradio as gr
from fastapi import APIRouter, Request
from fastapi.responses import Response
from gradio.routes import toorjson

from webui.ui import assets
from webui.ui.gradio_frontend import Frontend, frontend
from webui.ui.page_files import PageFiles
from webui.ui.theme import colour_variables

# The keyboard of a phone makes the page shorter, so that what sticks to the bottom edge stays above it.
_VIEWPORT = "width=device-width, initial-scale=1, minimum-scale=1, interactive-widget=resizes-content"
_ICON = (  # the page's own sign: without one, browsers ask for a file again and again
    "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E"
    "%3Ccircle cx='12' cy='12' r='11' fill='%23f7f5f2' stroke='%2312100f' stroke-width='2'/%3E"
    "%3Cpath d='M12 1a11 11 0 0 0 0 22z' fill='%2312100f'/%3E"
    "%3Ccircle cx='17' cy='12' r='2.4' fill='%23c23b1e'/%3E%3C/svg%3E"
)
_ROOM = "display:flex;flex-direction:column;margin:0;padding:0"


def document(page: gr.Blocks, files: PageFiles) -> str:
    """The HTML of a page that is mounted; `files` hold `assets.STYLE_FILE` and the scripts."""
    config = _config(page)
    gradio = frontend({component["type"] for component in config["components"]})
    return f"""<!doctype html>
<html lang="en" style="{_ROOM};min-height:100%">
<head>
<meta charset="utf-8">
<base href="/">
<meta name="viewport" content="{_VIEWPORT}">
<title>Darkroom</title>
<link rel="icon" href="data:image/svg+xml,{_ICON}">
<style>{colour_variables()}{assets.early_style()}</style>
<script>{assets.early_script()}</script>
{"".join(_own_links(files))}{"".join(_gradios_links(gradio))}<script>
window.gradio_config = {toorjson(config)};
window.gradio_config.root = location.origin;
window.gradio_api_info = {toorjson(page.get_api_info())};
window.__gradio_mode__ = "app";
</script>
</head>
<body style="{_ROOM};width:100%;flex-grow:1">
<gradio-app control_page_title="true" embed="false" eager="true" style="display:flex;flex-direction:column;flex-grow:1">
</gradio-app>
</body>
</html>
"""


def document_route(page: gr.Blocks, files: PageFiles) -> APIRouter:
    """`GET /`: the page, or 304 to a browser that has it. Goes before Gradio's mount, which would answer there too."""
    router = APIRouter(include_in_schema=False)

    @functools.cache
    def made() -> tuple[str, str]:  # late, as Gradio completes its configuration when it is mounted
        html = document(page, files)
        return html, f'W/"{hashlib.sha256(html.encode()).hexdigest()[:32]}"'  # weak: the same, however compressed

    @router.head("/")
    @router.get("/")
    def page_itself(call: Request) -> Response:
        html, etag = made()
        headers = {"ETag": etag}
        if etag in call.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(html, media_type="text/html", headers=headers)

    return router


def _config(page: gr.Blocks) -> dict[str, Any]:
    """What Gradio's own document says of its one page, but for two things: the words are in `core/given.js`, and the
    address is filled in by the browser, since behind a proxy only that knows it."""
    return {
        **page.config,
        "current_page": "",
        "deep_link_state": "none",
        "username": None,
        "i18n_translations": {},
        "root": "",
    }


def _own_links(files: PageFiles) -> Iterable[str]:
    yield f'<link rel="preload" as="style" href="{files.address(assets.STYLE_FILE)}">\n'
    yield f'<script type="module" fetchpriority="high" src="{files.address(assets.MAIN)}"></script>\n'
    for name in files.names:  # all at once, where a browser would find them layer by layer
        if name.endswith(".js") and name != assets.MAIN and not assets.is_late(name):
            yield f'<link rel="modulepreload" href="{files.address(name)}">\n'


def _gradios_links(gradio: Frontend) -> Iterable[str]:
    # Relative, as Gradio's scripts write them: they look for these very addresses before they add links of their own.
    yield f'<script type="module" crossorigin src="./assets/{gradio.script}"></script>\n'
    yield f'<link rel="stylesheet" crossorigin href="./assets/{gradio.style}">\n'
    for name in gradio.needed:
        kind = 'rel="modulepreload"' if name.endswith(".js") else 'rel="preload" as="style"'
        yield f'<link {kind} crossorigin href="./assets/{name}">\n'
