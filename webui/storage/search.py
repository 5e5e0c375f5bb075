"""Searching pictures by the words that made them, with SQLite's FTS5.

FTS5's tokenizer `unicode61` takes a run of Chinese for one word, and `trigram` finds nothing shorter than three
characters. So each character of a script without spaces is written as a word of its own, in the index and in the
question alike, and a Chinese word is a phrase of them: one and two characters are found as well as ten. Other words are
found by their beginning. Case, accents and full width make no difference. What somebody types is never FTS5's syntax:
every word goes in quoted.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
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
_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')  # a phrase in quotes, or a word


def searchable(text: str) -> str:
    """The text as it goes into the index.

    >>> searchable("Ａ湖泊 lake")
    'A 湖  泊  lake'
    """
    return _UNSPACED.sub(r" \g<0> ", unicodedata.normalize("NFKC", text)).strip()


def match_of(query: str) -> str | None:
    """FTS5's expression for what somebody typed: all of its words, in any order, those in quotes as they stand.

    None where there is nothing in it that could be found: no letter and no digit.

    >>> match_of('fox "red hat" 秋树')
    '"fox"* "red hat" "秋 树"'
    """
    return " ".join(_terms(clean_text(query[:MAX_QUERY_CHARACTERS]))) or None


def words_of(request: str, position: int) -> str:
    """What is searched of a picture: the words of its prompts, what wildcards in them became, and its checkpoint.

    `request` is the stored JSON, `position` which of its images it is. Empty for what cannot be read.
    """
    try:
        values = json.loads(request)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(values, dict):
        return ""
    return searchable("\n".join(dict.fromkeys(text for text in _texts(values, position) if text)))


def _terms(query: str) -> Iterator[str]:
    for found in list(_TERM.finditer(query))[:MAX_TERMS]:
        phrase, word = found.groups()
        text = " ".join(searchable(phrase if word is None else word).replace('"', " ").split())
        if not any(sign.isalnum() for sign in text):
            continue
        is_whole = word is None or _UNSPACED.search(text[-1]) is not None
        yield f'"{text}"' if is_whole else f'"{text}"*'


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
