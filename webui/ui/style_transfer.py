"""The tab *Style transfer*: the pictures, the main settings, and a section that folds with the details of the method.

Further styles and weights by layer are controls of our own (`assets/pictures/style.js`).
"""

from __future__ import annotations

import gradio as gr

from webui.requests.field_controls import Group
from webui.ui.declared_controls import Controls, drawn
from webui.ui.language import Words
from webui.ui.parts import help_mark, part
from webui.ui.upload import picture_field

TASK = "style_transfer"


def tab(words: Words) -> tuple[Controls, gr.Tab]:
    """Builds the tab; returns its own controls and the tab."""
    with gr.Tab(words(TASK), id=TASK, elem_id=f"tab_{TASK}", render_children=True) as made:
        with gr.Row(elem_id="style_pair"):
            content = picture_field(words, "content_image")
            style = picture_field(words, "style_image")
            help_mark(Group.STYLE)
        part("style_gallery", "style_part", elem_id="style_gallery")
        fields = {
            "content_image": content,
            "style_image": style,
            **drawn(Group.STYLE, words, by_hand={"style_images": _further_styles}),
        }
        with gr.Column(elem_id="styling", min_width=0):
            part("styling", "styling", elem_id="styling_head")
            fields |= drawn(Group.STYLING, words, by_hand={"layer_weights": _layer_weights})
    return fields, made


def _further_styles() -> gr.HTML:
    return part("style_images", "style_part", elem_id="style_images")


def _layer_weights() -> gr.HTML:
    return part("layer_weights", "style_part", elem_id="layer_weights")
