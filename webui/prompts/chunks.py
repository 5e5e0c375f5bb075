"""Fragments → chunks of 75 tokens, cut as in A1111: after a comma, if one is near the border.

A text encoder like CLIP's has 77 places, two of which are its own. Longer texts are encoded chunk by chunk. Names of
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
    """One vector of an embedding, which takes the place of a token."""

    embedding: str
    number: int  # from 0


class Token(NamedTuple):
    """The content of one place: a token's id or a vector; its weight; and where it comes from, as (fragment,
    character).
    """

    value: int | Vector
    weight: float
    source: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Chunk:
    """At most 75 tokens, in order, without the encoder's own tokens and without padding."""

    tokens: tuple[Token, ...]


class Word(NamedTuple):
    """A token from the tokenizer: its id, and the index of its first character in the text."""

    id: int
    start: int


@dataclass(frozen=True)
class Embeddings:
    """Names to find among the tokens, and how many vectors each has."""

    vectors: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[tuple[int, ...], str] = field(default_factory=dict)  # by the ids of their tokens
    lengths: Mapping[int, tuple[int, ...]] = field(default_factory=dict)  # of names that begin so, the longest first

    @classmethod
    def of(cls, vectors: Mapping[str, int], ids_of: Callable[[str], Sequence[int]]) -> Embeddings:
        """Embeddings with the numbers of vectors in `vectors`, by name, for the tokenizer behind `ids_of`."""
        names = {tuple(ids_of(name)): name for name in sorted(vectors)}
        names.pop((), None)
        lengths: dict[int, set[int]] = {}
        for ids in names:
            lengths.setdefault(ids[0], set()).add(len(ids))
        return cls(vectors, names, {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()})

    def longest_at(self, words: Sequence[Word], start: int) -> tuple[str, int] | None:
        """The longest name that begins there, and how many tokens it takes; None if no name does."""
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
    """All sections as chunks of at most `size` tokens, at least one chunk; every section but the first begins a new
    one.

    `comma` is the id of a comma that ends a word; None if the tokenizer has none.
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
        """Adds one token; a full chunk is ended first."""
        if token.value == self._comma:
            self._last_comma = len(self._tokens)
        else:
            self._move_behind_comma()
        if len(self._tokens) == self._size:
            self.end_chunk()
        self._tokens.append(token)

    def add_together(self, tokens: list[Token]) -> None:
        """Adds tokens that must stay in one chunk; those beyond its size are cut off."""
        self._move_behind_comma()
        if len(self._tokens) + len(tokens) > self._size:
            self.end_chunk()
        self._tokens += tokens[: self._size]

    def _move_behind_comma(self) -> None:
        """Moves the text after a nearby comma from a full chunk to the next one, so that it is not torn apart."""
        if len(self._tokens) == self._size and len(self._tokens) - self._last_comma <= COMMA_BACKTRACK:
            moved = self._tokens[self._last_comma + 1 :]
            del self._tokens[self._last_comma + 1 :]
            self.end_chunk()
            self._tokens = moved

    def end_chunk(self) -> None:
        """Ends the chunk that is being filled."""
        self._chunks.append(Chunk(tuple(self._tokens)))
        self._tokens = []
        self._last_comma = _NO_COMMA

    def finish(self) -> list[Chunk]:
        """Ends the last chunk and returns all of them."""
        if self._tokens or not self._chunks:
            self.end_chunk()
        return self._chunks
