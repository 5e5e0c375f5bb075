"""The starter's tokenizer, through the class that loads it for a user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from transformers import CLIPTokenizer

from models.starter.recipe.captions import caption
from models.starter.recipe.lots import sample_scene
from models.starter.recipe.tokenizer import known_texts, save_tokenizer


@pytest.fixture(scope="module")
def tokenizer(starter: Path) -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(starter / "tokenizer")


def pieces(tokenizer: CLIPTokenizer, text: str) -> list[str]:
    """The text of every token but start and end."""
    return [tokenizer.decode([token]).strip() for token in tokenizer(text).input_ids[1:-1]]


@pytest.mark.parametrize("text", ["秋树环绕的宁静湖泊", "霓虹灯闪烁的未来城市天际线"])
def test_chinese_splits_into_its_characters(tokenizer: CLIPTokenizer, text: str) -> None:
    assert pieces(tokenizer, text) == list(text)


def test_english_words_of_the_captions_are_single_tokens(tokenizer: CLIPTokenizer) -> None:
    text = "a calm lake surrounded by autumn trees"
    assert pieces(tokenizer, text) == text.split()


@pytest.mark.parametrize(
    "text", ["xyzzy", "émoji 😀 ﷽", "饕餮", "łódź", "a\u200bb", "((red:1.3))", "\x01\x7f", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢"]
)
def test_no_text_falls_to_the_end_token(tokenizer: CLIPTokenizer, text: str) -> None:
    tokens = tokenizer(text).input_ids
    assert tokens.count(tokenizer.eos_token_id) == 1
    assert tokens[-1] == tokenizer.eos_token_id


@pytest.mark.parametrize("text", ["秋树环绕的宁静湖泊", "two red boats at night", "饕餮与灯塔", "naïve café"])
def test_text_survives_the_round_trip(tokenizer: CLIPTokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True).strip() == text


def test_prompts_are_cut_at_the_length_of_the_text_encoder(tokenizer: CLIPTokenizer) -> None:
    assert tokenizer.model_max_length == 77
    tokens = tokenizer("lake " * 200, truncation=True, max_length=77, padding="max_length").input_ids
    assert len(tokens) == 77
    assert tokens[-1] == tokenizer.eos_token_id


def test_every_token_has_an_embedding(tokenizer: CLIPTokenizer, starter: Path) -> None:
    import json

    config = json.loads((starter / "text_encoder" / "config.json").read_text("utf-8"))
    assert len(tokenizer) <= config["vocab_size"]
    assert config["eos_token_id"] == tokenizer.eos_token_id
    assert config["bos_token_id"] == tokenizer.bos_token_id


def test_ids_are_the_same_in_every_process(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from models.starter.recipe.tokenizer import save_tokenizer; "
    code += "save_tokenizer(Path(sys.argv[1]))"
    for hash_seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / hash_seed)],
            check=True,
            cwd=Path(__file__).parents[3],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
    for name in ("vocab.json", "merges.txt"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_every_english_word_of_the_recipe_is_one_token(tmp_path: Path) -> None:
    assert save_tokenizer(tmp_path) <= 4096  # what the text encoder has room for
    made = CLIPTokenizer.from_pretrained(tmp_path)
    english, _ = known_texts()
    assert [word for word in english.split() if len(pieces(made, word)) != 1 and word.isalpha()] == []


def test_captions_have_no_stray_bytes(tmp_path: Path) -> None:
    save_tokenizer(tmp_path)
    made = CLIPTokenizer.from_pretrained(tmp_path)
    rng = np.random.default_rng(4)
    for _ in range(1500):
        scene = sample_scene(rng)
        for chinese in (True, False):
            text = caption(scene, rng, chinese)
            tokens = pieces(made, text)
            assert "\ufffd" not in "".join(tokens), text
            assert len(tokens) <= 75, text
            assert all(len(token) > 1 or not token.isalpha() or token == "a" for token in tokens if token.isascii()), (
                text
            )
