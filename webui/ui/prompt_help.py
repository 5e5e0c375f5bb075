"""The places of our own parts around the prompts: help under each prompt, and the history. `assets/prompt/` fills them
in; nothing in them is sent with the request.
"""

from __future__ import annotations

import gradio as gr

from webui.ui.parts import of_html

_HELP = (
    '<div class="dr help" data-field="@field"><div class="help-line"></div><ul class="help-notes"></ul>'
    '<p class="unseen" role="status"></p></div>'
)


def prompt_help(field: str) -> gr.HTML:
    """The place for notes under the prompt `field` while one types in it."""
    return of_html("prompt_help", _HELP.replace("@field", field), elem_id=f"{field}_help")


def prompt_history() -> gr.HTML:
    """The button that opens the list of earlier prompts."""
    return of_html("history", '<div class="dr menu"></div>')


def known_words() -> gr.HTML:
    """The button that opens the words that the checkpoint knows, where it names any."""
    return of_html("words", '<div class="dr menu"></div>', classes=("help-place",))
