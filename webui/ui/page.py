"""The page: header, the three tabs with the controls they share, the stage, the gallery.

`build_page` puts the parts together; `mount_page` puts the page under our own FastAPI app. No event of the page runs
Python: Gradio tells our scripts what a person does, and they tell Gradio what its controls should show
(`assets/gradio/bridge.js`). Everything else is between the scripts and the API. So Gradio has no queue, no state and no
connection of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import gradio as gr
from fastapi import APIRouter, FastAPI

from webui.checkpoints.catalogue import Catalogue, Checkpoint
from webui.errors import NoCheckpoint
from webui.presets import Presets
from webui.requests import REQUESTS
from webui.requests.field_types import MAX_LOOKS
from webui.rules.branches import CHANGEABLE
from webui.settings import Settings
from webui.share.link import ShareState
from webui.texts import Texts
from webui.ui import assets, controls, image_to_image, style_transfer, text_to_image
from webui.ui.best_controls import best
from webui.ui.declared_controls import Controls, controlled_fields, field_defaults, field_table, starting_values
from webui.ui.document import document_route
from webui.ui.help_links import help_data
from webui.ui.language import Words
from webui.ui.page_files import PageFiles
from webui.ui.parts import of_html, part
from webui.ui.routes import examples_of, page_routes, styles_of
from webui.ui.sampling_controls import sampling, sampling_data
from webui.ui.theme import theme

_IN_BROWSER: dict[str, Any] = {"fn": None, "queue": False, "show_progress": "hidden", "api_visibility": "private"}


def build_page(
    *, catalogue: Catalogue, presets: Presets, texts: Texts, settings: Callable[[], Settings], share: ShareState
) -> gr.Blocks:
    """The whole page, not yet mounted. Starts nothing and reads only `presets` and the catalogue's list. `settings` are
    as they are at the moment.
    """
    words = Words()
    try:
        chosen: Checkpoint | None = catalogue.default()
    except NoCheckpoint:
        chosen = None
    with _Page(title="Darkroom", fill_width=True, analytics_enabled=False) as page:
        picker = _header()
        with gr.Row(elem_id="studio"):
            with gr.Column(elem_id="panel", min_width=0):
                fields, tabs, tasks = _form(words, chosen)
                with gr.Row(elem_id="foot"):
                    gr.Button(words("generate"), variant="primary", elem_id="generate", min_width=80)
                    gr.Button(words("stop"), elem_id="stop", min_width=60)
                    of_html("estimate", '<p id="estimate" aria-live="polite"></p>')
            part("stage", "stage")
        part("gallery", "gallery")
        part("models")
        part("operator")
        fields = {"checkpoint": picker, **fields}
        _join(page, fields, tabs, tasks)
    files = _files_of(words, texts, presets, catalogue, chosen, fields, settings())
    page.darkroom = _PageParts(texts, presets, catalogue, share, fields, files, settings)
    return page


class _Page(gr.Blocks):  # type: ignore[misc]
    """Blocks whose queue is not started: nothing here uses it, and it would look for work a thousand times a second."""

    def run_startup_events(self) -> None:
        """Marks the app as running, without the queue that Gradio would start here."""
        self.is_running = True
        self.create_limiter()


@dataclasses.dataclass(frozen=True)
class _PageParts:
    """What `mount_page` and the tests need of a built page."""

    texts: Texts
    presets: Presets
    catalogue: Catalogue
    share: ShareState
    fields: Controls
    files: PageFiles
    settings: Callable[[], Settings]


def routers_of(page: gr.Blocks) -> tuple[APIRouter, ...]:
    """The page itself, its files and its few routes. They go before what `mount_page` mounts, and behind the guard."""
    parts: _PageParts = page.darkroom
    own = page_routes(parts.catalogue, parts.presets, parts.share, parts.texts)
    return own, parts.files.routes(), document_route(page, parts.files, parts.settings)


def _files_of(
    words: Words,
    texts: Texts,
    presets: Presets,
    catalogue: Catalogue,
    chosen: Checkpoint | None,
    fields: Controls,
    settings: Settings,
) -> PageFiles:
    """Scripts, styles and what the scripts need to know."""
    data = {
        "tasks": {task: sorted(controlled_fields(task)) for task in REQUESTS},
        "first_task": text_to_image.TASK,
        "start": starting_values(chosen),
        "controls": list(_gradios(fields)),
        "most_looks": MAX_LOOKS,
        "looks": {look.id: {"name": look.name, "name_zh": look.name_zh} for look in presets.looks},
        "surprises": [dataclasses.asdict(surprise) for surprise in presets.surprises],
        "examples": examples_of(catalogue),
        "style": styles_of(presets, settings.models_dir),
        "order": list(fields),
        "defaults": field_defaults(),
        "branch_free": sorted(CHANGEABLE),
        "fields": field_table(),
        "sampling": sampling_data(texts),
        "help": help_data(),
        "port": settings.port,  # tells our cookies from those of another Darkroom on this machine
    }
    return assets.page_files(words, data)


def mount_page(app: FastAPI, page: gr.Blocks) -> FastAPI:
    """Serves Gradio's part of a page from `build_page` under `app`, after the routes of `routers_of`."""
    parts: _PageParts = page.darkroom
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        theme=theme(),
        head=f'<link rel="stylesheet" href="{parts.files.address(assets.STYLE_FILE)}">',
        i18n=Words().catalogue,
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        max_file_size=1,
    )
    return app


def _header() -> gr.HTML:
    """Brand, the picker, and our own part with device, queue, share and language. Returns the picker."""
    with gr.Row(elem_id="header"):
        gr.HTML(html_template=assets.template("brand"), elem_id="brand_box", apply_default_css=False)
        picker = controls.checkpoint_picker()
        part("header", "header")
    return picker


def _form(words: Words, chosen: Checkpoint | None) -> tuple[Controls, list[gr.Tab], gr.Tabs]:
    """The scrolling part of the left column. Returns the controls by name, and the tabs."""
    fields: Controls = {}
    with gr.Column(elem_id="form", min_width=0):
        tabs = []
        with gr.Tabs(elem_id="tasks") as tasks:
            for task in (text_to_image, image_to_image, style_transfer):
                own, tab = task.tab(words)
                fields |= own
                tabs.append(tab)
        with gr.Column(elem_id="writing", min_width=0):
            fields |= controls.writing(words)
        part("more", "more")
        with gr.Column(elem_id="settings", min_width=0):
            fields |= controls.size(words, chosen)
            fields |= controls.amount(words)
            fields |= best(words)
            fields |= controls.effort(words, chosen)
            fields |= controls.seed(words)
            fields |= sampling(words, chosen)
        part("to_operator")
    return fields, tabs, tasks


def _gradios(fields: Controls) -> Controls:
    """The controls that are Gradio's own; our scripts fill the others."""
    return {name: field for name, field in fields.items() if not isinstance(field, gr.HTML)}


def _join(page: gr.Blocks, fields: Controls, tabs: list[gr.Tab], tasks: gr.Tabs) -> None:
    """All events, none of which leaves the browser: what a person does goes to the bridge, control by control; what the
    controls should show comes from it, for all of them at once.
    """
    bridge = gr.HTML(html_template="", js_on_load="darkroom.ready(trigger);", elem_id="bridge", apply_default_css=False)
    shown = [*_gradios(fields).values(), tasks]
    applied = bridge.apply(js="() => darkroom.apply()", outputs=shown, **_IN_BROWSER)
    applied.then(js="() => darkroom.applied()", **_IN_BROWSER)
    page.load(js="() => darkroom.loaded()", **_IN_BROWSER)
    for name, field in _gradios(fields).items():
        field.interactive = True  # Gradio would take what is set by an event alone for a display
        if isinstance(field, gr.Textbox):
            continue  # its `input` tells of keys alone, of no paste and no composition: the bridge hears the browser's
        heard = [field.input, field.release] if isinstance(field, gr.Slider) else [field.input]
        gr.on(heard, js=f"(value) => darkroom.heard({name!r}, value)", inputs=field, trigger_mode="multiple",
              **_IN_BROWSER)  # fmt: skip
        if isinstance(field, gr.Number):
            field.blur(js=f"() => darkroom.left({name!r})", **_IN_BROWSER)
    tasks.select(js="() => darkroom.chosen()", **_IN_BROWSER)
    for tab in tabs:
        tab.select(js=f"() => darkroom.opened({tab.id!r})", **_IN_BROWSER)
    for button in [block for block in page.blocks.values() if isinstance(block, gr.Button)]:
        button.click(js=f"() => darkroom.pressed({button.elem_id!r})", **_IN_BROWSER)
