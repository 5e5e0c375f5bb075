"""Templates: `__name__`, `{a|b|c}`, `{2$$a|b|c}`, settled by chance from a seed, with Dynamic Prompts' meaning.

    {a|2::b}            one of them, b twice as often
    {2$$a|b|c}          two different ones, joined by a comma; {1-2$$…}, {-2$$…}, {2-$$…} between as many
    {2$$ and $$a|b|c}   joined by something else
    {2$$__colours__}    two different values of one wildcard

They nest, also inside the values of wildcards. `{prompt}`, which looks use, and brackets that do not close are text,
and so is whatever stands behind a backslash. A bar inside square brackets belongs to them (A1111's alternation). The
same text and seed give the same result on every machine. Left out of Dynamic Prompts' language: variables, samplers.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from webui.errors import PromptError
from webui.prompts.a1111 import without_comments
from webui.prompts.lexer import Piece, lex
from webui.prompts.wildcards import Shelf, Wildcards

MAX_CHARACTERS = 10_000  # of the result, as of a prompt
MAX_DEPTH = 16  # wildcards inside wildcards, and braces inside braces
MAX_CHOICES = 1_000  # made for one text
MAX_TAKEN = 100  # that one choice may take

# Where a LoRA is named, underscores are the name's, unless the name or the weight begins with them.
_NETWORK = r"<(?i:lora|lyco|hypernet)(?::(?!__)[^<>:{}|]*+)++>"
# Signs of a wildcard's name: no commas and the like, which part what only looks like one, nor what is syntax.
_NAMING = "(?:[A-Za-z0-9]|[-./*'&+()!@%=~^]|(?![\uff0c\u3001\uff1b\uff1a\u3002])[^\\x00-\\x7f])"
_PIECE = re.compile(
    rf"{_NETWORK}|" + rf"\\.|__~?(?! )(?:{_NAMING}| (?!__)|_(?!_))++__|" + r"[{}|\[\]]|[^\\{}|\[\]_<]++|.", re.DOTALL
)
_COUNT = re.compile(r"\s*+(?=[0-9-])([0-9]{0,4})(-?)([0-9]{0,4})\$\$")
_WEIGHT = re.compile(r"\s*+([0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})::")
_JOINED_BY = ", "
_LEFT_ALONE = "{prompt"  # and the brace that closes it


def is_template(text: str) -> bool:
    """Whether `text` may contain something to settle."""
    return "{" in text or text.count("__") > 1


def settle(text: str, seed: str, wildcards: Wildcards, *, has_comments: bool = False) -> str:
    """`text` with every wildcard and choice settled by `seed`.

    With `has_comments`, a `#` in a wildcard's value begins a comment that ends with the value, instead of removing what
    follows the wildcard. Raises PromptError for a wildcard that does not exist, has no values or leads back to itself,
    and if there is too much of anything.
    """
    if not is_template(text):
        return text
    chance = random.Random(seed)  # seeded by a text: hashed alike everywhere
    settled = _Settling(wildcards, chance, has_comments).text(text, ())
    if len(settled) > MAX_CHARACTERS:
        raise PromptError(reason="prompt_settled_long", position=0, limit=MAX_CHARACTERS)
    return settled


@dataclass
class _Brace:
    """An open bracket while it is being read, and the bars at its own level."""

    index: int
    kind: str
    bars: list[int] = field(default_factory=list)


class _Settling:
    """The choices made for one text."""

    def __init__(self, wildcards: Wildcards, chance: random.Random, has_comments: bool) -> None:
        self._wildcards = wildcards
        self._has_comments = has_comments
        self._chance = chance
        self._shelf: Shelf | None = None  # what lay there when the first was asked for
        self._known: dict[str, tuple[list[str], list[float]]] = {}
        self._choices = 0
        self._characters = 0

    def text(self, text: str, inside: tuple[str, ...], position: int | None = None) -> str:
        """`inside` are the wildcards whose value `text` is; `position` is where the outermost of
        them is in the prompt.
        """
        pieces = lex(text, _PIECE)
        braces = _match_braces(pieces, position)
        settled = _Level(self, text, pieces, braces, inside, position).read(0, len(pieces))
        self._characters += len(settled)
        if self._characters > MAX_CHARACTERS * MAX_DEPTH:
            raise PromptError(reason="prompt_settled_long", position=position or 0, limit=MAX_CHARACTERS)
        return settled

    def choose(self, weights: Sequence[float], count: int, position: int) -> list[int]:
        """The indices of `count` different options, in the order in which they are drawn."""
        self._choices += max(1, count)
        if self._choices > MAX_CHOICES:
            raise PromptError(reason="prompt_choices", position=position, limit=MAX_CHOICES)
        left = list(enumerate(weights))
        taken = []
        for _ in range(min(count, len(left))):
            taken.append(left.pop(self._draw([weight for _, weight in left]))[0])
        return taken

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self._chance.random() * (high - low + 1))

    def value(self, name: str, inside: tuple[str, ...], position: int) -> str:
        """A value of a wildcard, with everything in it settled, too."""
        return self.joined_values(name, inside, position, 1, "")

    def joined_values(self, name: str, inside: tuple[str, ...], position: int, count: int, separator: str) -> str:
        """`count` different values of a wildcard, joined by `separator`."""
        values, weights = self.values(name, inside, position)
        chosen = self.choose(weights, count, position)
        return separator.join(self.text(values[index], (*inside, name), position) for index in chosen)

    def values(self, name: str, inside: tuple[str, ...], position: int) -> tuple[list[str], list[float]]:
        """All values of a wildcard as they are in its file, and their weights."""
        if name in inside:
            raise PromptError(reason="prompt_wildcard_loop", position=position, name=name)
        if len(inside) >= MAX_DEPTH:
            raise PromptError(reason="prompt_depth", position=position, limit=MAX_DEPTH)
        if name not in self._known:
            self._shelf = self._shelf or self._wildcards.look()
            values = self._shelf.values(name)
            weighed = [_weighed(without_comments(value).rstrip() if self._has_comments else value) for value in values]
            if not weighed:
                reason = "prompt_wildcard_unreadable" if self._shelf.unreadable(name) else "prompt_wildcard"
                raise PromptError(reason=reason, position=position, name=name)
            self._known[name] = [value for value, _ in weighed], [weight for _, weight in weighed]
        return self._known[name]

    def _draw(self, weights: list[float]) -> int:
        total = sum(weights)
        if total <= 0:  # nobody is meant to be taken, so all are alike
            return int(self._chance.random() * len(weights))
        point = self._chance.random() * total
        for index, weight in enumerate(weights):
            point -= weight
            if point < 0:
                return index
        return len(weights) - 1


@dataclass(frozen=True)
class _Level:
    """The pieces of one text, and how they are read."""

    settling: _Settling
    source: str
    pieces: list[Piece]
    braces: dict[int, tuple[int, list[int]]]  # index of `{` → index of its `}` and of the bars at its own level
    inside: tuple[str, ...]
    position: int | None

    def read(self, start: int, stop: int, skip: int = 0) -> str:
        """Pieces [start, stop), without their first `skip` characters, settled."""
        parts = []
        index = start
        while index < stop:
            piece = self.pieces[index].text
            if skip:
                piece, skip = piece[skip:], max(0, skip - len(piece))
            if not piece:
                pass
            elif index in self.braces:
                parts.append(self._choice(index))
                index = self.braces[index][0]
            elif piece in ("\\{", "\\}"):
                parts.append(piece[1])
            elif name := _wildcard(piece):
                parts.append(self.settling.value(name, self.inside, self._at(index)))
            else:
                parts.append(piece)
            index += 1
        return "".join(parts)

    def _choice(self, index: int) -> str:
        end, bars = self.braces[index]
        if end == index + 2 and self._raw(index, end) == _LEFT_ALONE:
            return _LEFT_ALONE + "}"
        borders = [index, *bars, end]
        options = [(left + 1, right) for left, right in pairwise(borders)]
        take = _take(self._raw(*options[0]))
        skips = [take.characters, *[0] * (len(options) - 1)]
        position = self._at(index)
        if take.characters and len(options) == 1 and (name := _wildcard(self._raw(*options[0])[skips[0] :].strip())):
            count = self._count(take, len(self.settling.values(name, self.inside, position)[0]))
            return self.settling.joined_values(name, self.inside, position, count, take.separator)
        weights = []
        for number, option in enumerate(options):
            rest, weight = _weighed(self._raw(*option)[skips[number] :])
            skips[number] = len(self._raw(*option)) - len(rest)
            weights.append(weight)
        chosen = self.settling.choose(weights, self._count(take, len(options)), position)
        return take.separator.join(self.read(*options[number], skips[number]) for number in chosen)

    def _count(self, take: _Take, available: int) -> int:
        most = min(MAX_TAKEN, available)
        high = most if take.high is None else min(take.high, most)
        return self.settling.between(min(take.low, high), high)

    def _raw(self, start: int, stop: int) -> str:
        return self.source[self.pieces[start].start : self.pieces[stop].start] if start < stop else ""

    def _at(self, index: int) -> int:
        return self.pieces[index].start if self.position is None else self.position


@dataclass(frozen=True)
class _Take:
    """How many to take (None: as many as there are), what joins them, and how many characters say so."""

    low: int = 1
    high: int | None = 1
    separator: str = _JOINED_BY
    characters: int = 0


def _take(option: str) -> _Take:
    """What the first option says before its own text: `2$$`, `1-2$$`, `-2$$`, `2-$$`, `2$$ and $$`."""
    found = _COUNT.match(option)
    if found is None:
        return _Take()
    separator, dollars, rest = option[found.end() :].partition("$$")
    characters = len(option) - len(rest) if dollars else found.end()
    first, dash, second = found.groups()
    low = int(first or 1)
    high = int(second) if second else None if dash else low
    return _Take(low, high, separator if dollars else _JOINED_BY, characters)


def _weighed(option: str) -> tuple[str, float]:
    """`2::a` → (`a`, 2)."""
    found = _WEIGHT.match(option)
    return (option[found.end() :], float(found[1])) if found else (option, 1.0)


def _wildcard(piece: str) -> str | None:
    """The name between two double underscores; `~` before it asks for a random value, which is what we do anyway."""
    if len(piece) > 4 and piece.startswith("__") and piece.endswith("__") and _PIECE.fullmatch(piece):
        return piece[2:-2].removeprefix("~")
    return None


def _match_braces(pieces: list[Piece], position: int | None) -> dict[int, tuple[int, list[int]]]:
    """The braces that are closed. The bars in closed square brackets belong to those."""
    found: dict[int, tuple[int, list[int]]] = {}
    waiting: list[_Brace] = []
    open_braces = 0
    for index, piece in enumerate(pieces):
        if piece.text in ("{", "["):
            waiting.append(_Brace(index, piece.text))
            open_braces += piece.text == "{"
        elif piece.text == "|" and waiting:
            waiting[-1].bars.append(index)
        elif piece.text == "]" and waiting and waiting[-1].kind == "[":
            waiting.pop()
        elif piece.text == "}" and open_braces:
            bars: list[int] = []
            brace = waiting.pop()
            while brace.kind == "[":  # it never closes, so it is text
                bars += brace.bars
                brace = waiting.pop()
            found[brace.index] = index, sorted(brace.bars + bars)
            if open_braces > MAX_DEPTH:
                start = pieces[brace.index].start if position is None else position
                raise PromptError(reason="prompt_depth", position=start, limit=MAX_DEPTH)
            open_braces -= 1
    return found
