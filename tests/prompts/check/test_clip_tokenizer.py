"""The tokenizer without transformers: the same tokens as transformers' own, and which words it has to spell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from tests.toys import save_tokenizer
from webui.checkpoints.refusals import Broken
from webui.prompts.check.clip_tokenizer import ClipTokenizer
from webui.settings import ROOT

STARTER = ROOT / "models" / "starter"


@pytest.fixture(scope="module", params=["toy", "starter"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tokenizer(tmp_path_factory.mktemp("tokenizer")) if request.param == "toy" else STARTER / "tokenizer"


@given(
    text=st.one_of(st.text(max_size=60), st.sampled_from(["It's a Cat,  (red:1.2)\n2 lakes!!", "秋树环绕的湖泊 x9"]))
)
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_gives_the_same_tokens(folder: Path, text: str) -> None:
    text = text.replace("<|", "")
    theirs = CLIPTokenizer.from_pretrained(folder)(text, add_special_tokens=False).input_ids
    assert ClipTokenizer(folder).ids(text) == theirs


def test_every_token_knows_its_place() -> None:
    words = ClipTokenizer(STARTER / "tokenizer").words("a  calm lake, night")
    assert [word.start for word in words] == [0, 3, 8, 12, 14]


def test_the_other_form_of_a_tokenizer(folder: Path, tmp_path: Path) -> None:
    CLIPTokenizer.from_pretrained(folder).save_pretrained(tmp_path)
    (tmp_path / "vocab.json").unlink(missing_ok=True)
    assert (tmp_path / "tokenizer.json").is_file()
    assert ClipTokenizer(tmp_path).ids("a red cat") == ClipTokenizer(folder).ids("a red cat")


@pytest.mark.parametrize("content", ["", "[]", '{"a": "x"}', '{"a": 0}'])
def test_what_is_no_tokenizer_is_broken(tmp_path: Path, content: str) -> None:
    (tmp_path / "vocab.json").write_text(content, encoding="utf-8")
    (tmp_path / "merges.txt").write_text("a b c\n", encoding="utf-8")
    with pytest.raises(Broken):
        ClipTokenizer(tmp_path)


def test_unknown_words_of_a_closed_vocabulary() -> None:
    tokenizer = ClipTokenizer(STARTER / "tokenizer")
    assert tokenizer.is_closed
    text = "a calm carburettor by a Lake, x 9 湖龘"
    assert [text[start:end] for start, end in tokenizer.unknown(text)] == ["carburettor", "龘"]
    assert tokenizer.unknown("a carburettor", {"carburettor"}) == []


def test_the_starter_knows_the_words_of_its_own_examples() -> None:
    tokenizer = ClipTokenizer(STARTER / "tokenizer")
    notes = json.loads((STARTER / "darkroom.json").read_text(encoding="utf-8"))
    for example in notes["examples"]:
        for text in (example["prompt"], example["prompt_zh"]):
            assert [text[start:end] for start, end in tokenizer.unknown(text)] == []


@pytest.mark.parametrize("vocabulary", ["{}", '{"a</w>": 0}'])
def test_a_vocabulary_without_a_word_for_all_others_is_broken(tmp_path: Path, vocabulary: str) -> None:
    (tmp_path / "vocab.json").write_text(vocabulary, encoding="utf-8")
    (tmp_path / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    with pytest.raises(Broken):
        ClipTokenizer(tmp_path)
