"""Compel's prompt dialect, read in linear time: text → weighted fragments.

`word+` `word--` `(a b)1.3` `(a b)++` `"a b"-` `(a).attend(1.2)`, nested at will, and around a whole prompt
`("a", "b").blend(0.7, 0.3)` and `("a", "b").and()`. A backslash makes any of `( ) " + -` plain text. Compel's own
parser backtracks and does not end on `((((((((a` (damian0815/compel#103), so it never sees what a person typed.
Whatever is no syntax is text: brackets that do not close, a quote after a digit, `c++11`.
Knows no tokens and no torch.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

from webui.errors import PromptError

# Compel's bases for + and -. Beyond 3 every encoder only makes noise (compel's author: ">1.6 tend to produce garbage").
PLUS, MINUS = 1.1, 0.9
MIN_WEIGHT, MAX_WEIGHT = 0.0, 3.0
MAX_PARTS = 8  # of a blend or a conjunction; each costs its own passes through the text encoder
MAX_LOWERED = 64  # fragments below 1; each costs one more pass through the text encoder

_OPERATOR = re.compile(r"\++|-+|\d*\.\d+|\d+")
_ATTEND = re.compile(r"\.attend\(\s*(\++|-+|\d*\.\d+|\d+)\s*\)")
_PIECE = re.compile(r"""\\[()"+\-]|[()",]|\s+|[.;:!?，。；：！？、]+|[^\s()"\\,.;:!?，。；：！？、]+|\\+?""")
_WORD_OPERATOR = re.compile(r"(.*[^+\-])(\++|-+)", re.DOTALL)
_COMBINED = re.compile(r"\.(blend|and|add)\(([^()]*)\)\s*$")
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)")


class Fragment(NamedTuple):
    """A piece of text with the weight that its tokens get, in [0, 3]."""

    text: str
    weight: float = 1.0


Fragments = tuple[Fragment, ...]


@dataclass(frozen=True)
class Blend:
    """Prompts whose embeddings are averaged by weight."""

    prompts: tuple[Fragments, ...]
    weights: tuple[float, ...]
    normalize: bool = True


@dataclass(frozen=True)
class Prompt:
    """Parts whose embeddings stand one behind the other; most prompts have one part."""

    parts: tuple[Fragments | Blend, ...]
    weights: tuple[float, ...] = (1.0,)

    @property
    def plain_text(self) -> str:
        """All of the text, without its weights."""
        prompts = [p for part in self.parts for p in (part.prompts if isinstance(part, Blend) else (part,))]
        return " ".join("".join(fragment.text for fragment in prompt).strip() for prompt in prompts)


def parse(text: str) -> Prompt:
    """What `text` says. Raises PromptError for a blend or conjunction that cannot be, and for more lowered fragments
    than MAX_LOWERED; everything else means something."""
    pieces = _pieces(text)
    closers = _match_brackets(pieces)
    parsed = _parse_combined(pieces, closers, text) or Prompt((_fragments(pieces, closers, 0, len(pieces)),))
    prompts = [p for part in parsed.parts for p in (part.prompts if isinstance(part, Blend) else (part,))]
    if sum(fragment.weight < 1 for prompt in prompts for fragment in prompt) > MAX_LOWERED:
        raise PromptError(reason=f"more than {MAX_LOWERED} pieces of it are lowered in weight", position=0)
    return parsed


class _Piece(NamedTuple):
    text: str
    start: int  # index of its first character in the prompt


def _pieces(text: str) -> list[_Piece]:
    return [_Piece(match[0], match.start()) for match in _PIECE.finditer(text)]


def _pair_quotes(pieces: list[_Piece]) -> dict[int, int]:
    """Index of each opening quote → index of the one that closes it.

    A quote opens only where a word could begin and closes only where one could end, so that 5" stays a length.
    """
    pairs: dict[int, int] = {}
    opener: int | None = None
    for index, piece in enumerate(pieces):
        if piece.text != '"':
            continue
        before = pieces[index - 1].text if index else " "
        after = pieces[index + 1].text if index + 1 < len(pieces) else " "
        if opener is None and (before.isspace() or before in "(,.;:"):
            opener = index
        elif opener is not None and not after[0].isalpha():
            pairs[opener] = index
            opener = None
    return pairs


def _match_brackets(pieces: list[_Piece]) -> dict[int, int]:
    """Index of each opening bracket or quote → index of what closes it; those without a partner are left out."""
    closers = _pair_quotes(pieces)
    closing_quotes = set(closers.values())
    open_indices: list[int] = []
    for index, piece in enumerate(pieces):
        if piece.text == "(" or index in closers:
            open_indices.append(index)
        elif index in closing_quotes:
            while closers.get(open_indices.pop()) != index:  # brackets opened inside and not closed are text
                pass
        elif piece.text == ")" and open_indices and pieces[open_indices[-1]].text == "(":
            closers[open_indices.pop()] = index
    return closers


def _fragments(pieces: list[_Piece], closers: dict[int, int], start: int, stop: int) -> Fragments:
    """Pieces [start, stop) as fragments, neighbours of equal weight joined. Runs once over them, without recursion."""
    text = "".join([piece.text for piece in pieces[start:stop]])  # operators are looked for in here
    offset = pieces[start].start if start < stop else 0
    found: list[tuple[str, float]] = []
    weight = 1.0
    outer: list[float] = []  # weights of the groups around the innermost open one
    ends: dict[int, int] = {}  # index of a closing piece → first character after its operator
    skip_to = 0
    for index in range(start, stop):
        piece, at = pieces[index]
        if at < skip_to:
            continue
        if index in closers:
            factor, after = _group_operator(text, pieces[closers[index]].start + 1 - offset)
            ends[closers[index]] = after + offset
            outer.append(weight)
            weight = _clamp(weight * factor)
            found.append((" ", weight))
        elif index in ends:
            weight = outer.pop()
            skip_to = ends[index]
            found.append((" ", weight))
        elif piece[0] == "\\" and len(piece) > 1:
            found.append((piece[1], weight))
        elif piece[-1] in "+-":
            word, factor = _word_operator(piece)
            found.append((word, _clamp(weight * factor)))
        else:
            found.append((piece, weight))
    return _tidy(found)


def _group_operator(text: str, position: int) -> tuple[float, int]:
    """Weight that stands directly behind a group's end at `position`, and where the text goes on after it."""
    if attend := _ATTEND.match(text, position):
        return _weight(attend.group(1)), attend.end()
    if operator := _OPERATOR.match(text, position):
        is_word = text[operator.end() : operator.end() + 1].isalnum()
        if not is_word:
            return _weight(operator.group()), operator.end()
    return 1.0, position


def _word_operator(word: str) -> tuple[str, float]:
    """`word++` → (`word`, 1.21). Signs alone are text."""
    if operator := _WORD_OPERATOR.fullmatch(word):
        return operator.group(1), _weight(operator.group(2))
    return word, 1.0


def _weight(operator: str) -> float:
    """`++` → 1.1², `--` → 0.9², `1.3` → 1.3; never above MAX_WEIGHT."""
    if operator[0] in "+-":
        base = PLUS if operator[0] == "+" else MINUS
        return _clamp(math.exp(min(len(operator), 100) * math.log(base)))
    return _clamp(float(operator[:20]))


def _clamp(weight: float) -> float:
    return min(max(weight, MIN_WEIGHT), MAX_WEIGHT)


def _tidy(pieces: list[tuple[str, float]]) -> Fragments:
    """Neighbours of one weight joined, blanks given to the neighbour before them, runs of blanks made one."""
    joined: list[tuple[list[str], float]] = []
    for text, weight in pieces:
        if joined and (joined[-1][1] == weight or text.isspace()):
            joined[-1][0].append(text)
        elif not text.isspace():
            joined.append(([text], weight))
    fragments = [Fragment(" ".join("".join(texts).split()), weight) for texts, weight in joined]
    return tuple(fragment for fragment in fragments if fragment.text) or (Fragment(""),)


def _parse_combined(pieces: list[_Piece], closers: dict[int, int], text: str) -> Prompt | None:
    """`("a", "b").blend(0.7, 0.3)` or `.and()` around the whole prompt; None for anything else."""
    first = next((i for i, piece in enumerate(pieces) if not piece.text.isspace()), None)
    if first is None or pieces[first].text != "(" or first not in closers:
        return None
    last = closers[first]
    operator = _COMBINED.match(text, pieces[last].start + 1)
    if not operator:
        return None
    prompts = tuple(_fragments(pieces, closers, a, b) for a, b in _split_at_commas(pieces, closers, first + 1, last))
    if len(prompts) > MAX_PARTS:
        raise PromptError(reason=f"more than {MAX_PARTS} prompts are combined", position=operator.start())
    weights, normalize = _arguments(operator.group(2), len(prompts), operator.start(2))
    if operator.group(1) != "blend":
        return Prompt(prompts, weights)
    if normalize and abs(sum(weights)) < 1e-3:
        raise PromptError(reason="the weights of the blend add up to nothing", position=operator.start(2))
    return Prompt((Blend(prompts, weights, normalize),))


def _split_at_commas(pieces: list[_Piece], closers: dict[int, int], start: int, stop: int) -> list[tuple[int, int]]:
    """Ranges of pieces between the commas that stand in no inner brackets or quotes."""
    ranges = []
    begin = index = start
    while index < stop:
        if pieces[index].text == ",":
            ranges.append((begin, index))
            begin = index + 1
        index = closers.get(index, index) + 1
    return [*ranges, (begin, stop)]


def _arguments(text: str, count: int, position: int) -> tuple[tuple[float, ...], bool]:
    """Weights in the brackets behind `.blend` or `.and`, and whether they are to be normalised; none means 1 each."""
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    normalize = True
    if words and words[-1] == "no_normalize":
        normalize = False
        words.pop()
    if not all(_NUMBER.fullmatch(word) for word in words):
        raise PromptError(reason="the weights must be numbers", position=position)
    if words and len(words) != count:
        raise PromptError(reason=f"{count} prompts have {len(words)} weights", position=position)
    weights = tuple(min(max(float(word), -MAX_WEIGHT), MAX_WEIGHT) for word in words)
    return weights or (1.0,) * count, normalize
