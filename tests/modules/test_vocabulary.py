"""The words of a checkpoint in a prompt: which of them it has, which go together, and one more or one less."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.model_files import ROOT
from tests.modules.conftest import Modules

VOCABULARY: dict[str, Any] = json.loads((ROOT / "models" / "starter" / "darkroom.json").read_text("utf-8"))[
    "vocabulary"
]
PICK = """const { withWord, withoutWords } = await at("prompt/vocabulary.js");
    const [vocabulary, isChinese] = [given.vocabulary, given.isChinese];
    const named = (en) => Object.entries(vocabulary).flatMap(([kind, words]) =>
        words.filter((one) => one.en === en).map((one) => [kind, one]))[0];
    let prompt = given.prompt;
    for (const en of given.words) {
        const [kind, word] = named(en);
        prompt = withWord(prompt, vocabulary, kind, word, isChinese);
    }
    return given.isCleared ? withoutWords(prompt, vocabulary) : prompt;"""
# prompt, words that are pressed one after the other, what comes of it in English and in Chinese
PICKED = [
    ("", ("lake",), "lake", "湖泊"),
    ("", ("lake", "night", "winter"), "lake, night, winter", "湖泊，夜晚，冬天"),
    ("", ("lake", "forest"), "forest", "森林"),
    ("", ("lake", "night", "lake"), "night", "夜晚"),
    ("", ("lake", "night", "night"), "lake", "湖泊"),
    ("", ("cat", "a", "orange"), "an orange cat", "一只橙色的猫"),
    ("", ("meadow", "cat", "two", "white"), "meadow, two white cats", "草地，两只白色的猫"),
    ("", ("cat", "two", "white", "white"), "two cats", "两只猫"),
    ("", ("cat", "two", "white", "dog"), "two white dogs", "两只白色的狗"),
    ("", ("cat", "orange", "dog"), "dog", "狗"),  # never drawn orange
    ("", ("cat", "two", "castle"), "castle", "城堡"),  # never drawn in numbers
    ("", ("cat", "two", "cat"), "", ""),
    ("my own words", ("night",), "my own words, night", "my own words，夜晚"),
    ("(my own:1.2), lake,\nmore ", ("night", "lake"), "(my own:1.2),\nmore, night", "(my own:1.2),\nmore，夜晚"),
    ("LAKE, my own", ("lake",), "my own", "my own"),
    ("湖泊，两只猫", ("cat", "night"), "湖泊, night", "湖泊，夜晚"),
    ("lakes and cats", ("lake",), "lakes and cats, lake", "lakes and cats，湖泊"),
]


@pytest.mark.parametrize("is_chinese", [False, True], ids=["en", "zh"])
def test_words_are_picked(modules: Modules, is_chinese: bool) -> None:
    for prompt, words, english, chinese in PICKED:
        given = {"vocabulary": VOCABULARY, "prompt": prompt, "words": words, "isChinese": is_chinese}
        assert modules.run(PICK, given) == (chinese if is_chinese else english), (prompt, words)


def test_all_are_taken_out_and_the_rest_stays(modules: Modules) -> None:
    given = {
        "vocabulary": VOCABULARY,
        "prompt": "by my window, lake, two red cars, (calm), night",
        "words": ["winter"],
        "isCleared": True,
    }
    assert modules.run(PICK, given) == "by my window, (calm)"


def test_each_combination_that_can_be_picked_was_drawn_together(modules: Modules) -> None:
    """By chance through all kinds, as a person might go: no word ever stands beside one that its list leaves out."""
    walk = """const { KINDS, obstacle, withWord, wordsIn } = await at("prompt/vocabulary.js");
        const { vocabulary } = given;
        let state = given.seed;
        const draw = (list) => {
            state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
            return list[Math.floor((state / 2 ** 32) * list.length)];
        };
        let [prompt, seen] = ["", []];
        for (let turn = 0; turn < 400; turn += 1) {
            const kind = draw(KINDS);
            const word = draw(vocabulary[kind]);
            const { chosen } = wordsIn(prompt, vocabulary);
            if (chosen[kind] !== word && obstacle(kind, word, chosen) !== null) continue;
            prompt = withWord(prompt, vocabulary, kind, word, given.isChinese);
            const words = wordsIn(prompt, vocabulary).chosen;
            seen.push([prompt, Object.fromEntries(Object.entries(words).map(([of, one]) => [of, one.en]))]);
        }
        return seen;"""
    company = {
        (kind, word["en"], other): words
        for kind, entries in VOCABULARY.items()
        for word in entries
        for other, words in word.get("goes_with", {}).items()
    }
    seen = [
        one
        for seed, is_chinese in ((1, False), (2, True), (3, False))
        for one in modules.run(walk, {"vocabulary": VOCABULARY, "seed": seed, "isChinese": is_chinese})
    ]
    assert len(seen) > 300
    assert max(len(words) for _, words in seen) >= 6
    for prompt, words in seen:
        assert not {"number", "colour"} & words.keys() or "thing" in words, prompt
        for kind, word in words.items():
            for other, one in words.items():
                allowed = company.get((kind, word, other))
                assert allowed is None or one in allowed, f"{prompt}: {word} beside {one}"
    assert sum("number" in words for _, words in seen) > 10
