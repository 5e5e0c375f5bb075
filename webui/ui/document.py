"""The page's HTML: where the browser starts, with what Gradio's scripts take their start from.

Gradio would make a new document for each call, under its own name and with scripts for pages that embed it. This one is
the same for everybody: it is made once, and browsers keep it until it changes. Our scripts run before Gradio's, since
deferred scripts and modules run in the order in which they appear here.
"""

from __future__ import annotations

import functools
import hashlib
import html
import json
from collections.abc import Callable, Iterable
from typing import Any

import gradio as gr
from fastapi import APIRouter, Request
from fastapi.responses import Response
from gradio.routes import toorjson

from webui.settings import Settings
from webui.ui import assets
from webui.ui.gradio_frontend import Frontend, frontend
from webui.ui.language import LANGUAGES
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
Defaults = tuple[tuple[str, str], ...]  # names and values of the page's `data-…`
_ROOM = "display:flex;flex-direction:column;margin:0;padding:0"


def document(page: gr.Blocks, files: PageFiles, defaults: Defaults) -> str:
    """The HTML of a mounted page; `files` contain `assets.STYLE_FILE` and the scripts. `defaults` are what counts in a
    browser in which a person has chosen nothing.
    """
    said = "".join(f' data-{name}="{html.escape(value)}"' for name, value in defaults)
    config = _config(page)
    gradio = frontend({component["type"] for component in config["components"]})
    return f"""<!doctype html>
<html lang="en"{said} style="{_ROOM};min-height:100%">
<head>
<meta charset="utf-8">
<base href="/">
<meta name="viewport" content="{_VIEWPORT}">
<title>Darkroom</title>
<link rel="icon" href="data:image/svg+xml,{_ICON}">
<style>{colour_variables()}{assets.early_style()}</style>
<script data-texts="{_texts(files)}">{assets.early_script()}</script>
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


def document_route(page: gr.Blocks, files: PageFiles, settings: Callable[[], Settings]) -> APIRouter:
    """`GET /`: the page, or 304 for a browser that has it. It goes before Gradio's mount, which would answer there,
    too.
    """
    router = APIRouter(include_in_schema=False)

    @functools.cache
    def made(defaults: Defaults) -> tuple[str, str]:  # late, as Gradio completes its configuration when it is mounted
        text = document(page, files, defaults)
        return text, f'W/"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'  # weak: the same, however compressed

    @router.head("/")
    @router.get("/")
    def page_itself(call: Request) -> Response:
        text, etag = made(defaults_of(settings()))
        headers = {"ETag": etag}
        if etag in call.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(text, media_type="text/html", headers=headers)

    return router


def defaults_of(settings: Settings) -> Defaults:
    """What the page takes for a person's choice until there is one."""
    sound = "yes" if settings.sound else "no"
    return ("language", settings.language), ("save-format", settings.image_format), ("sound", sound)


def _config(page: gr.Blocks) -> dict[str, Any]:
    """What Gradio's own document says about its only page, with two exceptions: the words are in `core/given.js`, and
    the browser fills in the address, since behind a proxy only the browser knows it.
    """
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
    own = {assets.MAIN, assets.text_file("en")}  # named above, and by `early.js`
    for name in sorted(assets.first_modules() - own):  # at once, where a browser would go layer by layer
        yield f'<link rel="modulepreload" href="{files.address(name)}">\n'


def _texts(files: PageFiles) -> str:
    """Where the strings of each language are, the first and the late ones, as JSON for an attribute."""
    names = {language: (assets.text_file(language), assets.late_text_file(language)) for language in LANGUAGES}
    return html.escape(json.dumps({language: list(map(files.address, two)) for language, two in names.items()}))


def _gradios_links(gradio: Frontend) -> Iterable[str]:
    # Relative, as Gradio's scripts write them: they look for these very addresses before they add links of their own.
    yield f'<script type="module" crossorigin src="./assets/{gradio.script}"></script>\n'
    yield f'<link rel="stylesheet" crossorigin href="./assets/{gradio.style}">\n'
    for name in gradio.needed:
        kind = 'rel="modulepreload"' if name.endswith(".js") else 'rel="preload" as="style"'
        yield f'<link {kind} crossorigin href="./assets/{name}">\n'
