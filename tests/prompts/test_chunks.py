"""Chunks of 75 tokens: where they are cut, what weight a token has, and embeddings that are not torn apart."""

from __future__ import annotations

import re

from webui.prompts.attention import attention
from webui.prompts.chunks import Chunk, Embeddings, Vector, Word, cut

COMMA = 1


def words(text: str) -> list[Word]:
    """One token for each word, by its length and first letter; commas are tokens of their own."""
    found = re.finditer(r",|[^\s,]+", text)
    return [Word(COMMA if m[0] == "," else 100 + len(m[0]) * 256 + ord(m[0][0]), m.start()) for m in found]


def chunks(text: str, vectors: dict[str, int] | None = None, size: int = 75) -> list[Chunk]:
    embeddings = Embeddings.of(vectors or {}, lambda name: [word.id for word in words(name)])
    return cut(attention(text), words, COMMA, embeddings, size)


def sizes(text: str, vectors: dict[str, int] | None = None) -> list[int]:
    return [len(chunk.tokens) for chunk in chunks(text, vectors)]


def test_borders() -> None:
    assert sizes("") == [0]
    assert sizes("a " * 75) == [75]
    assert sizes("a " * 76) == [75, 1]
    assert sizes("a " * 200) == [75, 75, 50]
    assert sizes("a BREAK b b") == [1, 2]
    assert sizes("BREAK") == [0]
    assert sizes("BREAK a BREAK") == [0, 1]


def test_the_text_behind_a_near_comma_moves() -> None:
    assert sizes("a " * 60 + ", " + "b " * 30) == [61, 30]
    assert sizes("a " * 54 + ", " + "b " * 30) == [75, 10]  # 21 tokens back: too far
    assert sizes("a " * 55 + ", " + "b " * 30) == [56, 30]  # 20 tokens back
    assert sizes("a " * 74 + ", b b") == [75, 2]
    assert sizes("a " * 75 + ", b b") == [75, 3]  # a comma itself moves nothing
    assert sizes("a, " * 60) == [75, 45]


def test_every_token_has_its_weight_and_source() -> None:
    (chunk,) = chunks("a (bb:1.5) c")
    assert [(token.weight, token.source) for token in chunk.tokens] == [(1.0, (0, 0)), (1.5, (1, 0)), (1.0, (2, 1))]
    moved = chunks("a " * 60 + ", " + "(b:2) " * 30)
    assert {token.weight for token in moved[1].tokens} == {2.0}


def test_embeddings_take_the_place_of_their_name() -> None:
    (chunk,) = chunks("a (my style:1.2) b", {"my style": 3, "my": 1})
    assert [token.value for token in chunk.tokens[1:4]] == [Vector("my style", i) for i in range(3)]
    assert [token.weight for token in chunk.tokens] == [1, 1.2, 1.2, 1.2, 1]
    assert sizes("a " * 74 + "my", {"my": 3}) == [74, 3]
    assert sizes("my", {"my": 75}) == [75]
    assert sizes("a " * 60 + ", " + "b " * 14 + "my", {"my": 3}) == [61, 17]  # the text before it moves with it
    assert sizes("a " * 60 + ", " + "b " * 13 + "my", {"my": 3}) == [74, 3]  # as in A1111, of a full chunk only
    assert sizes("my", {"other": 4}) == [1]


def test_an_encoder_with_fewer_places() -> None:
    assert [len(chunk.tokens) for chunk in chunks("a " * 40, size=14)] == [14, 14, 12]
