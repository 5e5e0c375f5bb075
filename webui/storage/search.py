"""Finds pictures by the words that made them, with SQLite's FTS5.

FTS5's tokenizer `unicode61` takes a run of Chinese for one word, and `trigram` finds nothing shorter than three
characters. So each character of a script without spaces is written as a word of its own, both in the index and in the
query, and a Chinese word is a phrase of them: one or two characters are found as well as ten. Other words are found by
their beginning. Case, accents and full width make no difference.

FTS5 ignores symbols, including emoji, so each is spelled as a word of letters. An emoji of several characters is a
phrase: first its pictures, then their modifiers, so that 👩‍🚀 also finds 👩🏽‍🚀, but not the other way round.

What somebody types is never FTS5 syntax: every word is quoted.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from webui.requests.field_types import clean_text

MAX_TERMS = 32  # of one question; each costs a look into the index
MAX_QUERY_CHARACTERS = 1000

# Scripts that put no spaces between words, or (Hangul) glue particles to them: Han with its extensions and the signs
# that stand among it, kana, bopomofo, Hangul syllables.
_UNSPACED = re.compile(
    "[\u3005\u3007\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
_SYMBOLS = frozenset(("So", "Sm", "Sc"))  # Unicode's categories; those of ASCII are not meant: there they are syntax
_FRACTION_SLASH = "\u2044"  # between the digits of ½ when it is normalised
_KEYCAP = "\u20e3"
_JOINER = "\u200d"
_STYLES = "\ufe0e\ufe0f"  # whether a symbol is meant as text or in colour; makes no difference
_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")  # of skin
_TAGS = re.compile("[\U000e0020-\U000e007f]")  # which region's a flag is
_LETTERS_OF_FLAGS = re.compile("[\U0001f1e6-\U0001f1ff]")
_SPELLED = "\ue000"  # begins a word that stands for a symbol; private use, which FTS5 takes for a letter
_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')  # a phrase in quotes, or a word


def searchable(text: str) -> str:
    """The text as it goes into the index.

    >>> searchable("Ａ湖泊 lake")
    'A 湖  泊  lake'
    """
    return " ".join(_parts(text)).strip()


def match_of(query: str) -> str | None:
    """FTS5's expression for what somebody typed: all of its words, in any order, and those in quotes as they stand.

    None if there is nothing in it that could be found: no letter, no digit and no symbol.

    >>> match_of('fox "red hat" 秋树')
    '"fox"* "red hat" "秋 树"'
    """
    return " ".join(islice(_terms(clean_text(query[:MAX_QUERY_CHARACTERS])), MAX_TERMS)) or None


def words_of(request: str, position: int) -> str:
    """The words by which a picture is found: those of its prompts, what their wildcards became, and its checkpoint.

    `request` is the stored JSON, `position` the image's number in it. Empty if it cannot be read.
    """
    try:
        values = json.loads(request)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(values, dict):
        return ""
    return searchable("\n".join(dict.fromkeys(text for text in _texts(values, position) if text)))


def _terms(query: str) -> Iterator[str]:
    for found in _TERM.finditer(query):
        phrase, word = found.groups()
        for part in [searchable(phrase)] if word is None else _parts(word):
            text = " ".join(part.replace('"', " ").split())
            if not any(sign.isalnum() for sign in text):
                continue
            is_whole = word is None or _SPELLED in text or _UNSPACED.search(text[-1]) is not None
            yield f'"{text}"' if is_whole else f'"{text}"*'


def _parts(text: str) -> Iterator[str]:
    """The text in pieces: each emoji or other symbol by itself, and what is between them."""
    plain: list[str] = []
    signs: list[str] = []
    modifiers: list[str] = []
    is_joined = False
    for sign in unicodedata.normalize("NFKC", text):
        if sign in _STYLES:
            continue
        if signs and sign == _JOINER:
            is_joined = True
            continue
        if signs and (_TONES.match(sign) or _TAGS.match(sign)):
            modifiers.append(sign)
            continue
        is_symbol = _is_symbol(sign)
        if signs and not (is_symbol and (is_joined or _is_flag("".join((*signs, sign))))):
            yield _spelled((*signs, *modifiers))
            signs, modifiers = [], []
        if is_symbol and plain:
            yield _UNSPACED.sub(r" \g<0> ", "".join(plain))
            plain = []
        (signs if is_symbol else plain).append(sign)
        is_joined = False
    yield _spelled((*signs, *modifiers)) if signs else _UNSPACED.sub(r" \g<0> ", "".join(plain))


def _is_symbol(sign: str) -> bool:
    if sign.isascii() or sign == _FRACTION_SLASH:
        return False
    return unicodedata.category(sign) in _SYMBOLS or sign == _KEYCAP or _TONES.match(sign) is not None


def _is_flag(signs: str) -> bool:
    return len(signs) == 2 and all(map(_LETTERS_OF_FLAGS.match, signs))


def _spelled(signs: Sequence[str]) -> str:
    """As words of letters; a flag is a single word, or its letters would also be found between two others."""
    between = "" if _is_flag("".join(signs)) else " "
    return between.join(f"{_SPELLED}{ord(sign):06x}" for sign in signs)


def _texts(values: Mapping[str, Any], position: int) -> Iterator[str]:
    yield from _prompts(values)
    resolved = values.get("resolved_prompts")
    if isinstance(resolved, list | tuple) and 0 <= position < len(resolved) and isinstance(resolved[position], dict):
        yield from _prompts(resolved[position])
    if isinstance(walk_to := values.get("walk_to"), dict):
        yield from _prompts(walk_to)
    yield str(values.get("checkpoint") or "")


def _prompts(values: Mapping[str, Any]) -> Iterator[str]:
    for name in ("prompt", "negative_prompt"):
        if isinstance(text := values.get(name), str):
            yield text
