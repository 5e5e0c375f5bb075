"""Prompts as a critic reads them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webui.errors import InvalidRequest, PromptError
from webui.prompts.plain_words import plain_words, words_to_fit
from webui.requests.diffusion import ResolvedPrompt, TextToImage


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a red  fox,\nsnow", "a red fox, snow"),
        ("a ((red)) (fox:1.3) [crowd], \\(old\\)", "a red fox crowd, (old)"),
        ("fox # and a comment\n<lora:fur:0.8> snow", "fox snow"),
        ("a hill BREAK a lake", "a hill a lake"),
        ("a (ghost:0) house", "a house"),
        ("a lake AND mist :0.5 AND people :-1", "a lake, mist"),
        ("a [cat:dog:0.5] [hat::0.2][:boat:3]", "a dog boat"),
        ("[summer|winter] lake", "winter lake"),  # at the last of 20 steps
        ("湖畔 (日落:1.2)", "湖畔 日落"),
        ("<lora:fur:1>", ""),
        (", ,", ""),
    ],
)
def test_a1111(text: str, wanted: str) -> None:
    assert plain_words(text, "a1111", 20, has_syntax=True) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("a (red)1.3 fox+ snow--", "a red fox snow"), ('("a lake", "a hill").blend(0.7, 0.3)', "a lake a hill")],
)
def test_compel(text: str, wanted: str) -> None:
    assert plain_words(text, "compel", 20, has_syntax=True) == wanted


def test_other_families_read_brackets_as_they_stand() -> None:
    assert plain_words("a (red) fox # old\n<lora:x:1>", "a1111", 20, has_syntax=False) == "a (red) fox"


def test_each_image_has_its_own() -> None:
    resolved = tuple(ResolvedPrompt(prompt=f"a ({colour}:1.2) cat") for colour in ("red", "blue"))
    request = TextToImage(prompt="a {red|blue} cat", num_images=2, keep_best=1, resolved_prompts=resolved)
    assert words_to_fit(request, 20, has_syntax=True) == ("a red cat", "a blue cat")
    assert words_to_fit(TextToImage(prompt="a ((cat))", num_images=2), 20, has_syntax=True) == ("a cat", "a cat")


def test_nothing_said_is_nothing_to_fit() -> None:
    silent = (ResolvedPrompt(prompt="a cat"), ResolvedPrompt(prompt="# a dog"))
    for request in (
        TextToImage(prompt="", num_images=2, keep_best=1),
        TextToImage(prompt="{a cat|# a dog}", num_images=2, keep_best=1, resolved_prompts=silent),
    ):
        with pytest.raises(InvalidRequest) as caught:
            words_to_fit(request, 20, has_syntax=True)
        assert caught.value.details == {"field": "keep_best", "reason": "nothing_to_fit"}


@given(st.text("ab ,:()[]|\\<>{}.+-#0123456789ANDBREAK\n", max_size=80), st.sampled_from(["a1111", "compel"]))
@settings(max_examples=150, deadline=None)
def test_any_prompt_is_one_line_or_the_prompt_error(text: str, dialect: str) -> None:
    try:
        words = plain_words(text, dialect, 7, has_syntax=True)
    except PromptError:
        return
    assert words == " ".join(words.split())
