"""`POST /api/prompt-check`: worded in the caller's language, bounded, and what it finds is no error of its own."""

from __future__ import annotations

import httpx
import pytest

from webui.texts import LANGUAGES, Texts


def test_it_counts_and_says_what_has_no_effect(client: httpx.Client) -> None:
    asked = {
        "prompt": "a calm carburettor (at night",
        "negative_prompt": "snow",
        "checkpoint": "starter",
        "guidance_scale": 1,
    }
    answer = client.post("/api/prompt-check", json=asked)
    assert answer.status_code == 200
    found = answer.json()
    assert found["prompt"]["tokens"] > 4
    assert found["prompt"]["chunk_tokens"] == 75
    assert found["prompt"]["chunks"] == [{"tokens": found["prompt"]["tokens"], "start": 0}]
    notes = {note["code"]: note for note in found["prompt"]["notes"]}
    assert set(notes) == {"unbalanced", "unknown_word"}
    assert (notes["unknown_word"]["start"], notes["unknown_word"]["end"]) == (7, 18)
    assert "carburettor" in notes["unknown_word"]["message"]
    assert [note["code"] for note in found["negative_prompt"]["notes"]] == ["negative_unguided"]


def test_it_speaks_chinese(client: httpx.Client) -> None:
    asked = {"prompt": "a carburettor __nothing__"}
    headers = {"Accept-Language": "zh-CN"}
    (note,) = client.post("/api/prompt-check", json=asked, headers=headers).json()["prompt"]["notes"]
    assert (note["code"], note["level"]) == ("unreadable", "error")
    assert "没有通配符“nothing”" in note["message"]


@pytest.mark.parametrize(
    "values",
    [{"prompt": "x" * 10_001}, {"prompt_dialect": "a1112"}, {"steps": 0}, {"guidance_scale": 31}, {"extra": 1}],
)
def test_it_is_bounded(client: httpx.Client, values: dict[str, object]) -> None:
    assert client.post("/api/prompt-check", json=values).status_code == 422


def test_a_checkpoint_that_is_not_there(client: httpx.Client) -> None:
    assert client.post("/api/prompt-check", json={"checkpoint": "nothing"}).status_code == 404


def test_a_prompt_that_cannot_be_read_names_its_field(client: httpx.Client) -> None:
    asked = {"prompt": "lake", "negative_prompt": "__nothing__"}
    answer = client.post("/api/text-to-image", json=asked)
    assert answer.status_code == 422
    (item,) = answer.json()["detail"]
    assert item["loc"] == ["body", "negative_prompt"]
    assert "nothing" in item["msg"]


def test_every_remark_is_worded_in_both_languages() -> None:
    texts = Texts()
    notes = [key for key in texts.keys("en") if key.startswith("note.")]
    assert len(notes) == 35
    for language in LANGUAGES:
        for key in notes:
            details = {name: f"<{name}>" for name in texts.blanks(key, language)}
            message = texts.text(key, language, details)
            assert all(value in message for value in details.values())
