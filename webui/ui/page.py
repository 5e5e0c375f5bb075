"""The page: header, the three tabs with the controls they share, the stage, the gallery.

`build_page` puts the parts together and joins their events; `mount_page` puts the page under our own FastAPI app. Its
handlers submit and nothing else; what happens to a job is followed by the scripts in `assets/`. No handler is queued by
Gradio, and there is no state of Gradio's in the page, so that it holds no connection open of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import gradio as gr
from fastapi import APIRouter, FastAPI

from webui.checkpoints.catalogue import Catalogue, Checkpoint
from webui.errors import NoCheckpoint
from webui.jobs.queue import JobQueue
from webui.jobs.submitting import Submissions
from webui.presets import Presets
from webui.rules.branches import FREE
from webui.settings import Settings
from webui.share.link import ShareState
from webui.storage import Storage
from webui.storage.owners import LOCAL, Owner
from webui.texts import Language, Texts
from webui.ui import assets, controls, image_to_image, style_transfer, text_to_image
from webui.ui.best_controls import best
from webui.ui.declared_controls import Controls, field_table
from webui.ui.document import document_route
from webui.ui.help_links import help_data
from webui.ui.language import LANGUAGES, Words
from webui.ui.page_files import PageFiles
from webui.ui.routes import examples_of, page_routes, styles_of
from webui.ui.sampling_controls import sampling, sampling_data
from webui.ui.share_dialog import describe_share
from webui.ui.submit import Receipt, Submitter, field_defaults
from webui.ui.theme import theme

_QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
_SURFACE: dict[str, Any] = {"apply_default_css": False}


def build_page(
    *,
    queue: JobQueue,
    submissions: Submissions,
    catalogue: Catalogue,
    storage: Storage,
    presets: Presets,
    texts: Texts,
    settings: Settings,
    share: ShareState,
) -> gr.Blocks:
    """The whole page, not yet mounted. Starts nothing and reads nothing but `presets` and the catalogue's list."""
    words = Words()
    submitter = Submitter(queue, submissions, texts, words)
    try:
        chosen: Checkpoint | None = catalogue.default()
    except NoCheckpoint:
        chosen = None
    with _Page(title="Darkroom", fill_width=True, analytics_enabled=False) as page:
        picker, share_button, share_value = _header(words, catalogue, chosen)
        with gr.Row(elem_id="studio"):
            with gr.Column(elem_id="panel", min_width=0):
                fields, tabs = _form(words, presets, chosen)
                with gr.Row(elem_id="foot"):
                    generate = gr.Button(words("generate"), variant="primary", elem_id="generate", min_width=80)
                    gr.Button(words("stop"), elem_id="stop", min_width=60)
                    gr.HTML('<p id="estimate" aria-live="polite"></p>', elem_id="estimate_box", **_SURFACE)
            stage = gr.HTML(
                None,
                html_template=assets.template("stage"),
                js_on_load='darkroom.mountStage(element, props, watch, trigger, "apply");',
                elem_id="stage_box",
                **_SURFACE,
            )
        gr.HTML(html_template=assets.template("gallery"), js_on_load="darkroom.mountGallery(element);",
                elem_id="gallery_box", **_SURFACE)  # fmt: skip
        fields = {"checkpoint": picker, **fields}
        _join(page, fields, tabs, generate, stage, submitter)
        page.load(lambda: gr.Dropdown(choices=controls.checkpoint_choices(catalogue)), outputs=picker, **_QUIET)

        def look_up_share(language: str) -> dict[str, Any]:
            return describe_share(share.now, texts, _known(language))

        share_button.click(look_up_share, inputs=share_value, outputs=share_value, js="() => darkroom.language",
                           **_QUIET)  # fmt: skip
    files = _files_of(words, texts, presets, catalogue, fields, settings)
    page.darkroom = _PageParts(words, texts, presets, catalogue, fields, files)
    return page


class _Page(gr.Blocks):  # type: ignore[misc]
    """Blocks whose queue is not started: nothing here waits in it, and it looks for work a thousand times a second."""

    def run_startup_events(self) -> None:
        self.is_running = True
        self.create_limiter()


@dataclasses.dataclass(frozen=True)
class _PageParts:
    """What `mount_page` and the tests need of a built page."""

    words: Words
    texts: Texts
    presets: Presets
    catalogue: Catalogue
    fields: Controls
    files: PageFiles


def routers_of(page: gr.Blocks) -> tuple[APIRouter, ...]:
    """The page itself, its files and its few routes. They go before what `mount_page` mounts, and behind the guard."""
    parts: _PageParts = page.darkroom
    return page_routes(parts.catalogue, parts.presets), parts.files.routes(), document_route(page, parts.files)


def _files_of(
    words: Words, texts: Texts, presets: Presets, catalogue: Catalogue, fields: Controls, settings: Settings
) -> PageFiles:
    """Scripts, styles and what the scripts need to know."""
    data = {
        "looks": {look.id: {"name": look.name, "name_zh": look.name_zh} for look in presets.looks},
        "surprises": [dataclasses.asdict(surprise) for surprise in presets.surprises],
        "examples": examples_of(catalogue),
        "style": styles_of(presets, settings.models_dir),
        "order": list(fields),
        "defaults": field_defaults(),
        "branch_free": sorted(FREE - {"variation_seed", "variation_strength"}),  # a branch has no variations
        "fields": field_table(),
        "sampling": sampling_data(texts),
        "help": help_data(),
        "port": settings.port,  # tells our cookies from those of another Darkroom on this machine
    }
    return assets.page_files(words, data)


def mount_page(app: FastAPI, page: gr.Blocks) -> FastAPI:
    """Serves what Gradio has of a page from `build_page` under `app`, after the routes of `routers_of`."""
    parts: _PageParts = page.darkroom
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        theme=theme(),
        head=f'<link rel="stylesheet" href="{parts.files.address(assets.STYLE_FILE)}">',
        i18n=parts.words.catalogue,
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


def _header(words: Words, catalogue: Catalogue, chosen: Checkpoint | None) -> tuple[gr.Dropdown, gr.HTML, gr.HTML]:
    """Brand, the picker, and our own part with device, queue, share and language."""
    with gr.Row(elem_id="header"):
        gr.HTML(html_template=assets.template("brand"), elem_id="brand_box", **_SURFACE)
        picker = controls.checkpoint_picker(words, catalogue, chosen)
        bar = gr.HTML(
            None,
            html_template=assets.template("header"),
            js_on_load="darkroom.mountHeader(element, props, watch, trigger, 'click');",
            elem_id="header_box",
            **_SURFACE,
        )
    return picker, bar, bar


def _form(words: Words, presets: Presets, chosen: Checkpoint | None) -> tuple[Controls, list[gr.Tab]]:
    """The scrolling part of the left column. Returns the controls by name, and the tabs."""
    fields: Controls = {}
    with gr.Column(elem_id="form", min_width=0):
        tabs = []
        with gr.Tabs(elem_id="tasks"):
            for task in (text_to_image, image_to_image, style_transfer):
                own, tab = task.tab(words)
                fields |= own
                tabs.append(tab)
        with gr.Column(elem_id="writing", min_width=0):
            fields |= controls.writing(words, presets)
        gr.HTML(html_template=assets.template("more"), js_on_load="darkroom.mountMore(element);", elem_id="more_box",
                **_SURFACE)  # fmt: skip
        with gr.Column(elem_id="settings", min_width=0):
            fields |= controls.size(words, chosen)
            fields |= controls.amount(words)
            fields |= best(words)
            fields |= controls.effort(words, chosen)
            fields |= controls.seed(words)
            fields |= sampling(words, chosen)
    return fields, tabs


def _join(
    page: gr.Blocks,
    fields: Controls,
    tabs: list[gr.Tab],
    generate: gr.Button,
    stage: gr.HTML,
    submitter: Submitter,
) -> None:
    """All events: one that submits, the others in the browser only."""
    inputs = list(fields.values())
    names = list(fields)
    form = gr.Textbox(visible=False, elem_id="task")  # takes "task language", and a branch as JSON, from the script

    async def submit(request: gr.Request, context: str, *values: Any) -> Receipt:
        task, language, mode, branch = [*context.split(" ", 3), "", "", ""][:4]
        given = dict(zip(names, values, strict=True))
        is_meant_private = mode == "private"
        return await submitter.submit(owner_of(request), _known(language), task, given, branch, is_meant_private)

    generate.click(submit, inputs=[form, *inputs], outputs=stage, trigger_mode="multiple",
                   js="(_, ...values) => darkroom.beforeSubmit(values)", **_QUIET)  # fmt: skip
    in_browser: dict[str, Any] = {"fn": None, "queue": False, "show_progress": "hidden"}
    page.load(js="(...values) => darkroom.restore(values)", inputs=inputs, outputs=inputs, **in_browser)
    stage.apply(js="(...values) => darkroom.applied(values)", inputs=inputs, outputs=inputs, **in_browser)
    changes: list[Callable[..., Any]] = [field.change for field in inputs]
    gr.on(changes, js="(...values) => darkroom.changed(values)", inputs=inputs, trigger_mode="multiple", **in_browser)
    for tab in tabs:
        tab.select(js=f"() => darkroom.chooseTask({tab.id!r})", **in_browser)


def owner_of(request: gr.Request) -> Owner:
    """Whose page it is: the guard wrote it into the request's state."""
    state = getattr(request.request, "state", None)
    owner: Owner = getattr(state, "owner", LOCAL)
    return owner


def _known(language: str) -> Language:
    return "zh-CN" if language == LANGUAGES[1] else "en"
