"""What both dialects use: pieces of text with their places, weighted fragments, and limits for weights.

A dialect is a pattern for its pieces and a grammar over them. Every pattern must match each character exactly once and
must not backtrack over more than a piece, so that reading is linear in the text. Knows no dialect and no tokens.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

# Beyond 3 every encoder only makes noise (compel's author: ">1.6 tend to produce garbage").
MIN_WEIGHT, MAX_WEIGHT = 0.0, 3.0
MAX_PARTS = 8  # prompts that may be combined; each costs its own passes through the text encoder or the U-Net
_LARGEST = 1e6  # of a product before it is clamped: far from infinity, which times zero is no number
_PLAIN_NUMBER = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)")


class Piece(NamedTuple):
    """A piece of the prompt; `start` is the index of its first character there."""

    text: str
    start: int


class Fragment(NamedTuple):
    """A text and the weight of its tokens, in [0, 3]."""

    text: str
    weight: float = 1.0


Fragments = tuple[Fragment, ...]
Places = tuple[tuple[int, int], ...]  # (character of the fragment, character of the text), where a run of both begins


def lex(text: str, pattern: re.Pattern[str]) -> list[Piece]:
    """`text` divided into the matches of `pattern`; together the pieces are the text."""
    return [Piece(match[0], match.start()) for match in pattern.finditer(text)]


def clamp(weight: float) -> float:
    """`weight`, limited to [0, 3]; NaN counts as 1."""
    return 1.0 if math.isnan(weight) else min(max(weight, MIN_WEIGHT), MAX_WEIGHT)


def multiply(weight: float, factor: float) -> float:
    """The product of two weights, kept finite; clamp the final product."""
    product = min(weight, _LARGEST) * min(factor, _LARGEST)
    return min(max(product, -_LARGEST), _LARGEST)


def harmless(text: str) -> str:
    """`text` without the names of special tokens: `<|endoftext|>` in a prompt would end it."""
    return text.replace("<|", "< |")


def plain_number(text: str) -> float | None:
    """The number that `text` consists of, without spaces around it and without an exponent; None for anything else."""
    return float(text) if _PLAIN_NUMBER.fullmatch(text) else None
