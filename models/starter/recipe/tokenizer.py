"""Builds the CLIP byte-level BPE tokenizer from the recipe's words.

transformers 5 replaces the tokenizer's normaliser and pre-tokenizer when it loads a CLIPTokenizer, and takes a run of
Chinese characters for one word. The vocabulary is therefore made so that this does no harm: all 256 byte symbols are in
it, inside a word and at its end (`</w>`); every Chinese character of the captions is built from its bytes by merges of
its own, in both forms; so no text falls to an unknown token, and Chinese splits into its characters.
"""

import json
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from models.starter.recipe import words
from models.starter.recipe.names import plural

WORD_END = "</w>"
START, END = "<|startoftext|>", "<|endoftext|>"
MAX_TOKENS = 77


def byte_symbols() -> dict[int, str]:
    """GPT-2's printable stand-in for each of the 256 bytes (printable ones stand for themselves)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = {byte: chr(byte) for byte in printable}
    others = (byte for byte in range(256) if byte not in symbols)
    return symbols | {byte: chr(256 + index) for index, byte in enumerate(others)}


def known_texts() -> tuple[str, str]:
    """All English words, and all characters that are not ASCII, of the recipe's vocabulary."""
    tables = (words.PLACES, words.TIMES, words.SEASONS, words.SEASON_TREES, words.WEATHERS, words.THINGS,
              words.PROPS, words.COLOURS, words.STYLES)  # fmt: skip
    names = [names for table in tables for names in table.values()]
    names += [words.FUTURISTIC, words.MOODS, words.SURROUNDED, words.TREES, words.CHARMS]
    english = [phrase for name in names for phrase in name.en] + list(words.EXTRA_EN)
    english += [count for counts in words.COUNTS_EN for count in counts] + list(words.WEATHER_ADJECTIVES.values())
    english += [phrase for phrases in words.WEATHER_PHRASES.values() for phrase in phrases]
    english += [plural(noun) for name in words.THINGS.values() for noun in name.en]
    chinese = "".join("".join(name.zh) for name in names) + "".join(words.MEASURES_ZH.values()) + words.EXTRA_ZH
    chinese += "".join("".join(counts) for counts in words.COUNTS_ZH)
    characters = {character for character in chinese if not character.isascii()}
    spoken = " ".join(english).lower().replace("-", " ")  # the library splits words at hyphens
    return spoken, "".join(sorted(characters))


def english_merges(text: str) -> list[tuple[str, str]]:
    """Merges learned by BPE on the words, most useful first, until each is one token.

    Ties are broken by the pair's spelling: the library's trainer breaks them by its hash tables' order, which differs
    from process to process, and then the same id means different tokens.
    """
    pieces = [[*word[:-1], word[-1] + WORD_END] for word in sorted(set(text.split()))]
    merges: list[tuple[str, str]] = []
    while True:
        counts = Counter(pair for piece in pieces for pair in pairwise(piece))
        if not counts:
            return merges
        best = max(counts, key=lambda pair: (counts[pair], pair))
        merges.append(best)
        pieces = [_merged(piece, best) for piece in pieces]


def _merged(piece: list[str], pair: tuple[str, str]) -> list[str]:
    """The piece with every occurrence of the pair as one symbol, from the left."""
    result: list[str] = []
    for symbol in piece:
        # a symbol that a merge has just made cannot equal the pair's first part, so pairs do not overlap
        if result and (result[-1], symbol) == pair:
            result[-1] += symbol
        else:
            result.append(symbol)
    return result


def character_merges(characters: Iterable[str]) -> list[tuple[str, str]]:
    """The merges that build each character of several bytes, inside a word and at its end."""
    symbols = byte_symbols()
    merges: dict[tuple[str, str], None] = {}  # ordered set
    for character in characters:
        parts = [symbols[byte] for byte in character.encode()]
        if len(parts) < 2:
            continue
        head = parts[0]
        for part in parts[1:-1]:
            merges[head, part] = None
            head += part
        merges[head, parts[-1]] = None
        merges[head, parts[-1] + WORD_END] = None
    return list(merges)


def save_tokenizer(folder: Path) -> int:
    """Write vocab.json, merges.txt and the configs into `folder`; returns the number of tokens."""
    english, chinese = known_texts()
    merges = character_merges(chinese) + english_merges(english)
    symbols = sorted(byte_symbols().values())
    tokens = symbols + [symbol + WORD_END for symbol in symbols]
    tokens += [left + right for left, right in merges]
    tokens = [*dict.fromkeys(tokens), START, END]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {token: index for index, token in enumerate(tokens)}
    lines = ["#version: 0.2", *(f"{left} {right}" for left, right in merges)]
    config = {
        "tokenizer_class": "CLIPTokenizer", "bos_token": START, "eos_token": END, "unk_token": END,
        "pad_token": END, "model_max_length": MAX_TOKENS, "do_lower_case": True, "errors": "replace",
        "add_prefix_space": False,
    }  # fmt: skip
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False, indent=0), "utf-8")
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2), "utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2), "utf-8")
    return len(tokens)
