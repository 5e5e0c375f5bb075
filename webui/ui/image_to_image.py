"""The tab *Image to image*: a picture that goes in, what of it is drawn anew, and how far to leave it.

The mask is drawn in an editor of our own (`assets/paint.js`); its value is a reference, as the picture's is. What is
about a mask is in sight once there is one; resize mode and sides are in a fold. `PICTURE_ROWS` is how they stand.
"""

from __future__ import annotations

import gradio as gr

from webui.requests import ImageToImage
from webui.ui.assets import template
from webui.ui.controls import Controls, chips, choice, number, slider
from webui.ui.language import Words
from webui.ui.upload import picture_field

TASK = "image_to_image"
PICTURE_ROWS = (
    ("mask",),
    ("denoising_strength",),
    ("mask_mode", "inpaint_area"),
    ("masked_content", "inpaint_padding"),
    ("mask_blur", "soft_inpainting"),
    ("resize_mode",),
    ("outpaint_left", "outpaint_top", "outpaint_right", "outpaint_bottom"),
)


def tab(words: Words) -> tuple[Controls, gr.Tab]:
    """Draws the tab; returns its own controls and the tab."""
    with gr.Tab(words(TASK), id=TASK, elem_id=f"tab_{TASK}", render_children=True) as drawn:
        fields: Controls = {
            "init_image": picture_field(words, "init_image"),
            "mask": gr.HTML(
                value="",
                html_template=template("mask"),
                js_on_load="darkroom.mountMask(element, props, trigger, watch);",
                apply_default_css=False,
                elem_id="mask",
                min_width=120,
            ),
            "denoising_strength": slider(ImageToImage, "denoising_strength", words),
        }
        with gr.Column(elem_id="masking", min_width=0):
            fields |= {
                "mask_mode": chips(ImageToImage, "mask_mode", words),
                "inpaint_area": chips(ImageToImage, "inpaint_area", words),
                "masked_content": choice(ImageToImage, "masked_content", words),
                "inpaint_padding": slider(ImageToImage, "inpaint_padding", words),
                "mask_blur": slider(ImageToImage, "mask_blur", words),
                "soft_inpainting": gr.Checkbox(False, label=words("soft_inpainting"), elem_id="soft_inpainting"),
            }
        with gr.Column(elem_id="framing", min_width=0):
            gr.HTML(html_template=template("framing"), js_on_load="darkroom.mountFraming(element);",
                    elem_id="framing_head", apply_default_css=False)  # fmt: skip
            fields["resize_mode"] = choice(ImageToImage, "resize_mode", words)
            with gr.Row(elem_id="sides"):
                for name in PICTURE_ROWS[-1]:
                    fields[name] = number(ImageToImage, name, words, 0)
    return fields, drawn
