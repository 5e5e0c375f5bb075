"""The tab *Image to image*: the input picture, which part of it is redrawn, and how much.

The mask is drawn in our own editor (`assets/paint.js`); its value is a reference, like the picture's. Settings for the
mask appear once there is one; resize mode and sides are in a fold.
"""

from __future__ import annotations

import gradio as gr

from webui.requests.field_controls import Group
from webui.ui.assets import template
from webui.ui.declared_controls import Controls, drawn
from webui.ui.language import Words
from webui.ui.upload import picture_field

TASK = "image_to_image"


def tab(words: Words) -> tuple[Controls, gr.Tab]:
    """Draws the tab; returns its own controls and the tab."""
    with gr.Tab(words(TASK), id=TASK, elem_id=f"tab_{TASK}", render_children=True) as made:
        fields = {
            "init_image": picture_field(words, "init_image"),
            **drawn(Group.PICTURE, words, by_hand={"mask": _mask}),
        }
        with gr.Column(elem_id="masking", min_width=0):
            fields |= drawn(Group.MASKING, words)
        with gr.Column(elem_id="framing", min_width=0):
            gr.HTML(html_template=template("framing"), js_on_load="darkroom.mountFraming(element);",
                    elem_id="framing_head", apply_default_css=False)  # fmt: skip
            fields |= drawn(Group.FRAMING, words)
            with gr.Row(elem_id="sides"):
                fields |= drawn(Group.SIDES, words)
    return fields, made


def _mask() -> gr.HTML:
    return gr.HTML(
        value="",
        html_template=template("mask"),
        js_on_load="darkroom.mountMask(element, props, trigger, watch);",
        apply_default_css=False,
        elem_id="mask",
        min_width=120,
    )
