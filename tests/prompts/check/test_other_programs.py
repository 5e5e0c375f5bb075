"""What other programs would read, and this one does not: never silently other text than was meant."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui.prompts import a1111
from webui.prompts.attention import attention
from webui.prompts.check.other_programs import other_syntax_notes, other_weight_notes
from webui.prompts.lexer import Fragment


def remarks(text: str, dialect: str = "a1111") -> list[str]:
    """Code and place of each remark."""
    notes = other_syntax_notes(text, dialect) + other_weight_notes(text, dialect)
    return [f"{note.code} {text[note.start : note.end]}" for note in notes]


@pytest.mark.parametrize(
    "text",
    ["（a：1.2）", "(a：1.2)", "（a:1.2）", "(a:1.2）", "(a:１.２)", "（（a））", "［a：b：0.5］", "[a：b:0.5]",
     "[a｜b]", "＜lora：x：1＞", "<lora：x:1>", "｛a｜b｝", "{a｜b}"],
)  # fmt: skip
def test_full_width_signs(text: str) -> None:
    (remark,) = remarks(f"湖 {text} 山")
    assert remark.removeprefix("full_width ") in text
    plain = text.translate(str.maketrans("（）［］｛｝｜：＜＞１２", "()[]{}|:<>12"))
    assert remarks(plain) == []


@pytest.mark.parametrize(
    "text", ["一只猫（黑色），比例：大", "（图：猫）", "(a（b）:1.2)", "《湖》", "[湖：山]", "５月"]
)
def test_full_width_signs_that_mean_nothing_else(text: str) -> None:
    assert remarks(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(a:1,2) b", ["decimal_comma :1,2)"]),
        ("（a：1，2）", ["decimal_comma ：1，2）"]),
        ("[a:b:0,5]", ["decimal_comma :0,5]"]),
        ("a :0,5 AND b :1,5", ["decimal_comma :0,5 ", "decimal_comma :1,5"]),
        ("a, b at 16:9, 2:1,5", []),
        ("<LORA:ink:1> <Lyco:b>", ["lora_capitals <LORA:ink:1>", "lora_capitals <Lyco:b>"]),
        ("${x=!{a|b}} and ${x}", ["variable ${x=!{a|b}}", "variable ${x}"]),
        ("$5 {a|b}", []),
        ('{"prompt": "a cat", "steps": 20}', ['json_prompt {"prompt": "a cat", "steps": 20}']),
        (" [ {'text': 'a cat'} ]", ["json_prompt  [ {'text': 'a cat'} ]"]),
        ('{"red"|"blue"}', []),
        ("{{{masterpiece}}}, {a}", ["double_braces {{masterpiece}}"]),
        ("1.5::cat::, -1::dog ::", ["numbered_weight 1.5::cat::", "numbered_weight -1::dog ::"]),
        ("{2::a|3::b}", []),
        ("<segment:face> <random[2]:a,b>", ["tag_ignored <segment:face>", "tag_ignored <random[2]:a,b>"]),
        ("<3 you <br>", []),
        ("a cat --ar 16:9 --v 6 --no dogs", ["flag_ignored --ar 16:9", "flag_ignored --v 6", "flag_ignored --no"]),
        ("a cat--ar", []),
    ],
)  # fmt: skip
def test_other_programs_words(text: str, expected: list[str]) -> None:
    assert remarks(text) == expected


def test_compels_own_brackets() -> None:
    assert remarks("（a b）1.3 (c)++", "compel") == ["full_width ）1.3"]
    assert remarks("(a：1.2) <LORA:x:1> (a:1,2)", "compel") == []


def test_a_remark_says_how_it_is_written_here() -> None:
    (full_width,) = other_weight_notes("（a：1.2）", "a1111")
    assert full_width.details == {"text": "（a：1.2）", "instead": "(a:1.2)"}
    (comma,) = other_weight_notes("(a:1,2)", "a1111")
    assert comma.details == {"text": ":1,2)", "instead": ":1.2)"}
    (capitals,) = other_syntax_notes("<LORA:Ink:0.5>", "a1111")
    assert capitals.details == {"text": "<LORA:Ink:0.5>", "instead": "<lora:Ink:0.5>"}


def test_capitals_are_a_lora() -> None:
    assert a1111.parse("a <LORA:Ink_v__2__b:0.5> lake").loras == a1111.parse("a <lora:Ink_v__2__b:0.5> lake").loras
    assert a1111.take_loras("a <Lora:ink:1> lake")[1] == "a  lake"
    assert a1111.without_comments("<LORA:a#2:1> # b").rstrip() == "<LORA:a#2:1>"


def test_the_words_are_read_as_the_remarks_say() -> None:
    assert attention("（a：1.2）") == ((Fragment("（a：1.2）"),),)
    assert attention("(a:1,2)") == ((Fragment("a:1,2", 1.1),),)


SIGNS = [*"（）［］｛｝｜：＜＞()[]{}|:<>\\$\"',.1２", "lora", " AND ", "${", "<LORA:", "--ar", "::", "{{", "湖"]


@given(st.lists(st.sampled_from(SIGNS), max_size=60).map("".join), st.sampled_from(["a1111", "compel"]))
def test_any_prompt_is_looked_at(text: str, dialect: str) -> None:
    for note in other_syntax_notes(text, dialect) + other_weight_notes(text, dialect):
        assert note.start is not None
        assert note.end is not None
        assert 0 <= note.start < note.end <= len(text)


@pytest.mark.parametrize("sign", SIGNS)
def test_the_longest_prompt_takes_no_time(sign: str) -> None:
    text = (sign * 10_000)[:10_000]
    began = time.process_time()
    other_syntax_notes(text, "a1111")
    other_weight_notes(text, "a1111")
    assert time.process_time() - began < 0.3  # a loaded core counts for less
