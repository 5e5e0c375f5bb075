"""Where the chunks of a prompt begin in its text, in both dialects, and how compel's chunks are cut.

`webui.prompts.chunks` cuts A1111's chunks, which the engine uses, too. Compel cuts its own in the engine; this is
repeated here without torch (a test compares them).
"""

from __future__ import annotations

from collections.abc import Sequence

from webui.prompts import a1111, compel
from webui.prompts.attention import attention_with_places
from webui.prompts.check.clip_tokenizer import WORD_END, ClipTokenizer
from webui.prompts.check.report import ChunkInfo
from webui.prompts.chunks import CHUNK_TOKENS, Chunk, Token
from webui.prompts.lexer import Places

# What compel looks for from the end of a chunk's room, one kind after the other (its SplitLongTextMode.SENTENCES).
_SENTENCE_ENDS = frozenset({"." + WORD_END})
_PHRASE_ENDS = frozenset(sign + WORD_END for sign in ".,;:")


def chunk_infos(
    chunks: Sequence[Chunk], text: str | None, dialect: str, *, is_negative: bool = False
) -> tuple[ChunkInfo, ...]:
    """The size and start of each chunk. `text` is the prompt as it is written; None if the chunks come from another
    text.
    """
    if text is None:
        places: tuple[Places, ...] = ()
    elif dialect == "compel":
        places = compel.parse_with_places(text)[1]
    else:
        places = _a1111_places(text, is_negative)
    return tuple(ChunkInfo(tokens=len(chunk.tokens), start=_start(chunk, places)) for chunk in chunks)


def compel_chunks(prompt: compel.Prompt, tokenizer: ClipTokenizer) -> list[Chunk]:
    """The chunks of all parts one after the other; of a blend, whose texts are averaged, those of its longest text."""
    found: list[Chunk] = []
    number = 0
    for part in prompt.parts:
        texts = part.prompts if isinstance(part, compel.Blend) else (part,)
        cut = []
        for fragments in texts:
            tokens = []
            for fragment in fragments:
                words = tokenizer.words(fragment.text)
                tokens += [Token(word.id, fragment.weight, (number, word.start)) for word in words]
                number += 1
            cut.append(_cut(tokens, tokenizer))
        found += max(cut, key=lambda chunks: sum(len(chunk.tokens) for chunk in chunks))
    return found


def _cut(tokens: list[Token], tokenizer: ClipTokenizer) -> list[Chunk]:
    """At most 75 tokens at a time, cut after the last sentence that fits, else the last phrase, else the last word."""
    spelt = [tokenizer.spelt(token.value) if isinstance(token.value, int) else "" for token in tokens]
    chunks = []
    at = 0
    while len(tokens) - at > CHUNK_TOKENS:
        stop = _last_end(spelt, at, at + CHUNK_TOKENS)
        chunks.append(Chunk(tuple(tokens[at:stop])))
        at = stop
    return [*chunks, Chunk(tuple(tokens[at:]))]


def _last_end(spelt: list[str], start: int, stop: int) -> int:
    """The index after the best end in [start, stop), or `stop` if there is none."""
    for ends in (_SENTENCE_ENDS, _PHRASE_ENDS):
        for index in range(stop - 1, start - 1, -1):
            if spelt[index] in ends:
                return index + 1
    words = (index + 1 for index in range(stop - 1, start - 1, -1) if spelt[index].endswith(WORD_END))
    return next(words, stop)


def _a1111_places(text: str, is_negative: bool) -> tuple[Places, ...]:
    """Where each fragment comes from; nothing if there is more than one text, because of `AND` or prompt editing."""
    parts = a1111.parse(text, is_negative=is_negative).parts
    if len(parts) > 1 or not parts[0].timeline.is_constant:
        return ()
    spans = a1111.lora_spans(text)
    bare = a1111.take_loras(text)[1]
    found = attention_with_places(bare)[1]
    if not spans:
        return found
    kept = [at for at in range(len(text)) if not any(start <= at < end for start, end in spans)]
    return tuple(_moved(run, kept) for run in found)


def _moved(places: Places, kept: Sequence[int]) -> Places:
    """`kept` says for each character of the bare text where it is in the whole one; a run that is torn apart becomes
    two.
    """
    moved = []
    for (offset, place), following in zip(places, [*places[1:], None], strict=True):
        stop = place + (following[0] - offset) if following is not None else len(kept)
        moved.append((offset, kept[place]))
        moved += [(offset + at - place, kept[at]) for at in range(place + 1, stop) if kept[at] != kept[at - 1] + 1]
    return tuple(moved)


def _start(chunk: Chunk, places: tuple[Places, ...]) -> int | None:
    """The index of the character in the text at which the chunk begins."""
    if not chunk.tokens:
        return None
    fragment, character = chunk.tokens[0].source
    if fragment >= len(places):
        return None
    offset, place = max((run for run in places[fragment] if run[0] <= character), default=(0, 0))
    return place + character - offset
