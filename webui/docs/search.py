"""Search in the manual: the sections that contain all words of a query, those with the words in their title first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from webui.docs.manual import Page
from webui.docs.markdown import Section

MAX_QUERY_CHARACTERS = 100
MAX_RESULTS = 30
_BEFORE_CHARACTERS = 60  # of an excerpt, before the first word that was found
_EXCERPT_CHARACTERS = 240


@dataclass(frozen=True, kw_only=True)
class Result:
    """A section that matches; `anchor` is empty for the beginning of a page."""

    page: Page
    anchor: str
    title: str
    excerpt: str


def words_of(query: str) -> tuple[str, ...]:
    """The words that a section must contain, in lower case."""
    return tuple(dict.fromkeys(query[:MAX_QUERY_CHARACTERS].casefold().split()))


def search(pages: Iterable[Page], query: str) -> tuple[Result, ...]:
    """The best results, best first; none for a query without words."""
    words = words_of(query)
    if not words:
        return ()
    found: list[tuple[int, Result]] = []
    for page in pages:
        for section in (Section("", 1, page.title, page.introduction), *page.sections):
            if (score := _score(page, section, words)) > 0:
                result = Result(
                    page=page, anchor=section.anchor, title=section.title, excerpt=_excerpt(section.text, words)
                )
                found.append((score, result))
    found.sort(key=lambda pair: -pair[0])  # stable: of equals, the order of the contents
    return tuple(result for _, result in found[:MAX_RESULTS])


def _score(page: Page, section: Section, words: Iterable[str]) -> int:
    """0 if a word is missing. A word counts more in the section's title, and somewhat in that of its page."""
    title, text, of_page = section.title.casefold(), section.text.casefold(), page.title.casefold()
    total = 0
    for word in words:
        if word not in title and word not in text:
            return 0
        total += 10 * (word in title) + 3 * (word in of_page) + min(5, text.count(word))
    return total


def _excerpt(text: str, words: Iterable[str]) -> str:
    """The text around the first occurrence of one of the words."""
    lower = text.casefold()
    places = [place for word in words if (place := lower.find(word)) >= 0]
    start = max(0, min(places, default=0) - _BEFORE_CHARACTERS)
    if start > 0:
        start = text.find(" ", start) + 1 or start
    end = start + _EXCERPT_CHARACTERS
    return f"{'… ' if start else ''}{text[start:end].strip()}{' …' if end < len(text) else ''}"
