"""Our own parts of the page: HTML with places that the scripts fill.

A place is `<darkroom-part name="…">`, a custom element (`assets/core/places.js`), so that the browser tells the script
whenever Gradio draws it.
"""

from __future__ import annotations

import gradio as gr

from webui.requests.field_controls import Group
from webui.ui.assets import template


def part(name: str, skeleton: str = "", *, elem_id: str | None = None, classes: tuple[str, ...] = ()) -> gr.HTML:
    """The part `name`, containing the skeleton `assets/<skeleton>.html`, or empty."""
    return of_html(name, template(skeleton) if skeleton else "", elem_id=elem_id, classes=classes)


def of_html(name: str, html: str, *, elem_id: str | None = None, classes: tuple[str, ...] = ()) -> gr.HTML:
    """The part `name`, containing this HTML."""
    return gr.HTML(
        html_template=f'<darkroom-part name="{name}">{html}</darkroom-part>',
        apply_default_css=False,
        elem_id=elem_id or f"{name}_box",
        elem_classes=list(classes),
        min_width=120,
    )


def help_mark(group: Group) -> gr.HTML:
    """The “?” of a group of controls, in the corner of the row or column around it."""
    return of_html("help", f'<span data-group="{group}"></span>', elem_id=f"help_{group}", classes=("help-place",))
