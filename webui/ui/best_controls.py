"""The control *Keep best*: how many of several images are kept, those that fit the prompt best.

Only the browser knows how many images there are and whether the checkpoint has a critic, so
`assets/controls/keep_best.js` shows the control if there is something to choose, and otherwise says why not.
"""

from __future__ import annotations

import gradio as gr

from webui.ui.declared_controls import Controls
from webui.ui.language import Words

KEEP_COUNTS = (1, 2, 4)


def best(words: Words) -> Controls:
    """A single row: all, or a number of images."""
    with gr.Row(elem_id="best_row"):
        keep_best = gr.Radio(
            [(words("keep_all"), 0), *((str(count), count) for count in KEEP_COUNTS)],
            value=0,
            label=words("keep_best"),
            elem_id="keep_best",
            elem_classes=["chips"],
        )
        gr.HTML('<p id="best_why"></p>', elem_id="best_why_box", apply_default_css=False)  # `names.js` fills it
    return {"keep_best": keep_best}
