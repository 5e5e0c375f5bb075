"""The tab *Image to image*: the input picture, which part of it is redrawn, and how much.

The mask is drawn in our own editor (`assets/paint/`); its value is a reference, like the picture's. Settings for the
mask appear once there is one; resize mode and sides are in a section that folds.
"""

from __future__ import annotations

import gradio as gr

from webui.requests.field_controls import Group
from webui.ui.declared_controls import Controls, drawn
from webui.ui.language import Words
from webui.ui.parts import part
from webui.ui.upload import picture_field

TASK = "image_to_image"


def tab(words: Words) -> tuple[Controls, gr.Tab]:
    """Builds the tab; returns its own controls and the tab."""
    with gr.Tab(words(TASK), id=TASK, elem_id=f"tab_{TASK}", render_children=True) as made:
        fields = {
            "init_image": picture_field(words, "init_image"),
            **drawn(Group.PICTURE, words, by_hand={"mask": _mask}),
        }
        with gr.Column(elem_id="masking", min_width=0):
            fields |= drawn(Group.MASKING, words)
        with gr.Column(elem_id="framing", min_width=0):
            part("framing", "framing", elem_id="framing_head")
            fields |= drawn(Group.FRAMING, words)
            with gr.Row(elem_id="sides"):
                fields |= drawn(Group.SIDES, words)
    return fields, made


def _mask() -> gr.HTML:
    return part("mask", "mask", elem_id="mask")
