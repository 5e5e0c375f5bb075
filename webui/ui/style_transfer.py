"""The tab *Style transfer*: the pictures, the main settings, and in a fold the details of the method.

Further styles and weights by layer are controls of our own (`assets/style.js`), whose values are the fields as JSON.
"""

from __future__ import annotations

import gradio as gr

from webui.requests.field_controls import Group
from webui.requests.fields import controls_in, kind_of
from webui.requests.style_transfer import StyleTransfer
from webui.ui.assets import template
from webui.ui.declared_controls import Controls, drawn
from webui.ui.language import Words
from webui.ui.upload import picture_field

TASK = "style_transfer"
JSON_FIELDS = tuple(name for name in controls_in(StyleTransfer) if kind_of(StyleTransfer, name) == "json")


def tab(words: Words) -> tuple[Controls, gr.Tab]:
    """Draws the tab; returns its own controls and the tab."""
    with gr.Tab(words(TASK), id=TASK, elem_id=f"tab_{TASK}", render_children=True) as made:
        with gr.Row(elem_id="style_pair"):
            content = picture_field(words, "content_image")
            style = picture_field(words, "style_image")
        _own("style_gallery", "darkroom.mountStyleGallery(element);")
        fields = {
            "content_image": content,
            "style_image": style,
            **drawn(Group.STYLE, words, by_hand={"style_images": _further_styles}),
        }
        with gr.Column(elem_id="styling", min_width=0):
            _own("styling_head", "darkroom.mountStyling(element);", "styling")
            fields |= drawn(Group.STYLING, words, by_hand={"layer_weights": _layer_weights})
    return fields, made


def _further_styles() -> gr.HTML:
    return _own("style_images", "darkroom.mountStyles(element, props, trigger, watch);")


def _layer_weights() -> gr.HTML:
    return _own("layer_weights", "darkroom.mountLayers(element, props, trigger, watch);")


def _own(name: str, script: str, skeleton: str = "style_part") -> gr.HTML:
    return gr.HTML(
        value="",
        html_template=template(skeleton),
        js_on_load=script,
        apply_default_css=False,
        elem_id=name,
        min_width=120,
    )
