"""No prompt and no file of wildcards makes a reader raise anything but its own error, or take more than 50 ms for each
10 KB of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.metadata.test_hostile_texts import in_time
from webui.checkpoints.catalogue import Catalogue
from webui.errors import PromptError
from webui.prompts import a1111, compel
from webui.prompts.attention import attention
from webui.prompts.check.check import PromptCheck, Question
from webui.prompts.plain_words import plain_words
from webui.prompts.templates import MAX_CHARACTERS, settle
from webui.prompts.wildcards import Wildcards
from webui.requests.field_types import MAX_PROMPT_CHARACTERS, clean_text
from webui.settings import ROOT

LEAST_SECONDS = 0.2  # the bound is 0.05 on a core of one's own; caches that others share cost up to four times that
STEPS = 20
PIECES = st.sampled_from(
    [*"()[]{}<>|:+-#_\\\"' .,;0159ab\n$~*!?@&=%^/", "__", "$$", "::", "cat", ":1.2)", " AND ", "BREAK", "<lora:x:0.5>",
     "[a:b:.5]", "[a|b]", "__place__", "__deep__", "__self__", "{a|b}", "{2$$", "{1-2$$", "{prompt}", "湖", "é", "🌊",
     "++", "--", ".attend(", ".blend(", ".and(", ",", ").and()", "1.1", "（", "：", ":3]", "|]", "<lora:", "a" * 50,
     " " * 50, "\u0301", "\u200d", "\u202e", "：1.2）"]
)  # fmt: skip
SHORT = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=60)
LONG = st.tuples(SHORT, SHORT, SHORT, st.integers(1, MAX_PROMPT_CHARACTERS)).map(
    lambda drawn: (drawn[0] + (drawn[1] * drawn[3])[:9_000] + drawn[2])[:MAX_PROMPT_CHARACTERS]
)
PROMPTS = (SHORT | LONG).map(clean_text)
BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("presets")
    (folder / "wildcards").mkdir()
    (folder / "wildcards" / "place.txt").write_text("lake\n{sea|hill} # by day\n2::wood\n", encoding="utf-8")
    (folder / "wildcards" / "deep.txt").write_text("__place__ {a|__place__}\n", encoding="utf-8")
    (folder / "wildcards" / "self.txt").write_text("x __self__\n", encoding="utf-8")
    return folder


def read(text: str, reader: Callable[[str], Any]) -> Any:
    """What a reader makes of a text, in time; None where it says what is wrong with it, and where."""

    def attempt() -> Any:
        try:
            return reader(text)
        except PromptError as error:
            if not 0 <= int(error.details["position"]) <= len(text) or not error.details["reason"]:
                raise AssertionError("it points at nothing") from error
            return None

    return in_time(len(text.encode()), attempt, LEAST_SECONDS)


@BOUNDED
@given(text=PROMPTS)
def test_prompts_of_a1111(text: str, presets: Path) -> None:
    wildcards = Wildcards(presets / "wildcards")
    commented = a1111.without_comments(text)
    settled = read(commented, lambda one: settle(one, "prompt 5", wildcards, has_comments=True))
    for one in {text, settled or ""}:
        read(one, lambda one: a1111.parse(one, is_negative=True))
        read(one, lambda one: plain_words(one, "a1111", STEPS, has_syntax=True))
        prompt = read(one, a1111.parse)
        for part in prompt.parts if prompt else ():
            for _, at_a_step in (read(one, lambda _, part=part: part.timeline.schedule(STEPS)) or ())[:2]:
                read(at_a_step, attention)


@BOUNDED
@given(text=PROMPTS)
def test_prompts_of_compel(text: str, presets: Path) -> None:
    wildcards = Wildcards(presets / "wildcards")
    settled = read(text, lambda one: settle(one, "prompt 5", wildcards))
    for one in {text, settled or ""}:
        assert len(one) <= MAX_CHARACTERS
        read(one, compel.parse_with_places)
        read(one, lambda one: plain_words(one, "compel", STEPS, has_syntax=True))


@pytest.fixture(scope="module")
def check(presets: Path, tmp_path_factory: pytest.TempPathFactory) -> PromptCheck:
    models = tmp_path_factory.mktemp("models")
    (models / "starter").symlink_to(ROOT / "models" / "starter")
    made = PromptCheck(Catalogue(models), presets)
    made.check(Question(prompt="a lake", checkpoint="starter"))  # reads the tokenizer
    return made


@BOUNDED
@given(text=PROMPTS, dialect=st.sampled_from(["a1111", "compel"]))
def test_the_check_of_prompts(text: str, dialect: str, check: PromptCheck) -> None:
    question = Question(prompt=text, checkpoint="starter", dialect=dialect)
    report = read(text, lambda _: check.check(question)).prompt
    for note in report.notes:
        assert note.start is None or 0 <= note.start <= len(text)
        assert note.end is None or (note.start or 0) <= note.end <= len(text)
    assert all(chunk.start is None or 0 <= chunk.start <= len(text) for chunk in report.chunks)


ENCODINGS = ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "utf-32"]
CONTENTS = (
    st.binary(max_size=300)
    | st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 4_000)).map(lambda drawn: drawn[0] * drawn[1])
    | st.tuples(SHORT.map(clean_text), st.integers(1, 2_000), st.sampled_from(ENCODINGS)).map(
        lambda drawn: (drawn[0] * drawn[1])[:200_000].encode(drawn[2])
    )
)


@BOUNDED
@given(content=CONTENTS)
def test_files_of_wildcards(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "any.txt").write_bytes(content)

    def look() -> None:
        shelf = Wildcards(tmp_path).look()
        assert not (shelf.values("any") and shelf.unreadable("any"))
        read("__any__", lambda one: settle(one, "1", Wildcards(tmp_path), has_comments=True))
        read("__any__", lambda one: settle(one, "1", Wildcards(tmp_path)))

    in_time(len(content), look, LEAST_SECONDS)


LINES = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="{}|[]$\\_#\ufeff"), max_size=20
).map(str.strip)


@BOUNDED
@given(
    lines=st.lists(LINES.filter(lambda line: line and not re.match(r"[0-9.]+::", line)), min_size=1, max_size=5),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_lines_of_wildcards_come_through_as_they_are(lines: list[str], encoding: str, end: str, tmp_path: Path) -> None:
    (tmp_path / "any.txt").write_bytes((end.join(lines) + end).encode(encoding))
    wildcards = Wildcards(tmp_path)
    assert list(wildcards.look().values("any")) == lines
    assert settle("a __any__ b", "1", wildcards, has_comments=True).removeprefix("a ").removesuffix(" b") in lines


@BOUNDED
@given(
    name=st.text(
        st.sampled_from("aZ0湖é🌊🧑‍🎨-.'&+()!@%=~^ ") | st.characters(categories=("L", "Nd", "So")), min_size=1
    )
)
def test_names_of_wildcards_are_found(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    name = name.strip()[:20].strip()
    if not name or name.startswith((".", "~")):  # hidden, or Dynamic Prompts' sign
        return
    folder = tmp_path_factory.mktemp("wildcards")
    (folder / f"{name}.txt").write_text("red\n", encoding="utf-8")
    assert settle(f"a __{clean_text(name)}__ b", "1", Wildcards(folder)) == "a red b"
