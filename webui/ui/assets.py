"""Our scripts and styles, read from `assets/` and joined into the files that the page loads.

Scripts are plain files in the order below; each adds its part to one `darkroom` object. Nothing comes from elsewhere.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from webui.ui.language import Words
from webui.ui.page_files import PageFiles
from webui.ui.theme import colour_variables

_FOLDER = Path(__file__).parent / "assets"
STYLES = (
    "page.css",
    "controls.css",
    "sampling.css",
    "stage.css",
    "save_format.css",
    "best_of.css",
    "sheets.css",
    "gallery.css",
    "compare.css",
    "private.css",
    "walk.css",
    "again.css",
    "steps.css",
    "masking.css",
    "style.css",
    "paint.css",
    "phone.css",
    "prompt.css",
    "inspect.css",
)
SCRIPTS = (
    "core.js",
    "fields.js",
    "stream.js",
    "controls.js",
    "rules.js",
    "sampling.js",
    "prompt_undo.js",
    "prompt_keys.js",
    "prompt_history.js",
    "inspect.js",
    "prompt_check.js",
    "names.js",
    "keyboard.js",
    "estimate.js",
    "upload.js",
    "masking.js",
    "style.js",
    "paint_canvas.js",
    "paint_view.js",
    "paint_dialog.js",
    "paint.js",
    "best_of.js",
    "save_format.js",
    "stage.js",
    "style_live.js",
    "stage_error.js",
    "strip.js",
    "steps.js",
    "branch.js",
    "actions.js",
    "rail.js",
    "swipe.js",
    "private.js",
    "header.js",
    "gallery.js",
    "gallery_tiles.js",
    "gallery_filter.js",
    "gallery_select.js",
    "compare.js",
    "again.js",
    "walk.js",
)


STYLE_FILE = "page.css"
SCRIPT_FILES = ("data.js", "page.js")  # in the order in which they run


def _joined(names: tuple[str, ...]) -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


def template(name: str) -> str:
    """The HTML skeleton `assets/<name>.html` of one of our components; it holds no text and no `${`."""
    return (_FOLDER / f"{name}.html").read_text(encoding="utf-8")


def page_files(words: Words, data: dict[str, Any]) -> PageFiles:
    """All that the page loads of ours: styles, strings and data, and the scripts."""
    given = json.dumps({"texts": words.by_language, **data}, ensure_ascii=False)
    return PageFiles(
        {
            STYLE_FILE: f"{colour_variables()}\n{_joined(STYLES)}",
            "data.js": f"window.darkroomData = {given};\ngradio_config.i18n_translations = darkroomData.texts;\n",
            "page.js": f"(() => {{\nconst given = window.darkroomData;\n{_joined(SCRIPTS)}\n}})();\n",
        }
    )


def early_style() -> str:
    """What the page looks like while Gradio's scripts load."""
    return (_FOLDER / "early.css").read_text(encoding="utf-8")


def early_script() -> str:
    """Runs before Gradio does: the language that the person chose counts as the browser's."""
    return (_FOLDER / "early.js").read_text(encoding="utf-8")
