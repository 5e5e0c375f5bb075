"""The pages of the manual, read from the Markdown files of each language.

Every page exists in English, which is shown if a translation is missing. A translation has the same headings in the
same order, so an address such as `/help/sampling#sigmas` leads to the same passage in every language.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from webui.docs.markdown import Section, anchors_of, render
from webui.texts import Language

FOLDER = Path(__file__).resolve().parent
# In the order of the contents.
PAGES = (
    "first-pictures",
    "prompts",
    "sampling",
    "image-to-image",
    "style-transfer",
    "variations",
    "gallery",
    "models",
    "memory",
    "sharing",
    "commands",
    "http-api",
    "data",
    "troubleshooting",
    "contributing",
    "changes",
)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page, rendered. `language` is the one it is written in; `introduction` is the plain text before its first
    section.
    """

    name: str
    language: Language
    title: str
    introduction: str
    html: str
    sections: tuple[Section, ...]


class Manual:
    """All pages; each is read and rendered when it is first needed."""

    def __init__(self, folder: Path = FOLDER, names: tuple[str, ...] = PAGES) -> None:
        self._folder = folder
        self.names = names
        self._read = functools.cache(self._render)

    def page(self, name: str, language: Language) -> Page | None:
        """The page with this name, in English if this language has none; None for an unknown name."""
        return self._read(name, language) if name in self.names else None

    def pages(self, language: Language) -> tuple[Page, ...]:
        """All pages, in the order of the contents."""
        return tuple(self._read(name, language) for name in self.names)

    def _render(self, name: str, language: Language) -> Page:
        original = (self._folder / "en" / f"{name}.md").read_text(encoding="utf-8")
        translation = self._folder / language / f"{name}.md"
        is_translated = language != "en" and translation.is_file()
        text = translation.read_text(encoding="utf-8") if is_translated else original
        html, sections = render(text, anchors_of(original), language)
        return Page(
            name=name,
            language=language if is_translated else "en",
            title=sections[0].title,
            introduction=sections[0].text,
            html=html,
            sections=sections[1:],
        )
