"""CLIP's tokenizer without transformers: the same tokens, each with its place in the text.

Agrees with transformers' CLIPTokenizer, which the engine uses (a test compares them).
"""

from __future__ import annotations

import functools
import json
import logging
import re
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE

from webui.checkpoints.refusals import Broken
from webui.prompts.chunks import Word
from webui.prompts.lexer import harmless

WORD_END = "</w>"
MAX_FILE_BYTES = 16 * 2**20  # CLIP's vocabulary has 1 MB
# CLIP has 49,408 tokens, and writes every word with them. A tokenizer of a few thousand was made from the words of its
# checkpoint's own captions, so that a word it has to spell is one that the checkpoint has never seen.
CLOSED_VOCABULARY = 10_000
# OpenAI's pattern for CLIP (simple_tokenizer.py), as transformers has it
_WORD = r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""
_LETTERS = re.compile(r"[^\W\d_]+")
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
# What holds a sentence together and shows nothing.
_FUNCTION_WORDS = frozenset(
    [
        "the",
        "an",
        "and",
        "or",
        "of",
        "in",
        "on",
        "at",
        "by",
        "to",
        "from",
        "with",
        "without",
        "into",
        "over",
        "under",
        "above",
        "below",
        "between",
        "behind",
        "beside",
        "near",
        "around",
        "for",
        "as",
        "is",
        "are",
        "be",
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "there",
        "some",
        "one",
        "very",
    ]
)
_CHINESE_PARTICLES = frozenset("的了和与在是有着里中上下一个只条张座位片很")
_UNKNOWN = "<|endoftext|>"  # stands for what is not in the vocabulary, and is only missed when that occurs
_log = logging.getLogger(__name__)


class ClipTokenizer:
    """A tokenizer from its files. Raises Broken for files that are not a tokenizer's."""

    def __init__(self, folder: Path) -> None:
        try:
            vocabulary, merges = _read(folder)
            if _UNKNOWN not in vocabulary:
                raise ValueError(f"its vocabulary has no {_UNKNOWN}")
            self._tokenizer = Tokenizer(
                BPE(
                    vocab=vocabulary,
                    merges=merges,
                    continuing_subword_prefix="",
                    end_of_word_suffix=WORD_END,
                    fuse_unk=False,
                    unk_token=_UNKNOWN,
                )
            )
        except Exception as error:  # the library, written in Rust, raises no less
            _log.warning("a tokenizer cannot be read: %s", error)
            raise Broken("tokenizer_mismatch") from error
        self._tokenizer.normalizer = normalizers.Sequence(
            [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
        )
        self._tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(_WORD), behavior="removed", invert=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False),
            ]
        )
        self._size = len(vocabulary)
        self.comma: int | None = vocabulary.get("," + WORD_END)

    @property
    def is_closed(self) -> bool:
        """Whether its words are all that its checkpoint knows."""
        return self._size < CLOSED_VOCABULARY

    def words(self, text: str) -> list[Word]:
        """The tokens of `text`, with their places."""
        encoded = self._tokenizer.encode(harmless(text), add_special_tokens=False)
        return [Word(id, start) for id, (start, _) in zip(encoded.ids, encoded.offsets, strict=True)]

    def ids(self, text: str) -> list[int]:
        """The token ids of `text`."""
        return [word.id for word in self.words(text)]

    def spelt(self, id: int) -> str:
        """A token as it is in the vocabulary, with `</w>` if it ends a word."""
        return self._tokenizer.id_to_token(id) or ""

    def knows_nothing_of(self, text: str, unknown: Iterable[tuple[int, int]]) -> bool:
        """Whether every meaningful word of `text` is among the `unknown` ones."""
        spelt = {start for start, _ in unknown}
        content = []
        for match in _LETTERS.finditer(text):
            if _HAN.search(match[0]):
                signs = enumerate(match[0], match.start())
                content += [at for at, sign in signs if _HAN.match(sign) and sign not in _CHINESE_PARTICLES]
            elif len(match[0]) > 1 and match[0].casefold() not in _FUNCTION_WORDS:
                content.append(match.start())
        return bool(content) and spelt.issuperset(content)

    def unknown(self, text: str, known: Iterable[str] = ()) -> list[tuple[int, int]]:
        """The places [start, end) of words in `text` that a closed vocabulary has to spell; single letters do not
        count.

        A Chinese character counts as a word of its own. `known` are lower-case words that count as known.
        """
        allowed = frozenset(known)
        is_spelt = functools.cache(lambda word: len(self.ids(word)) > 1)
        found = []
        for match in _LETTERS.finditer(text):
            start, end = match.span()
            if not _HAN.search(match[0]):
                if end - start > 1 and match[0].casefold() not in allowed and is_spelt(match[0]):
                    found.append((start, end))
                continue
            spelt = [start + at for at, sign in enumerate(match[0]) if _HAN.match(sign) and is_spelt(sign)]
            found += [(at, at + 1) for at in spelt]
        return found


def _read(folder: Path) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges, from the two files or from `tokenizer.json`."""
    if (folder / "vocab.json").is_file():
        vocabulary = json.loads(_text(folder / "vocab.json"))
        lines = _text(folder / "merges.txt").splitlines()
        pairs = [line.split(" ") for line in lines if line and not line.startswith("#version")]
    else:
        model = json.loads(_text(folder / "tokenizer.json"))["model"]
        vocabulary = model["vocab"]
        pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    return vocabulary, [(left, right) for left, right in pairs]


def _text(path: Path) -> str:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ValueError(f"{path.name} is too large")
    return path.read_text(encoding="utf-8")
