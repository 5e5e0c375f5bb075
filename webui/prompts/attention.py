"""A1111's weights: `(x)` multiplies the weight of x by 1.1, `[x]` divides it by 1.1, `(x:1.2)` multiplies it by 1.2;
nested weights are multiplied.

Round and square brackets are matched separately; one that is never closed reaches to the end, and one that was never
opened is text. `BREAK` divides the text into sections. Knows no timeline and no tokens.
"""

from __future__ import annotations

import re
from itertools import accumulate

from webui.prompts.lexer import Fragment, Piece, Places, clamp, lex, multiply, plain_number

ROUND, SQUARE = 1.1, 1 / 1.1  # A1111's
PIECE = re.compile(r"\\.|[()\[\]:|]|[^\\()\[\]:|]++|\\", re.DOTALL)
BREAK = re.compile(r"\bBREAK\b")

Section = tuple[Fragment, ...]
_Part = tuple[str, float, int]  # text, weight, place


def attention(text: str) -> tuple[Section, ...]:
    """`text` as weighted fragments in sections; there is one section more than there are `BREAK`s."""
    return attention_with_places(text)[0]


def attention_with_places(text: str) -> tuple[tuple[Section, ...], tuple[Places, ...]]:
    """The same, and for each fragment of all sections where in the text it comes from.

    Departs from A1111 where that loses what was meant: `BREAK` parts also inside a weight, and `\\:` is never the colon
    before one.
    """
    pieces = lex(text, PIECE)
    factors, closers = _match_round(pieces)
    sections: list[list[_Part]] = [[]]
    weight, squares = 1.0, 0
    outer: list[float] = []  # weights around the innermost open round bracket
    skip_to = 0
    for index, piece in enumerate(pieces):
        if index < skip_to:
            continue
        if index in factors:
            outer.append(weight)
            weight = multiply(weight, factors[index])
            continue
        if index in closers:
            weight, skip_to = outer.pop(), closers[index]
            continue
        if piece.text == "[":
            squares += 1
            continue
        if piece.text == "]" and squares:
            squares -= 1
            continue
        _add(sections, piece, _rounded(clamp(weight * SQUARE**squares)))
    joined = [_joined(section) for section in sections]
    fragments = tuple(tuple(fragment for fragment, _ in section) for section in joined)
    return fragments, tuple(places for section in joined for _, places in section)


def _match_round(pieces: list[Piece]) -> tuple[dict[int, float], dict[int, int]]:
    """Index of each opening bracket → its factor; index of each closing piece → index of the piece after it.

    The closing piece is `)`, or the colon of `:1.2)`.
    """
    factors: dict[int, float] = {}
    closers: dict[int, int] = {}
    waiting: list[int] = []
    skip_to = 0
    for index, piece in enumerate(pieces):
        if index < skip_to:
            continue
        if piece.text == "(":
            factors[index] = ROUND
            waiting.append(index)
        elif piece.text == ")" and waiting:
            waiting.pop()
            closers[index] = index + 1
        elif piece.text == ":" and waiting and pieces[index + 2 : index + 3] and pieces[index + 2].text == ")":
            number = plain_number(pieces[index + 1].text.strip())
            if number is not None:
                factors[waiting.pop()] = number
                closers[index] = skip_to = index + 3
    return factors, closers


def _rounded(weight: float) -> float:
    """Exactly 1 for a weight that differs from 1 only by rounding, such as that of `[(x)]`."""
    return 1.0 if abs(weight - 1.0) < 1e-9 else weight


def _add(sections: list[list[_Part]], piece: Piece, weight: float) -> None:
    text, start = piece
    if text[0] == "\\":
        sections[-1].append((text[1:], weight, start + 1))
        return
    at = 0
    for match in BREAK.finditer(text):
        sections[-1].append((text[at : match.start()], weight, start + at))
        sections.append([])
        at = match.end()
    sections[-1].append((text[at:], weight, start + at))


def _joined(parts: list[_Part]) -> list[tuple[Fragment, Places]]:
    """Neighbours of the same weight as one fragment, none of them empty; an empty section has no fragments."""
    runs: list[list[_Part]] = []
    for part in parts:
        if runs and runs[-1][0][1] == part[1]:
            runs[-1].append(part)
        elif part[0]:
            runs.append([part])
    found = []
    for run in runs:
        fragment = Fragment("".join([text for text, _, _ in run]), run[0][1])
        if fragment.text.strip():
            starts = accumulate((len(text) for text, _, _ in run), initial=0)
            found.append((fragment, tuple(zip(starts, (start for _, _, start in run), strict=False))))
    return found
