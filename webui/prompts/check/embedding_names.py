"""Where a prompt names embeddings (textual inversions), and which of them will not be used.

As in the engine, a name is identified by its tokens: `bad-hands_5` is five of them, and case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from webui.checkpoints.addons import Addons
from webui.prompts.attention import PIECE
from webui.prompts.check.clip_tokenizer import ClipTokenizer
from webui.prompts.check.report import Note
from webui.prompts.check.syntax import MAX_NOTES
from webui.prompts.chunks import Embeddings
from webui.prompts.lexer import lex

_ASKED_FOR = re.compile(r"embedding:([\w./-]{1,100})", re.IGNORECASE)


class Named(NamedTuple):
    """An embedding's name in a prompt, from character `start` to before `end`."""

    name: str
    start: int
    end: int


def find_names(text: str, names: Collection[str], tokenizer: ClipTokenizer) -> list[Named]:
    """Which of `names` occur in `text`, and where; of several with the same beginning, the longest."""
    bare, places = _without_syntax(text)
    lowered = bare.casefold()
    known = Embeddings.of({name: 1 for name in names if name.casefold() in lowered}, tokenizer.ids)
    words = tokenizer.words(bare) if known.names else []
    found = []
    at = 0
    while at < len(words):
        longest = known.longest_at(words, at)
        if longest is None:
            at += 1
            continue
        name, taken = longest
        stop = words[at + taken].start if at + taken < len(words) else len(bare)
        stop = words[at].start + len(bare[words[at].start : stop].rstrip())
        found.append(Named(name, places[words[at].start], places[stop - 1] + 1))
        at += taken
    return found


def embedding_notes(text: str, addons: Addons, widths: Sequence[int], tokenizer: ClipTokenizer | None) -> list[Note]:
    """Notes on embeddings that exist but cannot be used, and on those named in ComfyUI's way."""
    files, pickled = addons.embeddings(), addons.pickled_embeddings()
    notes = []
    for match in _ASKED_FOR.finditer(text):
        code = "embedding_prefix" if match[1] in files else "embedding_missing"
        notes.append(_note(code, Named(match[1], match.start(), match.end())))
    for named in find_names(text, {*files, *pickled}, tokenizer) if tokenizer is not None else ():
        file = files.get(named.name)
        if file is None:
            waits = named.name in addons.converting_embeddings()
            notes.append(_note("embedding_converting" if waits else "embedding_pickled", named))
        elif not file.fits(widths):
            notes.append(_note("embedding_family", named))
    return notes[:MAX_NOTES]


def _note(code: str, named: Named) -> Note:
    return Note(code=code, level="warning", start=named.start, end=named.end, details={"name": named.name})


def _without_syntax(text: str) -> tuple[str, list[int]]:
    """`text` with spaces for brackets and without the backslashes of escapes, and where each character comes from."""
    characters: list[str] = []
    places: list[int] = []
    for piece in lex(text, PIECE):
        kept = piece.text[1:] if piece.text[0] == "\\" and len(piece.text) > 1 else piece.text
        characters.append(" " if kept in "()[]" and len(piece.text) == 1 else kept)
        places += range(piece.start + len(piece.text) - len(kept), piece.start + len(piece.text))
    return "".join(characters).replace("<|", "  "), places  # as tokenizers write that they would move it
