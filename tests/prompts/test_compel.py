"""The dialect: what it means, that compel's own parser means the same, and that nothing makes it slow or fall."""

from __future__ import annotations

import contextlib
import math
import time

import pytest
from compel.prompt_parser import FlattenedPrompt, PromptParser
from hypothesis import given, settings
from hypothesis import strategies as st

from webui.errors import PromptError
from webui.prompts.compel import MAX_LOWERED, Blend, parse
from webui.prompts.lexer import MAX_WEIGHT, Fragment

LIMIT_SECONDS = 0.2  # the bound is 0.05 on a core of one's own; caches that others share cost up to four times that


def fragments(text: str) -> list[tuple[str, float]]:
    """Of a prompt of one part."""
    (part,) = parse(text).parts
    assert not isinstance(part, Blend)
    return [(fragment.text, round(fragment.weight, 4)) for fragment in part]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a photo of a cat", [("a photo of a cat", 1)]),
        ("cat+ on (red mat)1.3, (a b)++", [("cat", 1.1), ("on", 1), ("red mat", 1.3), (",", 1), ("a b", 1.21)]),
        ("a dog-- runs", [("a", 1), ("dog", 0.81), ("runs", 1)]),
        ("a (b (c d)1.2 e)0.5 f", [("a", 1), ("b", 0.5), ("c d", 0.6), ("e", 0.5), ("f", 1)]),
        ('"a b"- c', [("a b", 0.9), ("c", 1)]),
        ("(a b).attend(1.4) c", [("a b", 1.4), ("c", 1)]),
        ("宁静湖泊++，夜晚", [("宁静湖泊", 1.21), ("，夜晚", 1)]),
        (r"\(a\) c\+\+", [("(a) c++", 1)]),
        ('a 5" nail, 6" long', [('a 5" nail, 6" long', 1)]),
        ("blue-eyed c++11 x+- -", [("blue-eyed c++11 x+- -", 1)]),
        ("(2020) (a)2nd", [("2020 a 2nd", 1)]),
        ("(red cat)++-style", [("red cat", 1.21), ("-style", 1)]),
        ("(a)1.2-inch (b).attend(1.3)-c+", [("a", 1.2), ("-inch", 1), ("b", 1.3), ("-c", 1.1)]),
        ("((((((((a", [("((((((((a", 1)]),
        ("a) b) ((c", [("a) b) ((c", 1)]),
        ("", [("", 1)]),
        ("   \n ", [("", 1)]),
        ("a\n b", [("a b", 1)]),
        ("(a)99999999", [("a", MAX_WEIGHT)]),
        ("(a)0", [("a", 0)]),
        ("a" + "+" * 9999, [("a", MAX_WEIGHT)]),
    ],
)
def test_meaning(text: str, expected: list[tuple[str, float]]) -> None:
    assert fragments(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a cat",
        "a cat+ sits",
        "a cat++ and dog--",
        "a (red cat)1.3 sits",
        "a (red (big)++ cat)0.8 sits",
        '"a red cat"++ sits',
        "(a cat)- here",
        "a cat, (night)1.2, lake",
        "blue-eyed (girl)1.1",
    ],
)
def test_compel_means_the_same(text: str) -> None:
    (theirs,) = PromptParser().parse_conjunction(text).prompts
    assert isinstance(theirs, FlattenedPrompt)
    wanted = [(" ".join(f.text.split()), round(f.weight, 4)) for f in theirs.children]
    assert [(t.replace(" ,", ","), w) for t, w in fragments(text)] == [(t.replace(" ,", ","), w) for t, w in wanted]


def test_blend_and_conjunction() -> None:
    blend = parse('("a red cat", "a dog, big+").blend(0.7, 0.3)').parts[0]
    assert blend == Blend(
        ((Fragment("a red cat"),), (Fragment("a dog,"), Fragment("big", 1.1))), weights=(0.7, 0.3), normalize=True
    )
    both = parse('("a", "b").and(1, 0.5)')
    assert both.parts == ((Fragment("a"),), (Fragment("b"),))
    assert both.weights == (1.0, 0.5)
    assert both.plain_text == "a b"
    assert parse("(lake)1.2 snow++, fog").plain_text == "lake snow , fog"  # words stay apart
    assert parse('("a", "b").and()').weights == (1.0, 1.0)
    loose = parse('("a", "b").blend(1, -1, no_normalize)').parts[0]
    assert isinstance(loose, Blend)
    assert not loose.normalize


@pytest.mark.parametrize(
    "text",
    [
        '("a", "b").blend(nan, inf)',
        '("a", "b").blend(1)',
        '("a", "b").blend(1, -1)',
        "(" + ", ".join('"a"' for _ in range(20)) + ").and()",
        "a- b " * (MAX_LOWERED + 1),
    ],
)
def test_what_cannot_be_is_an_error(text: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    assert {"reason", "position"} <= set(caught.value.details)


HOSTILE = [
    *(c * 10_000 for c in '()"\\+-.,1 a'),
    "(" * 5000 + ")" * 5000,
    "()" * 5000,
    "(a)+" * 2500,
    "a+" * 5000,
    "a+ " * 3333,
    '("' * 5000,
    '" ' * 5000,
    "(a)" + "1" * 9990,
    "(a).attend(" * 900,
    "(a" * 5000 + ")1.1" * 1250,
    "((x)1.1)" * 1250,
    "(a).blend(" + "1," * 4990 + ")",
    "(a)(b).and(" + " " * 9980,
    "((((((((a" * 1100,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12])
def test_no_prompt_is_slow(text: str) -> None:
    text = text[:10_000]
    best = math.inf
    for _ in range(3):  # the processor's time, and the best of three: others may run beside
        started = time.process_time()
        with contextlib.suppress(PromptError):
            parse(text)
        best = min(best, time.process_time() - started)
    assert best < LIMIT_SECONDS


ALPHABET = st.sampled_from(
    [*'()"+-.,\\ 0159ab', "cat", ".blend(", ".and(", ".attend(", "no_normalize", "湖", "é", "\n"]
)


@given(st.one_of(st.text(max_size=400), st.lists(ALPHABET, max_size=300).map("".join)))
@settings(deadline=None, max_examples=300)
def test_anything_parses_or_is_a_prompt_error(text: str) -> None:
    try:
        parsed = parse(text)
    except PromptError:
        return
    prompts = [p for part in parsed.parts for p in (part.prompts if isinstance(part, Blend) else (part,))]
    assert all(prompts)
    for fragment in (fragment for prompt in prompts for fragment in prompt):
        assert 0 <= fragment.weight <= MAX_WEIGHT
        assert math.isfinite(fragment.weight)
    assert all(math.isfinite(weight) for weight in parsed.weights)


@given(st.text(alphabet="abc xyz,湖", max_size=200))
@settings(deadline=None, max_examples=100)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert parse(text).plain_text == " ".join(text.split())
