"""The tab *Image to image*: a picture that goes in, and how far to leave it."""

from __future__ import annotations

import gradio as gr

from webui.requests import ImageToImage
from webui.ui.controls import Controls, slider
from webui.ui.language import Words
from webui.ui.upload import picture_field

TASK = "image_to_image"


def tab(words: Words) -> tuple[Controls, gr.Tab]:
    """Draws the tab; returns its own controls and the tab."""
    with gr.Tab(words(TASK), id=TASK, elem_id=f"tab_{TASK}", render_children=True) as drawn:
        fields: Controls = {
            "init_image": picture_field(words, "init_image"),
            "denoising_strength": slider(ImageToImage, "denoising_strength", words),
        }
    return fields, drawn
