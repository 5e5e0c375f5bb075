"""Our scripts and styles, read from `assets/`: what the page loads.

Scripts are native modules in rooms, which import one another; `main.js` starts them. What Python has to tell them is a
module, too: `core/given.js`, and so are the strings of each language: `texts/en.js`. What `main.js` imports only when
something is opened comes then. Styles are joined into one file. Nothing comes from elsewhere.
"""

from __future__ import annotations

import functools
import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
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
    "downloads.css",
)


STYLE_FILE = "page.css"
LATE_STYLES = ("models.css", "operator.css")  # each comes with the script `<room>/sheet.js` of its room
MAIN = "main.js"
GIVEN = "core/given.js"
_TEXTS = "texts"  # the room of the strings, by language
# How the strings begin that only scripts use which come later; they come with those.
LATE_TEXTS = (
    "again_", "board", "compare_", "folder_", "gallery_", "get_", "kind_", "model_", "operator_", "paint_", "select_",
    "setting_", "token_", "unit_",
)  # fmt: skip
_EARLY = "early.js"  # runs before everything else, inside the HTML
_IMPORT = re.compile(r"^import\s[^\"]*\"([^\"]+)\";$", re.MULTILINE)
_IMPORT_LATER = re.compile(r"\bimport\(\"([^\"]+)\"\)")


def _joined(names: tuple[str, ...]) -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


def template(name: str) -> str:
    """The HTML skeleton `assets/<name>.html` of one of our components; it holds no text and no `${`."""
    return (_FOLDER / f"{name}.html").read_text(encoding="utf-8")


@functools.cache
def modules() -> Mapping[str, str]:
    """The scripts by their path below `assets/`, as they are written there."""
    paths = sorted(path for path in _FOLDER.rglob("*.js") if path.name != _EARLY)
    return {path.relative_to(_FOLDER).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def page_files(words: Words, data: dict[str, Any]) -> PageFiles:
    """All that the page loads of ours: styles, the scripts, strings and data."""
    given = json.dumps({"later": later_modules(), **data}, ensure_ascii=False)
    return PageFiles(
        {
            STYLE_FILE: f"{colour_variables()}\n{_joined(STYLES)}",
            **{name: _joined((name,)) for name in LATE_STYLES},
            GIVEN: f"export const given = {given};\n",
            **{
                name: text
                for language, texts in words.by_language.items()
                for name, text in _text_modules(language, texts).items()
            },
            **{name: _without_comments(text) for name, text in modules().items()},
        }
    )


def text_file(language: str) -> str:
    """The module that holds the strings of a language."""
    return f"{_TEXTS}/{language}.js"


def late_text_file(language: str) -> str:
    """The module that adds those to them that come later."""
    return f"{_TEXTS}/late/{language}.js"


def _text_modules(language: str, texts: Mapping[str, str]) -> dict[str, str]:
    """Both modules, by name."""
    late = {key: text for key, text in texts.items() if key.startswith(LATE_TEXTS)}
    first = {key: text for key, text in texts.items() if key not in late}
    added = f'import {{ texts }} from "../{language}.js";\nObject.assign(texts, {_json(late)});\n'
    return {text_file(language): f"export const texts = {_json(first)};\n", late_text_file(language): added}


def _json(values: Mapping[str, str]) -> str:
    return json.dumps(values, ensure_ascii=False)


@functools.cache
def first_modules() -> frozenset[str]:
    """The scripts that the page cannot start without: what `main.js` imports, and what that imports."""
    return _reached([MAIN], frozenset())


def later_modules() -> dict[str, list[str]]:
    """Scripts that `main.js` imports when they are needed, each with the files that come with it."""
    first = first_modules()
    entries = [_beside(MAIN, way) for way in _IMPORT_LATER.findall(modules()[MAIN])]
    styles = {f"{name.removesuffix('.css')}/sheet.js": [name] for name in LATE_STYLES}
    return {entry: sorted(_reached([entry], first) - first) + styles.get(entry, []) for entry in entries}


def _reached(names: Iterable[str], known: frozenset[str]) -> frozenset[str]:
    """`names` and what they import, directly or not; `known` is not looked into again."""
    scripts = modules()
    reached = set(known)
    due = [*names]
    while due:
        name = due.pop()
        if name not in reached:
            reached.add(name)
            due += [_beside(name, way) for way in _IMPORT.findall(scripts.get(name, ""))]
    return frozenset(reached)


def _beside(name: str, way: str) -> str:
    """The script that `name` calls `way`."""
    return posixpath.normpath((PurePosixPath(name).parent / way).as_posix())


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
