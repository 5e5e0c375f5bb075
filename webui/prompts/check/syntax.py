"""What can be said about a prompt without a checkpoint: brackets, weights out of range, syntax of the other dialect."""

from __future__ import annotations

import re

from webui.prompts.attention import PIECE
from webui.prompts.check.report import Note
from webui.prompts.lexer import MAX_WEIGHT, MIN_WEIGHT, lex, plain_number

MAX_NOTES = 20  # of one kind: a wall of them helps nobody
COMPEL_SYNTAX = re.compile(
    r"(?<![\w+-])[^\W\d_]\w{0,60}(?:\+{1,9}|--{1,8})(?![\w+-])|\)(?:\+{1,9}|-{1,9}|[0-9]\.[0-9])|\)\.(?:blend|and)\("
)
_A1111 = re.compile(r":[0-9]?\.?[0-9]{1,4}[)\]]|\bBREAK\b|\bAND\b|<(?i:lora|lyco):")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_CLOSERS = {")": "(", "]": "["}


def syntax_notes(text: str, dialect: str) -> list[Note]:
    """All notes, one kind after the other, each in the order of the text. `text` has no comments."""
    brackets = "()[]" if dialect == "a1111" else "()"
    notes = _unbalanced(text, brackets) + _unbalanced_braces(text)
    if dialect == "a1111":
        notes += _clamped(text) + _foreign(text, COMPEL_SYNTAX, "compel_syntax")
    else:
        notes += _foreign(text, _A1111, "a1111_syntax")
    return notes


def comment_notes(text: str) -> list[Note]:
    """A note for each comment that does not begin its line, where somebody may have meant the sign itself."""
    found = []
    at = 0
    for line in text.split("\n"):
        sign = line.find("#")
        if sign > 0 and line[:sign].strip():
            found.append(Note(code="comment", level="hint", start=at + sign, end=at + len(line)))
        at += len(line) + 1
    return found[:MAX_NOTES]


def _unbalanced(text: str, brackets: str) -> list[Note]:
    """Brackets without a partner; round and square ones are matched separately, as for weights."""
    waiting: dict[str, list[int]] = {"(": [], "[": []}
    alone: list[tuple[int, str]] = []
    for piece in lex(text, PIECE):
        if piece.text not in brackets:
            continue
        opener = _CLOSERS.get(piece.text)
        if opener is None:
            waiting[piece.text].append(piece.start)
        elif waiting[opener]:
            waiting[opener].pop()
        else:
            alone.append((piece.start, piece.text))
    alone += [(start, opener) for opener, starts in waiting.items() for start in starts]
    return [
        Note(code="unbalanced", level="warning", start=start, end=start + 1, details={"bracket": bracket})
        for start, bracket in sorted(alone)[:MAX_NOTES]
    ]


def _unbalanced_braces(text: str) -> list[Note]:
    """Braces without a partner: an unclosed choice is text, in either dialect."""
    waiting: list[int] = []
    alone: list[int] = []
    for match in _BRACE.finditer(text):
        if match[0] == "{":
            waiting.append(match.start())
        elif match[0] == "}":
            alone += [] if waiting else [match.start()]
            del waiting[-1:]
    return [
        Note(code="unbalanced", level="warning", start=start, end=start + 1, details={"bracket": text[start]})
        for start in sorted(alone + waiting)[:MAX_NOTES]
    ]


def _clamped(text: str) -> list[Note]:
    pieces = lex(text, PIECE)
    found = []
    for colon, number, closer in zip(pieces, pieces[1:], pieces[2:], strict=False):
        value = plain_number(number.text.strip()) if (colon.text, closer.text) == (":", ")") else None
        if value is not None and not MIN_WEIGHT <= value <= MAX_WEIGHT:
            end = number.start + len(number.text)
            details: dict[str, str | int | float] = {"weight": number.text.strip()[:20], "limit": MAX_WEIGHT}
            found.append(Note(code="weight_clamped", level="warning", start=colon.start + 1, end=end, details=details))
    return found[:MAX_NOTES]


def _foreign(text: str, pattern: re.Pattern[str], code: str) -> list[Note]:
    """A note for each match: syntax of the other dialect that is only text in this one."""
    return [
        Note(code=code, level="warning", start=match.start(), end=match.end(), details={"text": match[0][:60]})
        for match in pattern.finditer(text)
    ][:MAX_NOTES]
