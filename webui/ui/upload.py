"""A place for a picture: choose, drop or paste one; the browser sends it to `POST /api/images` and keeps its reference.

The form's value is that reference, `sha256:<hex>`, or "". Gradio's own upload is not used: it would store and decode
what a stranger sends. The behaviour is in `assets/pictures/upload.js`.
"""

from __future__ import annotations

import gradio as gr

from webui.ui.assets import template
from webui.ui.language import Words
from webui.ui.parts import of_html

NAMES = {"init_image": "Input image", "content_image": "Content image", "style_image": "Style image"}


def picture_field(words: Words, field: str) -> gr.HTML:
    """The upload for the request's field `field`; its label is the string of the same name."""
    if field not in NAMES:
        raise KeyError(field)
    words(field)  # the script looks it up under the same key
    return of_html("upload", template("upload").replace("@field", field), elem_id=field, classes=("upload",))
