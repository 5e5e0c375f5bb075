"""Parts of the page that are our own: HTML with places in it that the scripts fill.

A place is `<darkroom-part name="…">`, an element of ours (`assets/core/places.js`), so that the script hears of it from
the browser, whenever and however often Gradio draws it.
"""

from __future__ import annotations

import gradio as gr

from webui.requests.field_controls import Group
from webui.ui.assets import template


def part(name: str, skeleton: str = "", *, elem_id: str | None = None, classes: tuple[str, ...] = ()) -> gr.HTML:
    """The part `name`, with the skeleton `assets/<skeleton>.html` in it, or nothing yet."""
    return of_html(name, template(skeleton) if skeleton else "", elem_id=elem_id, classes=classes)


def of_html(name: str, html: str, *, elem_id: str | None = None, classes: tuple[str, ...] = ()) -> gr.HTML:
    """The same with the HTML itself."""
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
