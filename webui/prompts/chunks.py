"""Fragments → chunks of 75 tokens, cut as A1111 cuts them: behind a comma, where one is near the border.

A text encoder of CLIP's kind has 77 places, two of which are its own. Longer texts are encoded chunk by chunk. Names of
embeddings (textual inversions) are found among the tokens, and take as many places as they have vectors. Works with any
tokenizer that gives ids; knows no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from webui.prompts.lexer import Fragment

CHUNK_TOKENS = 75
COMMA_BACKTRACK = 20  # tokens; A1111's default
_NO_COMMA = -1000  # farther away than any comma


class Vector(NamedTuple):
    """One vector of an embedding, in the place of a token."""

    embedding: str
    number: int  # from 0


class Token(NamedTuple):
    """What stands at one place: a token's id or a vector; its weight; where it comes from, as (fragment, character)."""

    value: int | Vector
    weight: float
    source: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Chunk:
    """At most 75 tokens, in order, without the encoder's own and without padding."""

    tokens: tuple[Token, ...]


class Word(NamedTuple):
    """A token as the tokenizer gives it: its id, and the index of its first character in the text."""

    id: int
    start: int


@dataclass(frozen=True)
class Embeddings:
    """Names to be found among the tokens, and how many vectors each has."""

    vectors: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[tuple[int, ...], str] = field(default_factory=dict)  # by the ids of their tokens
    lengths: Mapping[int, tuple[int, ...]] = field(default_factory=dict)  # of names that begin so, the longest first

    @classmethod
    def of(cls, vectors: Mapping[str, int], ids_of: Callable[[str], Sequence[int]]) -> Embeddings:
        """Those with as many vectors as `vectors` says by name, for the tokenizer behind `ids_of`."""
        names = {tuple(ids_of(name)): name for name in sorted(vectors)}
        names.pop((), None)
        lengths: dict[int, set[int]] = {}
        for ids in names:
            lengths.setdefault(ids[0], set()).add(len(ids))
        return cls(vectors, names, {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()})

    def longest_at(self, words: Sequence[Word], start: int) -> tuple[str, int] | None:
        """The name that begins there, the longest if there are several, and how many tokens it takes."""
        for count in self.lengths.get(words[start].id, ()):
            name = self.names.get(tuple(word.id for word in words[start : start + count]))
            if name is not None:
                return name, count
        return None


NO_EMBEDDINGS = Embeddings()


def cut(
    sections: Iterable[Sequence[Fragment]],
    tokenize: Callable[[str], Sequence[Word]],
    comma: int | None,
    embeddings: Embeddings = NO_EMBEDDINGS,
    size: int = CHUNK_TOKENS,
) -> list[Chunk]:
    """All sections as chunks of at most `size` tokens, at least one; every section but the first begins a new one.

    `comma` is the id of a comma that ends a word; None where the tokenizer has none.
    """
    cutter = _Cutter(comma, size)
    number = 0
    for index, section in enumerate(sections):
        if index:
            cutter.end_chunk()
        for fragment in section:
            words = tokenize(fragment.text)
            at = 0
            while at < len(words):
                found = embeddings.longest_at(words, at)
                source = (number, words[at].start)
                if found is None:
                    cutter.add(Token(words[at].id, fragment.weight, source))
                    at += 1
                else:
                    name, taken = found
                    cutter.add_together(
                        [Token(Vector(name, i), fragment.weight, source) for i in range(embeddings.vectors[name])]
                    )
                    at += taken
            number += 1
    return cutter.finish()


class _Cutter:
    """Fills one chunk after the other."""

    def __init__(self, comma: int | None, size: int) -> None:
        self._comma = comma
        self._size = size
        self._chunks: list[Chunk] = []
        self._tokens: list[Token] = []
        self._last_comma = _NO_COMMA  # its place in the chunk

    def add(self, token: Token) -> None:
        if token.value == self._comma:
            self._last_comma = len(self._tokens)
        else:
            self._move_behind_comma()
        if len(self._tokens) == self._size:
            self.end_chunk()
        self._tokens.append(token)

    def add_together(self, tokens: list[Token]) -> None:
        """Tokens that a border may not part; more than a chunk holds are cut off."""
        self._move_behind_comma()
        if len(self._tokens) + len(tokens) > self._size:
            self.end_chunk()
        self._tokens += tokens[: self._size]

    def _move_behind_comma(self) -> None:
        """Of a full chunk, the text behind a near comma goes to the next one rather than be torn apart."""
        if len(self._tokens) == self._size and len(self._tokens) - self._last_comma <= COMMA_BACKTRACK:
            moved = self._tokens[self._last_comma + 1 :]
            del self._tokens[self._last_comma + 1 :]
            self.end_chunk()
            self._tokens = moved

    def end_chunk(self) -> None:
        self._chunks.append(Chunk(tuple(self._tokens)))
        self._tokens = []
        self._last_comma = _NO_COMMA

    def finish(self) -> list[Chunk]:
        if self._tokens or not self._chunks:
            self.end_chunk()
        return self._chunks
