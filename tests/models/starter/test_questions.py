"""What the recipe reads out of captions: nothing that is not true, and what a judge may be asked."""

from __future__ import annotations

import numpy as np
import pytest

from models.starter.recipe import words
from models.starter.recipe.attributes import answers
from models.starter.recipe.captions import caption
from models.starter.recipe.lots import HELD_OUT, sample_scene, sample_with
from models.starter.recipe.names import plural
from models.starter.recipe.prompts import FIRST_PROMPTS, PROMPTS
from models.starter.recipe.questions import (
    TABLES,
    ask,
    ask_for,
    mentions,
    weighted,
    with_one_word_changed,
)
from models.starter.recipe.tokenizer import known_texts
from models.starter.recipe.values import ATTRIBUTES, VALUES, classes, shows
from webui.prompts.attention import attention


def said(text: str) -> set[tuple[str, str | int]]:
    return {(mention.attribute, mention.value) for mention in mentions(text)}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a calm lake surrounded by autumn trees", {("place", "lake"), ("season", "autumn")}),
        ("秋树环绕的宁静湖泊", {("place", "lake"), ("season", "autumn")}),
        ("Golden hour, a golden car", {("time", "sunset"), ("colour", "yellow"), ("thing", "car"), ("count", 1)}),
        ("黄昏，两辆黄色的汽车", {("time", "sunset"), ("colour", "yellow"), ("thing", "car"), ("count", 2)}),
        ("three red trees", {("count", 3), ("colour", "red"), ("thing", "tree")}),
        ("three birds and trees", {("count", 3), ("thing", "birds")}),
        ("woods at night on a rainy day", {("place", "forest"), ("time", "night"), ("weather", "rain")}),
        ("xyzzy 😀", set()),
        ("", set()),
    ],
)
def test_words_are_read_longest_first(text: str, wanted: set[tuple[str, str | int]]) -> None:
    assert said(text) == wanted


@pytest.mark.parametrize("chinese", [False, True])
def test_nothing_untrue_is_read_out_of_a_caption(chinese: bool) -> None:
    rng = np.random.default_rng(3)
    for _ in range(1500):
        scene = sample_scene(rng)
        text = caption(scene, rng, chinese)
        for attribute, value in said(text):
            assert value in {getattr(scene, attribute), scene.second if attribute == "thing" else None}, text


def test_every_name_is_read_as_its_value() -> None:
    plurals = {
        plural(noun) for names in words.THINGS.values() for noun in names.en
    }  # "cottages" may be a village or not
    for attribute, tables in TABLES.items():
        for table in tables:
            for value, names in table.items():
                for name in {*names.en, *names.zh} - plurals:
                    assert (attribute, value) in said(name), name


def test_prompts_name_what_is_asked_for() -> None:
    rng = np.random.default_rng(4)
    counts = dict.fromkeys(ATTRIBUTES, 0)
    for index in range(400):
        question = ask(rng, index % 2 == 1)
        assert question.prompt.isascii() is not question.chinese
        assert all(shows(question.scene, name) for name in question.named)
        for name in question.named:
            counts[name] += 1
    assert min(counts.values()) > 60
    for pair in HELD_OUT:
        names = frozenset(name for name, _ in pair)
        for chinese in (False, True):
            question = ask_for(rng, chinese, names, sample_with(rng, pair))
            assert question is not None, pair
            assert names <= question.named


@pytest.mark.parametrize("chinese", [False, True])
def test_one_changed_word_changes_one_value(chinese: bool) -> None:
    rng = np.random.default_rng(5)
    seen = set()
    for _ in range(400):
        question = ask(rng, chinese)
        changed = with_one_word_changed(question.prompt, rng)
        if changed is None or question.scene.second:  # which of two things is meant, a text alone does not say
            continue
        text, attribute, value = changed
        before, after = dict(said(question.prompt)), dict(said(text))
        assert value != before[attribute]
        assert text != question.prompt
        seen.add(attribute)
        if attribute not in ("thing", "count"):  # a number or "trees" may then say more or less
            assert after.get(attribute) in (value, None)
            assert {**before, attribute: None} == {**after, attribute: None} or attribute == "season"
    assert seen == {*ATTRIBUTES} - {"second"}


def test_weights_are_the_program_s_own_and_leave_the_text_as_it_is() -> None:
    rng = np.random.default_rng(6)
    for index in range(100):
        question = ask(rng, index % 2 == 1)
        for name in question.named:
            text = weighted(question, name, 1.4)
            assert text is not None
            fragments = [fragment for section in attention(text) for fragment in section]
            assert "".join(fragment.text for fragment in fragments) == question.prompt
            assert {fragment.weight for fragment in fragments} in ({1.0, 1.4}, {1.4})


def test_only_what_shows_is_asked() -> None:
    rng = np.random.default_rng(7)
    for _ in range(300):
        scene = sample_scene(rng)
        numbers = dict(zip(ATTRIBUTES, answers(scene).tolist(), strict=True))
        assert (numbers["colour"] >= 0) is bool(scene.colour)
        for name, number in numbers.items():
            assert number == -1 or VALUES[name][number] == getattr(scene, name)
    assert sum(len(values) for values in VALUES.values()) == classes()


def test_the_sheet_has_every_value() -> None:
    assert len(PROMPTS) == len(set(PROMPTS)) == 48
    assert sum(not prompt.isascii() for prompt in PROMPTS) == 24
    shown = set().union(*(said(prompt) for prompt in PROMPTS))
    for attribute, values in VALUES.items():
        if attribute not in ("thing", "second"):
            assert {(attribute, value) for value in values if value != ""} <= shown, attribute
    assert any(name in prompt for prompt in PROMPTS for name in words.FUTURISTIC.en)


@pytest.mark.parametrize("prompt", FIRST_PROMPTS)
def test_what_people_type_first_can_be_said(prompt: str) -> None:
    known, _ = known_texts()
    assert {attribute for attribute, _ in said(prompt)} & {"thing", "place"}
    assert prompt.isascii() is False or set(prompt.lower().split()) <= {*known.split()}
