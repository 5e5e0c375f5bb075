"""Our scripts and styles, read from `assets/`: what the page loads.

Scripts are native modules in rooms, which import one another; `main.js` starts them. What Python has to tell them is a
module, too: `core/given.js`. Styles are joined into one file. What is not on the
page from the start is loaded when it is opened. Nothing comes from elsewhere.
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
    "several.css",
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
    "medium.css",
    "phone.css",
    "prompt.css",
    "inspect.css",
    "help.css",
)


STYLE_FILE = "page.css"
# Rooms that are loaded when somebody opens them, and the style of each, `<room>.css`.
LATE_ROOMS = ("models",)
MAIN = "main.js"
GIVEN = "core/given.js"
_EARLY = "early.js"  # runs before everything else, inside the HTML


def _joined(names: tuple[str, ...]) -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


def template(name: str) -> str:
    """The HTML skeleton `assets/<name>.html` of one of our components; it holds no text and no `${`."""
    return (_FOLDER / f"{name}.html").read_text(encoding="utf-8")


def modules() -> dict[str, str]:
    """The scripts by their path below `assets/`, as they are written there."""
    paths = sorted(path for path in _FOLDER.rglob("*.js") if path.name != _EARLY)
    return {path.relative_to(_FOLDER).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def page_files(words: Words, data: dict[str, Any]) -> PageFiles:
    """All that the page loads of ours: styles, the scripts, strings and data."""
    given = json.dumps({"texts": words.by_language, **data}, ensure_ascii=False)
    return PageFiles(
        {
            STYLE_FILE: f"{colour_variables()}\n{_joined(STYLES)}",
            **{f"{room}.css": _joined((f"{room}.css",)) for room in LATE_ROOMS},
            GIVEN: f"export const given = {given};\n",
            **{name: _without_comments(text) for name, text in modules().items()},
        }
    )


def is_late(name: str) -> bool:
    """Whether a file is loaded only when somebody opens what it draws."""
    return name.partition("/")[0].removesuffix(".css") in LATE_ROOMS


def _without_comments(script: str) -> str:
    """The same lines, so that places in it stay true, but for what its comments on lines of their own say."""
    kept = []
    is_comment = False
    for line in script.split("\n"):
        text = line.strip()
        is_comment = is_comment or text.startswith("/**")
        kept.append("" if is_comment or text.startswith("//") else line)
        is_comment = is_comment and not text.endswith("*/")
    return "\n".join(kept)


def early_style() -> str:
    """What the page looks like while Gradio's scripts load."""
    return (_FOLDER / "early.css").read_text(encoding="utf-8")


def early_script() -> str:
    """Runs before Gradio does: the language that the person chose counts as the browser's."""
    return (_FOLDER / _EARLY).read_text(encoding="utf-8")
