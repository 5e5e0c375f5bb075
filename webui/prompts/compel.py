"""Compel's prompt dialect, read in linear time: text → weighted fragments.

`word+` `word--` `(a b)1.3` `(a b)++` `"a b"-` `(a).attend(1.2)`, nested at will, and around a whole prompt `("a",
"b").blend(0.7, 0.3)` and `("a", "b").and()`. A backslash makes any of `( ) " + -` plain text. Compel's own parser
backtracks and never ends on `((((((((a` (damian0815/compel#103), so it never sees what a person typed.

Whatever is not syntax is text: brackets that are not closed, a quote after a digit, `c++11`. Knows no tokens and no
torch.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from webui.errors import PromptError
from webui.prompts.lexer import MAX_PARTS, MAX_WEIGHT, Fragment, Fragments, Piece, Places, clamp, lex

PLUS, MINUS = 1.1, 0.9  # compel's bases for + and -
MAX_LOWERED = 64  # fragments below 1; each costs one more pass through the text encoder

_OPERATOR = re.compile(r"\++|-+|\d*\.\d+|\d+")
_ATTEND = re.compile(r"\.attend\(\s*(\++|-+|\d*\.\d+|\d+)\s*\)")
_PIECE = re.compile(r"""\\[()"+\-]|[()",]|\s+|[.;:!?，。；：！？、]+|[^\s()"\\,.;:!?，。；：！？、]+|\\+?""")
_WORD_OPERATOR = re.compile(r"(.*[^+\-])(\++|-+)", re.DOTALL)
_COMBINED = re.compile(r"\.(blend|and|add)\(([^()]*)\)\s*$")
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)")
_Part = tuple[str, float, int]  # text without blanks or of blanks only, weight, place
_Placed = tuple[tuple[Fragment, Places], ...]


@dataclass(frozen=True)
class Blend:
    """Prompts whose embeddings are averaged by weight."""

    prompts: tuple[Fragments, ...]
    weights: tuple[float, ...]
    normalize: bool = True


@dataclass(frozen=True)
class Prompt:
    """Parts whose embeddings follow one another; most prompts have one part."""

    parts: tuple[Fragments | Blend, ...]
    weights: tuple[float, ...] = (1.0,)

    @property
    def plain_text(self) -> str:
        """The whole text without its weights."""
        prompts = [p for part in self.parts for p in (part.prompts if isinstance(part, Blend) else (part,))]
        return " ".join(fragment.text for prompt in prompts for fragment in prompt).strip()


def parse(text: str) -> Prompt:
    """Reads `text`. Raises PromptError for an impossible blend or conjunction, and for more than MAX_LOWERED lowered
    fragments; everything else has a meaning.
    """
    return parse_with_places(text)[0]


def parse_with_places(text: str) -> tuple[Prompt, tuple[Places, ...]]:
    """The same as `parse`, and for each fragment of all prompts where in the text it comes from."""
    pieces = lex(text, _PIECE)
    closers = _match_brackets(pieces)
    parsed, prompts = _parse_combined(pieces, closers, text)
    if sum(fragment.weight < 1 for prompt in prompts for fragment, _ in prompt) > MAX_LOWERED:
        raise PromptError(reason="prompt_lowered", position=0, limit=MAX_LOWERED)
    return parsed, tuple(places for prompt in prompts for _, places in prompt)


def _pair_quotes(pieces: list[Piece]) -> dict[int, int]:
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


def _match_brackets(pieces: list[Piece]) -> dict[int, int]:
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


def _fragments(pieces: list[Piece], closers: dict[int, int], start: int, stop: int) -> _Placed:
    """Pieces [start, stop) as fragments, with neighbours of equal weight joined; one pass, without recursion."""
    text = "".join([piece.text for piece in pieces[start:stop]])  # operators are looked for in here
    offset = pieces[start].start if start < stop else 0
    found: list[_Part] = []
    weight = 1.0
    outer: list[float] = []  # weights of the groups around the innermost open one
    ends: dict[int, int] = {}  # index of a closing piece → first character after its operator
    skip_to = 0
    for index in range(start, stop):
        piece, at = pieces[index]
        if at < skip_to:  # an operator, perhaps with a word right behind it
            piece, at = piece[skip_to - at :], skip_to
            if not piece:
                continue
        if index in closers:
            factor, after = _group_operator(text, pieces[closers[index]].start + 1 - offset)
            ends[closers[index]] = after + offset
            outer.append(weight)
            weight = clamp(weight * factor)
            found.append((" ", weight, at))
        elif index in ends:
            weight = outer.pop()
            skip_to = ends[index]
            found.append((" ", weight, at))
        elif piece[0] == "\\" and len(piece) > 1:
            found.append((piece[1], weight, at + 1))
        elif piece[-1] in "+-":
            word, factor = _word_operator(piece)
            found.append((word, clamp(weight * factor), at))
        else:
            found.append((piece, weight, at))
    return _tidy(found)


def _group_operator(text: str, position: int) -> tuple[float, int]:
    """The weight directly after a group's end at `position`, and where the text continues after it."""
    if attend := _ATTEND.match(text, position):
        return _weight(attend.group(1)), attend.end()
    if operator := _OPERATOR.match(text, position):
        is_word = text[operator.end() : operator.end() + 1].isalnum()
        if not is_word:
            return _weight(operator.group()), operator.end()
    return 1.0, position


def _word_operator(word: str) -> tuple[str, float]:
    """`word++` → (`word`, 1.21). Signs without a word are text."""
    if operator := _WORD_OPERATOR.fullmatch(word):
        return operator.group(1), _weight(operator.group(2))
    return word, 1.0


def _weight(operator: str) -> float:
    """`++` → 1.1², `--` → 0.9², `1.3` → 1.3; never above MAX_WEIGHT."""
    if operator[0] in "+-":
        base = PLUS if operator[0] == "+" else MINUS
        return clamp(math.exp(min(len(operator), 100) * math.log(base)))
    return clamp(float(operator[:20]))


def _tidy(parts: list[_Part]) -> _Placed:
    """Joins neighbours of the same weight, gives spaces to the neighbour before them, and reduces runs of spaces to
    one.
    """
    runs: list[list[_Part]] = []
    for part in parts:
        if runs and (runs[-1][0][1] == part[1] or part[0].isspace()):
            runs[-1].append(part)
        elif not part[0].isspace():
            runs.append([part])
    return tuple(_joined(run) for run in runs) or ((Fragment(""), ()),)


def _joined(run: list[_Part]) -> tuple[Fragment, Places]:
    """Parts of the same weight, the first of which is not blank."""
    texts: list[str] = []
    places = []
    length = 0
    is_apart = False
    for text, _, place in run:
        if text.isspace():
            is_apart = True
            continue
        if is_apart:
            texts.append(" ")
            length += 1
        is_apart = False
        places.append((length, place))
        texts.append(text)
        length += len(text)
    return Fragment("".join(texts), run[0][1]), tuple(places)


def _parse_combined(pieces: list[Piece], closers: dict[int, int], text: str) -> tuple[Prompt, tuple[_Placed, ...]]:
    """`("a", "b").blend(0.7, 0.3)` or `.and()` around the whole prompt, or a single prompt; and the prompts in it."""
    first = next((i for i, piece in enumerate(pieces) if not piece.text.isspace()), None)
    last = closers.get(first) if first is not None and pieces[first].text == "(" else None
    operator = _COMBINED.match(text, pieces[last].start + 1) if last is not None else None
    if first is None or last is None or operator is None:
        whole = _fragments(pieces, closers, 0, len(pieces))
        return Prompt((_texts(whole),)), (whole,)
    placed = tuple(_fragments(pieces, closers, a, b) for a, b in _split_at_commas(pieces, closers, first + 1, last))
    if len(placed) > MAX_PARTS:
        raise PromptError(reason="prompt_parts", position=operator.start(), limit=MAX_PARTS)
    prompts = tuple(_texts(one) for one in placed)
    weights, normalize = _arguments(operator.group(2), len(prompts), operator.start(2))
    if operator.group(1) != "blend":
        return Prompt(prompts, weights), placed
    if normalize and abs(sum(weights)) < 1e-3:
        raise PromptError(reason="prompt_blend_nothing", position=operator.start(2))
    return Prompt((Blend(prompts, weights, normalize),)), placed


def _texts(placed: _Placed) -> Fragments:
    return tuple(fragment for fragment, _ in placed)


def _split_at_commas(pieces: list[Piece], closers: dict[int, int], start: int, stop: int) -> list[tuple[int, int]]:
    """Ranges of pieces between commas, except for commas in inner brackets or quotes."""
    ranges = []
    begin = index = start
    while index < stop:
        if pieces[index].text == ",":
            ranges.append((begin, index))
            begin = index + 1
        index = closers.get(index, index) + 1
    return [*ranges, (begin, stop)]


def _arguments(text: str, count: int, position: int) -> tuple[tuple[float, ...], bool]:
    """The weights in the brackets after `.blend` or `.and`, and whether to normalise them; without any, each is 1."""
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    normalize = True
    if words and words[-1] == "no_normalize":
        normalize = False
        words.pop()
    if not all(_NUMBER.fullmatch(word) for word in words):
        raise PromptError(reason="prompt_weights_numbers", position=position)
    if words and len(words) != count:
        raise PromptError(reason="prompt_weights_count", position=position, found=len(words), limit=count)
    weights = tuple(min(max(float(word), -MAX_WEIGHT), MAX_WEIGHT) for word in words)
    return weights or (1.0,) * count, normalize
