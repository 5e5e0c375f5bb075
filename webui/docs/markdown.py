"""Markdown to HTML: raw HTML is shown as text, headings get anchors, links between pages lead to `/help/…`.

Knows no page by name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from webui.texts import Language

_MARKER = re.compile(r"^<!-- [^\n]* -->\n", re.MULTILINE)  # around generated tables: a note to their generator
_PAGE_LINK = re.compile(r"(?:\.\./en/)?(?P<name>[\w-]+)\.md(?P<anchor>#[\w-]+)?")
_NOT_IN_ANCHORS = re.compile(r"[^\w -]")


@dataclass(frozen=True)
class Section:
    """A heading and the plain text below it, up to the next heading. `level` is 1 for the page's title."""

    anchor: str
    level: int
    title: str
    text: str


def render(text: str, anchors: Sequence[str], language: Language) -> tuple[str, tuple[Section, ...]]:
    """The HTML of a page and its sections; `anchors` are those of its headings, in order.

    Raises ValueError if there are more or fewer headings than anchors.
    """
    markdown = _parser()
    tokens = markdown.parse(_MARKER.sub("", text))
    for heading, anchor in zip((t for t in tokens if t.type == "heading_open"), anchors, strict=True):
        heading.attrSet("id", anchor)
    _join_chinese_lines(tokens)
    for token in _links(tokens):
        token.attrSet("href", _address(str(token.attrGet("href")), language))
    html = markdown.renderer.render(_with_scrolling_tables(tokens), markdown.options, {})
    return html, tuple(_sections(tokens))


def anchors_of(text: str) -> list[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    anchors: list[str] = []
    for section in _sections(_parser().parse(_MARKER.sub("", text))):
        anchor = _NOT_IN_ANCHORS.sub("", section.title.lower()).replace(" ", "-")
        repeated = anchors.count(anchor)
        anchors.append(f"{anchor}-{repeated}" if repeated else anchor)
    return anchors


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _links(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from (child for child in token.children or () if child.type == "link_open")


def _join_chinese_lines(tokens: Sequence[Token]) -> None:
    """Joins lines that end in Chinese without the space that a browser would make of the line break."""
    for token in tokens:
        children = token.children or []
        for before, here, after in zip(children, children[1:], children[2:], strict=False):
            if here.type == "softbreak" and _is_wide(before.content[-1:]) and _is_wide(after.content[:1]):
                here.type, here.tag, here.content = "text", "", ""


def _is_wide(character: str) -> bool:
    return bool(character) and unicodedata.east_asian_width(character) in "WF"


def _address(target: str, language: Language) -> str:
    """`sampling.md#sigmas` → `/help/sampling?lang=en#sigmas`; other targets stay as they are. A translation links to
    `../en/` for pages without a translation.
    """
    found = _PAGE_LINK.fullmatch(target)
    return f"/help/{found['name']}?lang={language}{found['anchor'] or ''}" if found else target


def _with_scrolling_tables(tokens: Sequence[Token]) -> list[Token]:
    """Puts each table into a box that scrolls sideways, so that a wide table does not widen the page on a phone."""
    result: list[Token] = []
    for token in tokens:
        if token.type == "table_open":
            result.append(Token("box_open", "div", 1, attrs={"class": "table", "tabindex": "0"}))
        result.append(token)
        if token.type == "table_close":
            result.append(Token("box_close", "div", -1))
    return result


def _sections(tokens: Sequence[Token]) -> Iterator[Section]:
    """The sections of a page, in order."""
    heading: Token | None = None
    title, words = "", list[str]()
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None and before.type == "heading_open":
            if heading is not None:
                yield _section(heading, title, words)
            heading, title, words = before, _plain(token), []
        elif token.type in ("inline", "fence", "code_block"):
            words.append(_plain(token))
    if heading is not None:
        yield _section(heading, title, words)


def _section(heading: Token, title: str, words: Sequence[str]) -> Section:
    return Section(str(heading.attrGet("id") or ""), int(heading.tag[1:]), title, " ".join(words))


def _plain(token: Token) -> str:
    """A token's text without markup."""
    if token.children is None:
        return token.content
    return "".join(" " if child.type in ("softbreak", "hardbreak") else child.content for child in token.children)
