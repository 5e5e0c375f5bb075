"""The tab *Text to image*. It shares all of its controls with the others."""

from __future__ import annotations

import gradio as gr

from webui.ui.declared_controls import Controls
from webui.ui.language import Words

TASK = "text_to_image"


def tab(words: Words) -> tuple[Controls, gr.Tab]:
    """Builds the tab; it has no controls of its own."""
    with gr.Tab(words(TASK), id=TASK, elem_id=f"tab_{TASK}") as made:
        pass
    return {}, made
