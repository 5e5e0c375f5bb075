"""Compel's chunks without torch: cut where compel cuts, and each knows where it begins."""

from __future__ import annotations

import random
from types import SimpleNamespace

from compel import SplitLongTextMode
from compel.embeddings_provider import EmbeddingsProvider
from transformers import CLIPTokenizer

from webui.prompts.check.borders import chunk_infos, compel_chunks
from webui.prompts.check.clip_tokenizer import ClipTokenizer
from webui.prompts.compel import parse
from webui.settings import ROOT

FOLDER = ROOT / "models" / "starter" / "tokenizer"
WORDS = [
    "lake",
    "snow",
    "autumn trees",
    "carburettor",
    "night++",
    "(calm sea)1.2",
    "(old red house)0.7",
    "2 lakes",
    "湖",
]
ENDS = {"sentences": [". "], "phrases": [", ", "; "], "words": [" "], "all": [". ", ", ", " ", " ", " "]}


def theirs(provider: EmbeddingsProvider, text: str) -> list[list[int]]:
    """The ids of each chunk as compel cuts them, without what it puts around and behind them."""
    (fragments,) = parse(text).parts
    ids, _, _ = provider.get_token_ids_and_expand_weights(
        [fragment.text for fragment in fragments], [fragment.weight for fragment in fragments], device="cpu"
    )
    rows = [ids[start : start + 77].tolist() for start in range(0, len(ids), 77)]
    end = provider.tokenizer.eos_token_id
    return [row[1 : row.index(end, 1)] for row in rows]


def test_chunks_are_cut_as_compel_cuts_them() -> None:
    tokenizer = ClipTokenizer(FOLDER)
    provider = EmbeddingsProvider(
        CLIPTokenizer.from_pretrained(FOLDER),
        SimpleNamespace(device="cpu"),
        truncate=False,
        split_long_text_mode=SplitLongTextMode.SENTENCES,
        model_max_length=77,
    )
    rng = random.Random(3)
    most = 0
    for ends in ENDS.values():
        for count in (0, 1, 30, 75, 160):
            text = "".join(rng.choice(WORDS) + rng.choice(ends) for _ in range(count))
            chunks = compel_chunks(parse(text), tokenizer)
            assert [[token.value for token in chunk.tokens] for chunk in chunks] == theirs(provider, text)
            most = max(most, len(chunks))
    assert most > 3


def test_a_word_longer_than_a_chunk_is_torn() -> None:
    chunks = compel_chunks(parse("zq" * 100), ClipTokenizer(FOLDER))
    assert [len(chunk.tokens) for chunk in chunks[:-1]] == [75] * (len(chunks) - 1)
    assert len(chunks) > 1


def test_each_chunk_begins_where_its_words_stand() -> None:
    text = r"\(" + "((lake)1.1  snow)1.2 " * 60 + "and (night, fog)++ at last"
    infos = chunk_infos(compel_chunks(parse(text), ClipTokenizer(FOLDER)), text, "compel")
    assert len(infos) == 2
    assert infos[0].start == 1
    assert text[infos[1].start :].startswith(("lake", "snow", "fog"))
    assert [
        info.start for info in chunk_infos(compel_chunks(parse("lake"), ClipTokenizer(FOLDER)), None, "compel")
    ] == [None]
