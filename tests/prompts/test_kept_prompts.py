"""Nothing of a prompt is lost or changed by being read: words stay, in their order, and text that is no syntax too."""

from __future__ import annotations

import re

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from webui.errors import PromptError
from webui.prompts import a1111, compel
from webui.prompts.attention import attention
from webui.prompts.check.clip_tokenizer import ClipTokenizer
from webui.prompts.chunks import cut
from webui.prompts.plain_words import plain_words
from webui.prompts.templates import settle
from webui.prompts.wildcards import Wildcards
from webui.requests.field_types import clean_text
from webui.settings import ROOT

BOUNDED = settings(max_examples=200, deadline=None)
NO_WILDCARDS = Wildcards(ROOT / "nowhere")
TOKENIZER = ROOT / "models" / "starter" / "tokenizer"
WORD = st.integers(0, 99).map(lambda number: f"w{number}x")
APART = WORD.map(lambda word: f" {word} ")


def words(text: str) -> list[str]:
    return re.findall(r"w\d+x", text)


def texts_of(text: str, steps: int = 20) -> list[str]:
    """All that an A1111 prompt is at any step, without weights. Raises PromptError."""
    found = [one for part in a1111.parse(text).parts for one in dict.fromkeys(part.timeline.texts(steps))]
    return ["".join(fragment.text for section in attention(one) for fragment in section) for one in found]


def compels_text(text: str) -> str:
    (part,) = compel.parse(text).parts
    assert isinstance(part, tuple)
    return "".join(fragment.text for fragment in part)


@BOUNDED
@given(st.text(st.characters(exclude_characters='()[]{}|\\#<_:+-"'), max_size=80).map(clean_text))
@example("湖边的小屋，月光；“水彩”")
@example("夜の湖、🧑‍🎨 café naïve 50% & more!? 1/2 @x = 'y' $5 ~ * ^")
def test_what_holds_no_syntax_stays_as_it_is(text: str) -> None:
    assume("AND" not in text and "BREAK" not in text)
    assert settle(text, "1", NO_WILDCARDS) == text
    assert texts_of(text) == [text if text.strip() else ""]
    assert compels_text(text).split() == text.split()


@BOUNDED
@given(st.text(st.sampled_from("ab ()[]:|\\,湖1.{}"), max_size=40))
def test_what_is_escaped_is_text_in_a1111(text: str) -> None:
    escaped = re.sub(r"([()\[\]:|\\{}])", r"\\\1", text)
    assert "".join(texts_of(settle(escaped, "1", NO_WILDCARDS))).split() == text.split()


@BOUNDED
@given(st.text(st.sampled_from('ab ()[]:|,湖1.+-"'), max_size=40))
def test_what_is_escaped_is_text_in_compel(text: str) -> None:
    assert compels_text(re.sub(r'([()"+\-])', r"\\\1", text)).split() == text.split()


A1111_SIGNS = st.sampled_from(
    ["(", ")", "((", "))", "[", "]", ":1.2)", ":0.5)", ": 1 )", " ", ", ", "\\(", "\\)", "\\[", "\\]", "\\", "|", ":",
     ".", ";", "'", "<", ">", "}", "{", "&", "/", "*", "1.5", " 2 ", "\n", "。", "（", "）", " BREAK ", "<lora:a:1>"]
)  # fmt: skip


@BOUNDED
@given(st.lists(APART | WORD | A1111_SIGNS, max_size=40).map("".join))
def test_brackets_and_weights_of_a1111_lose_no_word(text: str) -> None:
    assume(all(part.timeline.is_constant for part in a1111.parse(text).parts))
    for found in (*texts_of(text), plain_words(text, "a1111", 20, has_syntax=True)):
        assert words(found) == words(text)
    (negative,) = a1111.parse(text.replace("<lora:a:1>", ""), is_negative=True).parts
    assert words(negative.timeline.texts(1)[0]) == words(text)


COMPEL_SIGNS = st.sampled_from(
    ["(", ")", '"', "+", "-", "++", "--", ")+", ")1.2", ")0.5", ").attend(1.1)", ".and(", " ", ", ", "\\(", "\\)", "\\",
     "[", "]", ":", "|", "<", "}", ".", "。", "1.5", "2", "((", "))", '"+', "\n", ".blend("]
)  # fmt: skip


@BOUNDED
@given(st.lists(APART | WORD | COMPEL_SIGNS, max_size=40).map("".join))
@example("(w1x)+-w2x and (w3x).attend(1.2)-w4x")
def test_brackets_and_weights_of_compel_lose_no_word(text: str) -> None:
    try:
        found = compel.parse(text).plain_text
    except PromptError:
        return
    assert words(found) == words(text)


EDITS = (
    st.tuples(WORD, WORD).map("[{0[0]}:{0[1]}:0.5]".format)
    | WORD.map("[{}:5]".format)
    | WORD.map("[{}::0.3]".format)
    | st.tuples(WORD, WORD).map("[({0[0]}:1.2):[{0[1]}]:7]".format)
    | st.lists(WORD, min_size=2, max_size=4).map(lambda options: f"[{'|'.join(options)}]")
)


@BOUNDED
@given(st.lists(EDITS | APART | st.sampled_from([" ", "(", ")", ":1.2)", ", ", "\\[", "]", " AND "]), max_size=12))
def test_every_side_of_an_edit_has_its_steps(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        found = texts_of(text)
    except PromptError:
        return
    assert {word for one in found for word in words(one)} == set(words(text))


CHOICES = st.recursive(
    st.just("a"),
    lambda inner: st.lists(
        inner | st.sampled_from(["b|", "|", "1::", "2$$", "[", "]", " "]), min_size=1, max_size=4
    ).map(lambda parts: "{" + "".join(parts) + "}"),
    max_leaves=6,
)


@BOUNDED
@given(st.lists(APART | CHOICES | st.sampled_from([" ", ", ", "(", ")", "__ ", "\\{", "$$"]), max_size=20))
def test_what_stands_outside_of_choices_stays(parts: list[str]) -> None:
    text = "".join(parts)
    settled = settle(text, "3", NO_WILDCARDS)
    assert words(settled) == words(text)
    unescaped = settle(text.replace("{", "\\{").replace("\\\\{", "\\{").replace("}", "\\}"), "3", NO_WILDCARDS)
    assert unescaped == text.replace("\\{", "{")


@BOUNDED
@given(st.lists(APART | st.sampled_from([",", " ", "(", ":1.5)", " BREAK ", "湖", "café ", "."]), max_size=300))
def test_no_token_is_lost_where_a_text_is_cut(parts: list[str]) -> None:
    tokenizer = ClipTokenizer(TOKENIZER)
    sections = attention("".join(parts))
    chunks = cut(sections, tokenizer.words, tokenizer.comma)
    wanted = [id for section in sections for fragment in section for id in tokenizer.ids(fragment.text)]
    assert [token.value for chunk in chunks for token in chunk.tokens] == wanted
