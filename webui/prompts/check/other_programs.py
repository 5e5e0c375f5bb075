"""Parts of a prompt that mean something to other programs and are read as plain words here; each note says what they
mean.

Full-width signs, decimal commas, variables, JSON, tags, flags, NovelAI's weights. Each sign is looked at once, so the
time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from webui.prompts.attention import PIECE
from webui.prompts.check.report import Level, Note
from webui.prompts.check.syntax import MAX_NOTES
from webui.prompts.lexer import Piece, lex, plain_number

MAX_SHOWN = 60  # characters
# One character for one, so that every place stays what it is.
_LATIN = str.maketrans("（）［］｛｝｜：＜＞．０１２３４５６７８９", "()[]{}|:<>.0123456789")
_POINT = str.maketrans(",，", "..")
_COMMA_NUMBER = re.compile(r"[+-]?[0-9]{1,4}[,，][0-9]{1,6}")
_COMMA_WEIGHT_OF_AND = re.compile(r":\s*[+-]?[0-9]{1,4}[,，][0-9]{1,6}\s*(?=\bAND\b|\Z)")
_NETWORK = re.compile(r"<(?:lora|lyco):[^<>]*+>", re.IGNORECASE)
_TAG = re.compile(r"<(?!(?i:lora|lyco|hypernet)[:：])[A-Za-z]{2,20}(?:\[[^\[\]<>]{0,40}\])?:[^<>\n]{0,500}>")
_CHOICE = re.compile(r"\{[^{}]{0,1000}\}")
_VARIABLE = re.compile(r"\$\{[^{}]{0,200}(?:\{[^{}]{0,500}\}[^{}]{0,200}){0,5}\}")
_JSON = re.compile(r"""\s*+(?:\[\s*+)?\{\s*+["'][^"'\n]{0,100}["']\s*+:""")
_DOUBLE_BRACES = re.compile(r"\{\{[^{}|]{1,500}\}\}")
_NUMBERED = re.compile(r"(?<![\w.{|])-?[0-9]{1,2}(?:\.[0-9]{1,3})?::[^:{}|]{1,500}::")
_FLAG = re.compile(
    r"(?<!\S)--(?:ar|aspect|no|v|version|niji|s|stylize|style|c|chaos|q|quality|seed|iw|cref|sref|cw|sw|tile|raw|weird)"
    r"\b(?:\s+[0-9][0-9.:]{0,10})?"
)
_GROUP_WEIGHT = re.compile(r"[)](?:\+{1,9}|-{1,9}|[0-9]\.[0-9])")  # compel's


def other_syntax_notes(text: str, dialect: str) -> list[Note]:
    """The notes for every family, in either dialect. `text` has no comments."""
    if match := _JSON.match(text):
        return [_note("json_prompt", text, match.start(), len(text))]
    patterns = {
        "variable": _VARIABLE,
        "double_braces": _DOUBLE_BRACES,
        "tag_ignored": _TAG,
        "numbered_weight": _NUMBERED,
        "flag_ignored": _FLAG,
    }
    notes = [
        _note(code, text, *match.span())
        for code, pattern in patterns.items()
        for match in islice(pattern.finditer(text), MAX_NOTES)
    ]
    full_width = list(_full_width_choices(text))
    if dialect == "a1111":
        notes += _capitals(text)
        full_width += _full_width_networks(text)
    return notes + [_full_width(text, *span) for span in full_width[:MAX_NOTES]]


def other_weight_notes(text: str, dialect: str) -> list[Note]:
    """The notes for families with weights. `text` has no comments."""
    spans = _full_width_brackets(text) if dialect == "a1111" else _full_width_groups(text)
    notes = [_full_width(text, *span) for span in islice(spans, MAX_NOTES)]
    return notes + (_decimal_commas(text) if dialect == "a1111" else [])


def _note(code: str, text: str, start: int, end: int, level: Level = "warning", **details: str) -> Note:
    shown = {"text": text[start:end].strip()[:MAX_SHOWN], **details}
    return Note(code=code, level=level, start=start, end=end, details=dict(shown))


def _full_width(text: str, start: int, end: int) -> Note:
    return _note("full_width", text, start, end, instead=text[start:end].translate(_LATIN)[:MAX_SHOWN])


def _full_width_choices(text: str) -> Iterator[tuple[int, int]]:
    """`｛a｜b｝`, with some or all signs full-width."""
    for match in _CHOICE.finditer(text.translate(_LATIN)):
        written = text[match.start() : match.end()]
        if "|" in match[0] and (written[0] != "{" or written[-1] != "}" or "｜" in written):
            yield match.span()


def _full_width_networks(text: str) -> Iterator[tuple[int, int]]:
    """LoRAs that have no effect as they are written."""
    for match in _NETWORK.finditer(text.translate(_LATIN)):
        if not _NETWORK.match(text, match.start()):
            yield match.span()


def _full_width_groups(text: str) -> Iterator[tuple[int, int]]:
    """Compel's weights after a bracket."""
    for match in _GROUP_WEIGHT.finditer(text.translate(_LATIN)):
        if text[match.start()] != match[0][0]:
            yield match.span()


def _full_width_brackets(text: str) -> Iterator[tuple[int, int]]:
    """Weights and prompt editing with at least one full-width sign: with Latin signs they would have a meaning, as they
    are written they do not.
    """
    latin = text.translate(_LATIN)
    if latin == text:
        return
    waiting: list[tuple[Piece, list[Piece]]] = []  # open brackets, and the signs at their level
    pieces = lex(latin, PIECE)
    for index, piece in enumerate(pieces):
        if piece.text in ("(", "["):
            waiting.append((piece, []))
        elif waiting and piece.text in (":", "|"):
            waiting[-1][1].append(piece)
        elif waiting and piece.text == (")" if waiting[-1][0].text == "(" else "]"):
            opener, signs = waiting.pop()
            meant = _meant(latin, pieces, index, opener, signs)
            if any(text[at] != latin[at] for at in meant):
                yield opener.start, piece.start + 1


def _meant(latin: str, pieces: list[Piece], closer: int, opener: Piece, signs: list[Piece]) -> list[int]:
    """The places of the signs that would give a bracket its meaning; empty if it would be text."""
    start, end = opener.start, pieces[closer].start
    if signs and signs[-1].text == ":" and pieces[closer - 2] == signs[-1]:
        number = pieces[closer - 1]
        if plain_number(number.text.strip()) is not None:
            inner = signs[:-1] if opener.text == "[" else []
            return [start, *(sign.start for sign in inner), *range(signs[-1].start, end + 1)]
    if opener.text == "[" and any(sign.text == "|" for sign in signs):
        return [start, *(sign.start for sign in signs), end]
    is_doubled = latin[max(0, start - 1) : start] == latin[start] and latin[end + 1 : end + 2] == latin[end]
    return [start, end] if is_doubled else []


def _decimal_commas(text: str) -> list[Note]:
    """`(a:1,2)` and the like."""
    latin = text.translate(_LATIN)
    pieces = lex(latin, PIECE)
    spans = [
        (colon.start, closer.start + 1)
        for colon, number, closer in zip(pieces, pieces[1:], pieces[2:], strict=False)
        if colon.text == ":" and closer.text in (")", "]") and _COMMA_NUMBER.fullmatch(number.text.strip())
    ]
    if re.search(r"\bAND\b", latin):
        spans += [match.span() for match in _COMMA_WEIGHT_OF_AND.finditer(latin)]
    return [
        _note("decimal_comma", text, start, end, instead=latin[start:end].strip().translate(_POINT)[:MAX_SHOWN])
        for start, end in islice(spans, MAX_NOTES)
    ]


def _capitals(text: str) -> list[Note]:
    """LoRAs in capital letters, which are read."""
    found = (match for match in _NETWORK.finditer(text) if not match[0][1:5].islower())
    return [
        _note("lora_capitals", text, *match.span(), level="hint", instead=("<lora" + match[0][5:])[:MAX_SHOWN])
        for match in islice(found, MAX_NOTES)
    ]
