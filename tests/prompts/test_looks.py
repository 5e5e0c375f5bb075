"""What looks make of prompts."""

from __future__ import annotations

import pytest

from webui.presets import Look
from webui.prompts.a1111 import without_comments
from webui.prompts.settle import with_looks
from webui.prompts.templates import settle
from webui.prompts.wildcards import Wildcards
from webui.settings import ROOT

LOOK = Look(
    id="ink", name="Ink", name_zh="墨", prompt="ink drawing of {prompt}", prompt_zh="墨线画，{prompt}",
    negative_prompt="photo", negative_prompt_zh="照片",
)  # fmt: skip


def applied(look: Look, prompt: str, negative_prompt: str = "") -> tuple[str, str]:
    return with_looks(prompt, negative_prompt, [look.text_for(prompt)])


@pytest.mark.parametrize(
    ("prompt", "negative", "expected"),
    [
        ("a lake", "", ("ink drawing of a lake", "photo")),
        ("a lake, ", "fog,", ("ink drawing of a lake", "fog, photo")),
        ("湖泊", "雾", ("墨线画，湖泊", "雾，照片")),
        ("", "", ("ink drawing of", "photo")),
    ],
)
def test_a_look_speaks_the_prompts_language(prompt: str, negative: str, expected: tuple[str, str]) -> None:
    assert applied(LOOK, prompt, negative) == expected


def test_braces_in_a_prompt_are_only_text() -> None:
    assert applied(LOOK, "{prompt} {0}")[0] == "ink drawing of {prompt} {0}"


@pytest.mark.parametrize("dialect", ["a1111", "compel"])
def test_a_look_keeps_prompts_of_either_dialect_as_they_are(dialect: str) -> None:
    look = Look(
        id="x", name="x", name_zh="x", prompt="ink, {prompt}, fine", prompt_zh="{prompt}", negative_prompt="blur"
    )
    prompt = "a (red:1.2) [cat|dog:3]" if dialect == "a1111" else "a (red)1.2 cat++"
    assert applied(look, prompt, "crowd")[0] == f"ink, {prompt}, fine"
    wildcards = Wildcards(ROOT / "presets" / "wildcards")
    settled = settle(applied(look, "a {red|red} {prompt}")[0], "1", wildcards)
    assert settled == "ink, a red {prompt}, fine"  # a look's own blank is no wildcard, wherever it stands


def test_a_comment_ends_before_the_look() -> None:
    look = Look(id="x", name="x", name_zh="x", prompt="{prompt}, fine", prompt_zh="{prompt}", negative_prompt="blur")
    prompt, negative_prompt = applied(look, "a cat # for later", "crowd # or not")
    assert without_comments(prompt).split() == ["a", "cat", ",", "fine"]
    assert without_comments(negative_prompt).split() == ["crowd", ",", "blur"]


def test_each_look_goes_around_what_the_ones_before_made() -> None:
    fine = Look(id="x", name="x", name_zh="x", prompt="{prompt}, fine", prompt_zh="{prompt}", negative_prompt="blur")
    texts = [look.text_for("a lake") for look in (LOOK, fine)]
    assert with_looks("a lake", "", texts) == ("ink drawing of a lake, fine", "photo, blur")
    assert with_looks("a lake", "", texts[::-1]) == ("ink drawing of a lake, fine", "blur, photo")
