"""The tab *Style transfer*: the pictures, what the optimisation is told, and in a fold how it goes about it.

`STYLE_ROWS` is how the fold's plain controls stand. Further styles and weights by layer are controls of our own
(`assets/style.js`), whose values are the fields as JSON.
"""

from __future__ import annotations

import gradio as gr

from webui.requests import StyleTransfer
from webui.ui.assets import template
from webui.ui.controls import Controls, chips, choice, slider
from webui.ui.language import Words
from webui.ui.upload import picture_field

TASK = "style_transfer"
STYLE_ROWS = (
    ("keep_colours",),
    ("style_scale",),
    ("total_variation_weight",),
    ("style_loss",),
    ("init",),
    ("optimizer",),
)
# Those that always stand there; what says nothing to the chosen method is not shown.
MAIN_FIELDS = ("method", "style_strength", "style_image_weight", "style_weight", "content_weight", "iterations")
JSON_FIELDS = ("style_images", "layer_weights")


def tab(words: Words) -> tuple[Controls, gr.Tab]:
    """Draws the tab; returns its own controls and the tab."""
    with gr.Tab(words(TASK), id=TASK, elem_id=f"tab_{TASK}", render_children=True) as drawn:
        with gr.Row(elem_id="style_pair"):
            content = picture_field(words, "content_image")
            style = picture_field(words, "style_image")
        _own("style_gallery", "darkroom.mountStyleGallery(element);")
        fields: Controls = {
            "content_image": content,
            "style_image": style,
            "method": chips(StyleTransfer, "method", words),
            "style_strength": slider(StyleTransfer, "style_strength", words),
            "style_images": _own("style_images", "darkroom.mountStyles(element, props, trigger, watch);"),
            "style_image_weight": slider(StyleTransfer, "style_image_weight", words),  # drawn with the further styles
            "style_weight": slider(StyleTransfer, "style_weight", words),
            "content_weight": slider(StyleTransfer, "content_weight", words),
            "size": slider(StyleTransfer, "size", words),
            "iterations": slider(StyleTransfer, "iterations", words),
        }
        with gr.Column(elem_id="styling", min_width=0):
            _own("styling_head", "darkroom.mountStyling(element);", "styling")
            fields |= {
                "keep_colours": choice(StyleTransfer, "keep_colours", words),
                "style_scale": slider(StyleTransfer, "style_scale", words),
                "total_variation_weight": slider(StyleTransfer, "total_variation_weight", words),
                "style_loss": choice(StyleTransfer, "style_loss", words),
                "init": choice(StyleTransfer, "init", words),
                "optimizer": choice(StyleTransfer, "optimizer", words),
                "layer_weights": _own("layer_weights", "darkroom.mountLayers(element, props, trigger, watch);"),
            }
    return fields, drawn


def _own(name: str, script: str, skeleton: str = "style_part") -> gr.HTML:
    return gr.HTML(
        value="",
        html_template=template(skeleton),
        js_on_load=script,
        apply_default_css=False,
        elem_id=name,
        min_width=120,
    )
