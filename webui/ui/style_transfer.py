"""The tab *Style transfer*: the pair of pictures and what the optimisation is told."""

from __future__ import annotations

import gradio as gr

from webui.requests import StyleTransfer
from webui.ui.controls import Controls, slider
from webui.ui.language import Words
from webui.ui.upload import picture_field

TASK = "style_transfer"


def tab(words: Words) -> tuple[Controls, gr.Tab]:
    """Draws the tab; returns its own controls and the tab."""
    with gr.Tab(words(TASK), id=TASK, elem_id=f"tab_{TASK}", render_children=True) as drawn:
        with gr.Row(elem_id="style_pair"):
            content = picture_field(words, "content_image")
            style = picture_field(words, "style_image")
        fields: Controls = {
            "content_image": content,
            "style_image": style,
            "content_weight": slider(StyleTransfer, "content_weight", words),
            "style_weight": slider(StyleTransfer, "style_weight", words),
            "iterations": slider(StyleTransfer, "iterations", words),
            "size": slider(StyleTransfer, "size", words),
        }
    return fields, drawn
