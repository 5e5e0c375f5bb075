"""The places of our own parts around the prompts: help under each of them, and the history. `assets/prompt_*.js` fill
them in; nothing of them is sent with the request."""

from __future__ import annotations

import gradio as gr

_HELP = (
    '<div class="dr help"><div class="help-line"></div><ul class="help-notes"></ul>'
    '<p class="unseen" role="status"></p></div>'
)


def prompt_help(field: str) -> gr.HTML:
    """What is said under the prompt `field` while one types in it."""
    return gr.HTML(
        html_template=_HELP,
        js_on_load=f'darkroom.mountPromptHelp(element, "{field}");',
        elem_id=f"{field}_help",
        apply_default_css=False,
    )


def prompt_history() -> gr.HTML:
    """The button that opens the list of earlier prompts."""
    return gr.HTML(
        html_template='<div class="dr menu"></div>',
        js_on_load="darkroom.mountHistory(element);",
        elem_id="history_box",
        apply_default_css=False,
    )
