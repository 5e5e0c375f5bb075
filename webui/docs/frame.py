"""The manual's pages as complete HTML documents: contents beside the text, search above it, without any script.

One style sheet serves light, dark and paper. All words come from the catalogues; whatever came from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import urlencode

from webui.docs.manual import Manual, Page
from webui.docs.search import MAX_QUERY_CHARACTERS, Result, search
from webui.texts import LANGUAGES, Language, Texts

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FOLDER = Path(__file__).resolve().parent
_NAMES: dict[Language, str] = {"en": "English", "zh-CN": "中文"}


class Frame:
    """Puts the pages of a manual into documents."""

    def __init__(self, manual: Manual, texts: Texts) -> None:
        self._manual = manual
        self._texts = texts
        self._template = (_FOLDER / "frame.html").read_text("utf-8")
        self._style = (_FOLDER / "frame.css").read_text("utf-8")

    def page(self, page: Page, language: Language) -> str:
        """One page; `language` is the reader's, in which the page itself may not exist."""
        note = (
            ""
            if page.language == language
            else f'<p class="note" lang="{language}">{self._word("english", language)}</p>\n'
        )
        return self._document(page.title, note + page.html, language, shown=page)

    def contents(self, language: Language) -> str:
        """The list of all pages, each with its first sentence."""
        items = "".join(
            f'<li><a href="{_address(page.name, language)}">{escape(page.title)}</a>'
            f"<p>{escape(_first_sentence(page.introduction))}</p></li>"
            for page in self._manual.pages(language)
        )
        title = self._word("title", language)
        return self._document(title, f'<h1>{title}</h1>\n<ul class="results">{items}</ul>', language)

    def results(self, query: str, language: Language) -> str:
        """The results of a search."""
        shown = query[:MAX_QUERY_CHARACTERS]
        found = search(self._manual.pages(language), shown)
        title = self._word("results" if found else "nothing", language, words=shown)
        items = "".join(_item(result, language) for result in found)
        return self._document(title, f'<h1>{title}</h1>\n<ul class="results">{items}</ul>', language, query=shown)

    def unknown(self, language: Language) -> str:
        """The page for an address below `/help` that does not exist."""
        title, hint = self._word("unknown", language), self._word("unknown_hint", language)
        return self._document(title, f"<h1>{title}</h1>\n<p>{hint}</p>", language)

    def _document(
        self, title: str, text: str, language: Language, *, shown: Page | None = None, query: str = ""
    ) -> str:
        other = next(one for one in LANGUAGES if one != language)
        way = {"q": query} if query else {}
        address = _address(shown.name if shown else "", other, **way)
        words = ("studio", "search", "search_button", "contents")
        return self._template.format(
            style=self._style,
            title=escape(title) if shown else title,
            text=text,
            language=language,
            text_language=shown.language if shown else language,
            query=escape(query),
            longest=MAX_QUERY_CHARACTERS,
            links="\n".join(self._links(shown, language)),
            other_address=escape(address),
            other_language=other,
            other_name=_NAMES[other],
            **{name: self._word(name, language) for name in words},
        )

    def _links(self, shown: Page | None, language: Language) -> Iterator[str]:
        """The contents, with the sections of the page that is shown."""
        for page in self._manual.pages(language):
            is_shown = shown is not None and page.name == shown.name
            current = ' aria-current="page"' if is_shown else ""
            below = "".join(
                f'<li><a href="#{escape(section.anchor)}">{escape(section.title)}</a></li>'
                for section in page.sections
                if is_shown and section.level == 2
            )
            inner = f"<ul>{below}</ul>" if below else ""
            foreign = "" if page.language == language else f' lang="{page.language}"'
            address = _address(page.name, language)
            yield f'<li><a href="{address}"{current}{foreign}>{escape(page.title)}</a>{inner}</li>'

    def _word(self, key: str, language: Language, **details: str) -> str:
        return escape(self._texts.text(f"help.{key}", language, details))


def _address(name: str, language: Language, **query: str) -> str:
    return f"/help{f'/{name}' if name else ''}?{urlencode({'lang': language, **query})}"


def _item(result: Result, language: Language) -> str:
    anchor = f"#{result.anchor}" if result.anchor else ""
    of_page = f" · {escape(result.page.title)}" if anchor else ""
    return (
        f'<li><a href="{_address(result.page.name, language)}{escape(anchor)}">{escape(result.title)}</a>{of_page}'
        f"<p>{escape(result.excerpt)}</p></li>"
    )


def _first_sentence(text: str) -> str:
    """The first sentence of a text, in English or Chinese."""
    ends = [place for mark in (". ", "。") if (place := text.find(mark)) >= 0]
    return text[: min(ends) + 1] if ends else text
