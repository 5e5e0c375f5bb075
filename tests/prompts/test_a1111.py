"""A1111's dialect: its own published examples, weights, AND, LoRAs, comments; and nothing makes it slow or fall."""

from __future__ import annotations

import contextlib
import math
import time

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from webui.errors import PromptError
from webui.prompts.a1111 import MAX_BREAKS, MAX_LORAS, Lora, parse, without_comments
from webui.prompts.attention import attention
from webui.prompts.lexer import MAX_PARTS, MAX_WEIGHT
from webui.prompts.timeline import MAX_CHANGES, Timeline

LIMIT_SECONDS = 0.2  # the bound is 0.05 on a core of one's own; caches that others share cost up to four times that


def weights(text: str) -> list[list[tuple[str, float]]]:
    return [[(f.text, round(f.weight, 4)) for f in section] for section in attention(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # the examples in A1111's prompt_parser.py, for ten steps
        ("test", [(10, "test")]),
        ("a [b:3]", [(3, "a "), (10, "a b")]),
        ("a [b: 3]", [(3, "a "), (10, "a b")]),
        ("a [[[b]]:2]", [(2, "a "), (10, "a [[b]]")]),
        ("[(a:2):3]", [(3, ""), (10, "(a:2)")]),
        ("a [b : c : 1] d", [(1, "a b  d"), (10, "a  c  d")]),
        ("a[b:[c:d:2]:1]e", [(1, "abe"), (2, "ace"), (10, "ade")]),
        ("a [unbalanced", [(10, "a [unbalanced")]),
        ("a [b:.5] c", [(5, "a  c"), (10, "a b c")]),
        ("a [{b|d{:.5] c", [(5, "a  c"), (10, "a {b|d{ c")]),
        ("((a][:b:c [d:3]", [(3, "((a][:b:c "), (10, "((a][:b:c d")]),
        ("[a|(b:1.1)]", [(step, "a" if step % 2 else "(b:1.1)") for step in range(1, 11)]),
        ("[fe|]male", [(step, "female" if step % 2 else "male") for step in range(1, 11)]),
        ("[fe|||]male", [(step, "female" if step % 4 == 1 else "male") for step in range(1, 11)]),
        # and what its wiki says of [from::when] and of rounding
        ("a [cat::3] b", [(3, "a cat b"), (10, "a  b")]),
        ("[a:b:0.39]", [(3, "a"), (10, "b")]),
        ("[a:b:1.0]", [(10, "a")]),
        ("[a:b:0]", [(10, "b")]),
        ("[a:b:-3]", [(10, "b")]),
        ("[a:b:99]", [(10, "a")]),
        ("[a:b:1e999]", [(10, "a")]),
        (r"\[a:b:3\]", [(10, r"\[a:b:3\]")]),
        (r"[a\:b:3]", [(3, ""), (10, r"a\:b")]),
        ("a | [b:3]", [(3, "a | "), (10, "a | b")]),
    ],
)
def test_schedules(text: str, expected: list[tuple[int, str]]) -> None:
    timeline = Timeline.of(text)
    assert list(timeline.schedule(10)) == expected
    assert len(timeline.texts(10)) == 10
    assert timeline.texts(10)[0] == expected[0][1]


def test_a_share_goes_by_the_steps_and_a_number_does_not() -> None:
    assert Timeline.of("[a:b:0.5]").texts(5) == ("a", "a", "b", "b", "b")
    assert Timeline.of("[a:b:2]").texts(5) == ("a", "a", "b", "b", "b")
    assert Timeline.of("[a:b:2]").texts(1) == ("a",)
    assert Timeline.of("[a|[b:c:4]|d]").texts(6) == ("a", "b", "d", "a", "c", "d")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("normal text", [("normal text", 1)]),
        ("an (important) word", [("an ", 1), ("important", 1.1), (" word", 1)]),
        ("(unbalanced", [("unbalanced", 1.1)]),
        (r"\(literal\]", [("(literal]", 1)]),
        ("(unnecessary)(parens)", [("unnecessaryparens", 1.1)]),
        (
            "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
            [
                ("a ", 1),
                ("house", 1.573),
                ("on", 1),
                (" a ", 1.1),
                ("hill", 0.55),
                (", sun, ", 1.1),
                ("sky", 1.4641),
                (".", 1.1),
            ],
        ),
        ("((x))", [("x", 1.21)]),
        ("[x]", [("x", 0.9091)]),
        ("[[x", [("x", 0.8264)]),
        ("[(x)]", [("x", 1)]),
        ("(x:1.0)", [("x", 1)]),
        ("(a (b:2) c:0.5)", [("a ", 0.5), ("b", 1), (" c", 0.5)]),
        ("(x: 1.5 )", [("x", 1.5)]),
        ("(x:.5)", [("x", 0.5)]),
        ("(x:-5)", [("x", 0)]),
        ("(x:99999999)", [("x", MAX_WEIGHT)]),
        ("((x:99999999):0)", [("x", 0)]),
        ("(x:nan)", [("x:nan", 1.1)]),
        ("(x:1.2.3)", [("x:1.2.3", 1.1)]),
        ("x:1.2)", [("x:1.2)", 1)]),
        (r"(a\:1.2)", [("a:1.2", 1.1)]),
        (r"c:\path", [("c:path", 1)]),
        ("a | b", [("a | b", 1)]),
        ("", []),
        ("  ", []),
    ],
)
def test_weights(text: str, expected: list[tuple[str, float]]) -> None:
    assert weights(text) == [expected]


def test_break_parts_the_text_also_inside_a_weight() -> None:
    assert weights("a BREAK b") == [[("a ", 1)], [(" b", 1)]]
    assert weights("(a BREAK b:1.2) BREAK") == [[("a ", 1.2)], [(" b", 1.2)], []]
    assert weights("BREAKFAST") == [[("BREAKFAST", 1)]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a cat :1.2 AND a dog AND a penguin :2.2", [("a cat ", 1.2), (" a dog ", 1), (" a penguin ", 2.2)]),
        ("a AND b:-0.5", [("a ", 1), (" b", -0.5)]),
        ("a AND b:99", [("a ", 1), (" b", MAX_WEIGHT)]),
        ("a AND (b:1.5)", [("a ", 1), (" (b:1.5)", 1)]),
        ("a screen of 16:9", [("a screen of 16:9", 1)]),
        ("SANDY HAND", [("SANDY HAND", 1)]),
    ],
)
def test_and(text: str, expected: list[tuple[str, float]]) -> None:
    assert [(part.timeline.texts(1)[0], part.weight) for part in parse(text).parts] == expected
    assert len(parse(text, is_negative=True).parts) == 1


def test_loras_are_taken_out_and_handed_on() -> None:
    prompt = parse("a <lora:ink:0.7> cat<lora:folder/line art><lora:x:0.5:2><lora:y:te=0.1:unet=-3>")
    assert prompt.parts[0].timeline.texts(1) == ("a  cat",)
    assert [(lora.name, lora.weight, lora.text_weight) for lora in prompt.loras] == [
        ("ink", 0.7, 0.7),
        ("folder/line art", 1.0, 1.0),
        ("x", 2.0, 0.5),
        ("y", -3.0, 0.1),
    ]
    assert parse("<lora:x:999999>").loras == (Lora("x", 10.0, 10.0, 0),)
    assert parse("<3 <b> <lora x>").loras == ()


def test_comments_go_and_everything_else_keeps_its_place() -> None:
    text = "a cat # and a dog\n# [b:3] <lora:gone:1>\nhere"
    assert without_comments(text) == "a cat " + " " * 11 + "\n" + " " * 21 + "\nhere"
    assert parse(text).loras == ()
    assert parse(text).parts[0].timeline.texts(1)[0].split() == ["a", "cat", "here"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" AND ".join("a" for _ in range(MAX_PARTS + 1)), "prompt_parts"),
        ("a BREAK " * (MAX_BREAKS + 1), "prompt_breaks"),
        ("[a|b]" * (MAX_CHANGES + 1), "prompt_changes"),
        ("<lora:a:1>" * (MAX_LORAS + 1), "prompt_loras"),
        ("<lora:a:nan>", "prompt_lora_weight"),
        ("<lora:a:1:2:3>", "prompt_lora_weight"),
        ("<lora::1>", "prompt_lora_name"),
        ("<hypernet:a:1>", "prompt_hypernet"),
    ],
)
def test_what_cannot_be_is_an_error(text: str, reason: str) -> None:
    with pytest.raises(PromptError) as caught:
        parse(text)
    assert caught.value.details["reason"] == reason
    assert 0 <= int(caught.value.details["position"]) < len(text)


def test_a_lora_in_the_negative_prompt_is_an_error() -> None:
    with pytest.raises(PromptError) as caught:
        parse("bad <lora:a:1>", is_negative=True)
    assert caught.value.details == {"reason": "prompt_lora_negative", "position": 4, "field": "negative_prompt"}


def test_texts_that_are_too_long_together_are_an_error() -> None:
    timeline = Timeline.of("[a|b|c|d|e|f|g]" + "x" * 9_900)
    with pytest.raises(PromptError):
        timeline.schedule(150)
    assert len(Timeline.of("[a|b|c]" + "x" * 9_900).texts(150)) == 150


HOSTILE = [
    *(c * 10_000 for c in "()[]:|\\ a1#<>{}\n"),
    *(bracket * n for n in (8, 10, 20, 50, 1000) for bracket in "([{"),
    "(" * 5000 + ")" * 5000,
    "[" * 5000 + "]" * 5000,
    "(" * 15 + "x" + ":1.1)" * 15,
    "[a|" * 3333,
    "[a:1]" * 100 + "x" * 9500,
    "[|]" * 100 + "x" * 9000,
    "[" * 99 + "a" + ":b:.5]" * 99,
    "(a:1.1)" * 1400,
    "(" * 1600 + ":1.1)" * 1600,
    ":1" * 5000,
    ":" + " " * 9999,
    "(:" * 5000,
    "(a:" + "1" * 9990,
    "BREAK" * 2000,
    " " * 4990 + "BREAK" + " " * 4990,
    "<lora:" * 1600,
    "<lora:a" + ":" * 9980 + ">",
    "a AND " * 1600,
    "AND:" + "1" * 9990,
    "\U0001f469\u200d\U0001f4bb" * 3333,
    "a" + "\u0301" * 9999,
    "\u202e" * 10_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:8]))
def test_no_prompt_is_slow(text: str) -> None:
    text = text[:10_000]
    best = math.inf
    for _ in range(5):  # the processor's time, and the best of five: others may run beside
        started = time.process_time()
        with contextlib.suppress(PromptError):
            attention(parse(text).parts[0].timeline.schedule(20)[0][1])
        best = min(best, time.process_time() - started)
    assert best < LIMIT_SECONDS


ALPHABET = st.sampled_from(
    [*"()[]:|\\ .0159ab#\n<>,", "cat", ":1.2)", " AND ", "BREAK", "<lora:x:0.5>", "[a:b:.5]", "[a|b]", "湖", "é", "-"]
)


@given(st.one_of(st.text(max_size=400), st.lists(ALPHABET, max_size=300).map("".join)))
@settings(deadline=None, max_examples=200)
def test_anything_parses_or_is_a_prompt_error(text: str) -> None:
    try:
        prompt = parse(text)
        texts = {found for part in prompt.parts for found in part.timeline.texts(20)}
    except PromptError as error:
        event(str(error.details["reason"]))  # a KeyError where there is none
        return
    assert all(math.isfinite(weight) and abs(weight) <= MAX_WEIGHT for weight in prompt.weights)
    assert all(math.isfinite(lora.weight) and math.isfinite(lora.text_weight) for lora in prompt.loras)
    for fragment in (fragment for found in texts for section in attention(found) for fragment in section):
        assert 0 <= fragment.weight <= MAX_WEIGHT
        assert fragment.text.strip()


@given(st.text(alphabet="abc xyz,湖", max_size=200))
@settings(deadline=None, max_examples=50)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert parse(text).parts[0].timeline.texts(3) == (text,) * 3
    assert "".join(f.text for section in attention(text) for f in section).split() == text.split()


def test_a_sign_in_a_lora_s_name_begins_no_comment() -> None:
    text = "a <lora:style#2:0.5> cat # and <lora:other:1>\n<lyco:x#:1> b"
    assert without_comments(text) == "a <lora:style#2:0.5> cat " + " " * 20 + "\n<lyco:x#:1> b"
    (part,) = parse(text).parts
    assert [lora.name for lora in parse(text).loras] == ["style#2", "x#"]
    assert part.weight == 1
