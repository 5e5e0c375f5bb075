"""Which of Gradio's scripts and styles a page will need, so that the browser fetches them all at once.

By itself it finds them one layer after the other, as each script imports the next. Gradio's bundles name what they
import; this reads those names and knows nothing else about them. What it does not find is fetched later, as before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

_FRONTEND = Path(gr.__file__).parent / "templates" / "frontend"
_ENTRY = re.compile(r'(?:src|href)="\./assets/([^"]+)"')
_IMPORT = re.compile(r"(?:from|import)\s*[`\"']\./([^`\"']+\.js)[`\"']")
_FILES = re.compile(r"m\.f=\[([^\]]*)\]")  # what the numbers of the next one stand for
_LATE_IMPORT = re.compile(r"__vite__mapDeps\(\[([\d,]+)\]\)")  # a script and then all that it needs, styles too
_COMPONENT = r"\b{type}:\{{(?:(?!\bcomponent:).){{0,400}}?\bcomponent:"


@dataclass(frozen=True)
class Frontend:
    """Names of files below Gradio's `/assets/`."""

    script: str
    style: str
    needed: tuple[str, ...]  # what the script will ask for, roughly in that order


def frontend(types: Iterable[str], folder: Path = _FRONTEND) -> Frontend:
    """The files that a page with components of these types needs. Raises ValueError if Gradio's own page names no
    script.
    """
    entries = _ENTRY.findall((folder / "index.html").read_text(encoding="utf-8"))
    script = next((name for name in entries if name.endswith(".js")), None)
    style = next((name for name in entries if name.endswith(".css")), None)
    if script is None or style is None:
        raise ValueError(f"Gradio's page names {entries} instead of a script and a style")
    bundles = _Bundles(folder / "assets")
    bundles.need(script, style, *bundles.late_imports(script))
    for name in bundles.needed_as("Index"):
        bundles.need(*bundles.late_imports(name, "Blocks-"))
    for name in bundles.needed_as("core"):
        for type in sorted(types):
            bundles.need(*bundles.component(name, type))
    return Frontend(script, style, tuple(name for name in bundles.needed if name not in (script, style)))


class _Bundles:
    """What the bundles in a folder import, and which files have been found necessary so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.needed: dict[str, None] = {}

    def need(self, *names: str) -> None:
        """Adds these files, and the scripts that they import at once."""
        for name in names:
            if name not in self.needed:
                self.needed[name] = None
                self.need(*_IMPORT.findall(self._text(name)))

    def needed_as(self, name: str) -> list[str]:
        """The needed scripts with this name, whatever hash follows it."""
        return [found for found in self.needed if found.startswith(f"{name}-") and found.endswith(".js")]

    def late_imports(self, importer: str, name: str = "") -> list[str]:
        """The files whose name begins with `name` that a script imports once it runs, with all that
        they need in turn.
        """
        found = (self._files(importer, match) for match in _LATE_IMPORT.finditer(self._text(importer)))
        return [file for files in found if files[0].startswith(name) for file in files]

    def component(self, importer: str, type: str) -> list[str]:
        """The files that `importer` imports to show a component of this type; empty if it knows no such type."""
        text = self._text(importer)
        entry = re.search(_COMPONENT.format(type=re.escape(type)), text)
        match = _LATE_IMPORT.search(text, entry.end()) if entry else None
        return self._files(importer, match) if match else []

    def _files(self, importer: str, match: re.Match[str]) -> list[str]:
        listed = _FILES.search(self._text(importer))
        names = [name.strip("\"'./") for name in listed[1].split(",")] if listed else []
        return [names[int(number)] for number in match[1].split(",")]

    def _text(self, name: str) -> str:
        return (self._folder / name).read_text(encoding="utf-8") if name.endswith(".js") else ""
