"""A1111's prompt editing and alternation: which text a prompt has at which step.

`[from:to:when]` is `from` until step `when` and `to` after it; `[to:when]` and `[from::when]` leave one side empty.
`when` with a decimal point is a share of the steps, rounded down, otherwise a step (A1111 1.10; both readings agree for
every share below 1). `[a|b|c]` is a different option at every step; any but the first may be empty. They can be nested.
Square brackets without any of this are weights, and stay in the text. Knows no weights.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

from webui.errors import PromptError
from webui.prompts.attention import PIECE
from webui.prompts.lexer import Piece, lex

MAX_CHANGES = 100  # places that change in one prompt
MAX_CHARACTERS = 50_000  # of all different texts of one prompt; each has its own passes through the text encoder

_WHEN = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")


@dataclass(frozen=True)
class _Edit:
    """Text that changes once: after step `when`, or after that share of all steps."""

    before: _Text
    after: _Text
    when: float
    is_share: bool

    def step(self, steps: int) -> int:
        """The last step that still has `before`; below 1, no step has it."""
        step = min(self.when * steps if self.is_share else self.when, steps)
        return int(max(step, -1.0))


@dataclass(frozen=True)
class _Alternation:
    """Text that is different at every step."""

    options: tuple[_Text, ...]


_Text = tuple["str | _Edit | _Alternation", ...]


@dataclass
class _Bracket:
    """An open bracket while it is being read: its piece, and the pieces that divide it at its own level."""

    index: int
    kind: str
    colons: list[int] = field(default_factory=list)
    bars: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Timeline:
    """The texts of one prompt over the steps."""

    text: _Text
    changes: int

    @classmethod
    def of(cls, text: str) -> Timeline:
        """Reads a prompt. Raises PromptError if more than MAX_CHANGES places change."""
        pieces = lex(text, PIECE)
        brackets = _changing_brackets(pieces)
        if len(brackets) > MAX_CHANGES:
            position = pieces[sorted(brackets)[MAX_CHANGES]].start
            raise PromptError(reason="prompt_changes", position=position, limit=MAX_CHANGES)
        return cls(_Reader(text, pieces, brackets).read(0, len(pieces)), len(brackets))

    @property
    def is_constant(self) -> bool:
        """Whether the text is the same at every step."""
        return self.changes == 0

    def schedule(self, steps: int) -> tuple[tuple[int, str], ...]:
        """Pairs (last step, text) in order; the first step is 1, and the last pair is for step `steps`.

        Raises PromptError if all the different texts together are too long.
        """
        ends = {steps}
        _collect_ends(self.text, steps, ends)
        found: list[tuple[int, str]] = []
        seen: set[str] = set()
        characters = 0
        for end in sorted(ends):
            text = _at_step(self.text, end, steps)
            found.append((end, text))
            if text not in seen:
                seen.add(text)
                characters += len(text)
            if characters > max(MAX_CHARACTERS, len(text)):
                raise PromptError(reason="prompt_changes_long", position=0, limit=MAX_CHARACTERS)
        return tuple(found)

    def texts(self, steps: int) -> tuple[str, ...]:
        """The text at each of `steps` steps. Raises PromptError as `schedule` does."""
        texts: list[str] = []
        for end, text in self.schedule(steps):
            texts += [text] * (end - len(texts))
        return tuple(texts)


def _changing_brackets(pieces: list[Piece]) -> dict[int, tuple[int, _Bracket]]:
    """The brackets that change something: index of the opening piece → index of the closing one and what divides it."""
    found: dict[int, tuple[int, _Bracket]] = {}
    waiting: list[_Bracket] = []
    for index, piece in enumerate(pieces):
        if piece.text in ("(", "["):
            waiting.append(_Bracket(index, piece.text))
        elif not waiting:
            continue
        elif piece.text == ":":
            waiting[-1].colons.append(index)
        elif piece.text == "|":
            waiting[-1].bars.append(index)
        elif piece.text == (")" if waiting[-1].kind == "(" else "]"):
            bracket = waiting.pop()
            if bracket.kind == "[" and _changes(pieces, bracket, index):
                found[bracket.index] = index, bracket
    return found


def _changes(pieces: list[Piece], bracket: _Bracket, end: int) -> bool:
    if bracket.colons:
        return len(bracket.colons) <= 2 and _when(pieces, bracket.colons[-1], end) is not None
    return bool(bracket.bars)


def _when(pieces: list[Piece], colon: int, end: int) -> str | None:
    """The number that is all there is between the last colon and the end."""
    if end - colon != 2:
        return None
    text = pieces[colon + 1].text.strip()
    return text if _WHEN.fullmatch(text) else None


class _Reader:
    """Builds the text of a range of pieces; goes one level down for each bracket that changes something."""

    def __init__(self, text: str, pieces: list[Piece], brackets: dict[int, tuple[int, _Bracket]]) -> None:
        self._text = text
        self._pieces = pieces
        self._brackets = brackets
        self._openers = sorted(brackets)

    def read(self, start: int, stop: int) -> _Text:
        """Pieces [start, stop)."""
        found: list[str | _Edit | _Alternation] = []
        at = start
        for opener in self._openers:
            if not at <= opener < stop:
                continue
            end, bracket = self._brackets[opener]
            found.append(self._slice(at, opener))
            found.append(self._change(bracket, end))
            at = end + 1
        found.append(self._slice(at, stop))
        return tuple(part for part in found if part != "")

    def _change(self, bracket: _Bracket, end: int) -> _Edit | _Alternation:
        if not bracket.colons:
            borders = [bracket.index, *bracket.bars, end]
            return _Alternation(tuple(self.read(left + 1, right) for left, right in pairwise(borders)))
        first, last = bracket.colons[0], bracket.colons[-1]
        when = _when(self._pieces, last, end) or ""
        before = self.read(bracket.index + 1, first) if first != last else ()
        after = self.read((first if first != last else bracket.index) + 1, last)
        return _Edit(before, after, float(when), "." in when)

    def _slice(self, start: int, stop: int) -> str:
        if start >= stop:
            return ""
        last = self._pieces[stop - 1]
        return self._text[self._pieces[start].start : last.start + len(last.text)]


def _collect_ends(text: _Text, steps: int, ends: set[int]) -> None:
    """Adds every step after which something may change."""
    for part in text:
        match part:
            case _Edit():
                step = part.step(steps)
                if step >= 1:
                    ends.add(step)
                _collect_ends(part.before, steps, ends)
                _collect_ends(part.after, steps, ends)
            case _Alternation():
                ends.update(range(1, steps + 1))
                for option in part.options:
                    _collect_ends(option, steps, ends)


def _at_step(text: _Text, step: int, steps: int) -> str:
    parts = []
    for part in text:
        match part:
            case str():
                parts.append(part)
            case _Edit():
                parts.append(_at_step(part.before if step <= part.step(steps) else part.after, step, steps))
            case _Alternation():
                parts.append(_at_step(part.options[(step - 1) % len(part.options)], step, steps))
    return "".join(parts)
