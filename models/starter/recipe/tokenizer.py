"""Builds the CLIP byte-level BPE tokenizer from the recipe's words.

transformers 5 replaces the tokenizer's normaliser and pre-tokenizer when it loads a CLIPTokenizer, and takes a run of
Chinese characters for one word. The vocabulary is therefore made so that this does no harm: all 256 byte symbols are in
it, inside a word and at its end (`</w>`); every Chinese character of the captions is built from its bytes by merges of
its own, in both forms; so no text falls to an unknown token, and Chinese splits into its characters.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from models.starter.recipe import words

WORD_END = "</w>"
START, END = "<|startoftext|>", "<|endoftext|>"
MAX_TOKENS = 77
ENGLISH_MERGES = 900  # enough for every word of words.py to become one token


def byte_symbols() -> dict[int, str]:
    """GPT-2's printable stand-in for each of the 256 bytes (printable ones stand for themselves)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = {byte: chr(byte) for byte in printable}
    others = (byte for byte in range(256) if byte not in symbols)
    return symbols | {byte: chr(256 + index) for index, byte in enumerate(others)}


def _known_texts() -> tuple[str, str]:
    """All English words, and all characters that are not ASCII, of the recipe's vocabulary."""
    tables = (words.PLACES, words.TIMES, words.SEASONS, words.SEASON_TREES, words.WEATHERS, words.THINGS,
              words.COLOURS, words.STYLES)  # fmt: skip
    names = [names for table in tables for names in table.values()]
    names += [words.FUTURISTIC, words.MOODS, words.SURROUNDED]
    english = " ".join([" ".join(name.en) for name in names] + list(words.EXTRA_EN + words.COUNTS_EN))
    plurals = " ".join(f"{noun}s" for names in words.THINGS.values() for noun in names.en)
    glue = "trees cloudy rainy snowy foggy sunny during style drawing"
    chinese = "".join("".join(name.zh) for name in names) + "".join(words.MEASURES_ZH.values())
    chinese += words.EXTRA_ZH + "树木灯下时的闪烁上有里"
    return f"{english} {plurals} {glue}".lower(), "".join(sorted(set(chinese)))


def english_merges(text: str) -> list[tuple[str, str]]:
    """Merges learned by BPE on the words, most useful first, until each is one token."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix=WORD_END))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "removed")
    trainer = trainers.BpeTrainer(vocab_size=ENGLISH_MERGES + 60, end_of_word_suffix=WORD_END, show_progress=False)
    tokenizer.train_from_iterator(sorted(set(text.split())), trainer)
    return [tuple(merge) for merge in json.loads(tokenizer.to_str())["model"]["merges"]]


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
    english, chinese = _known_texts()
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
