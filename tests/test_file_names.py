"""Names of saved pictures: whatever a prompt holds, the name is one that every system takes, in the folder meant."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui.file_names import DEFAULT_PATTERN, PARTS, check_pattern, file_name

HOSTILE = {
    "../../etc/passwd": "etc passwd",
    "C:\\Windows\\win.ini": "C Windows win.ini",
    "a\u202egpj.exe": "a gpj.exe",
    "a lake\r\nSet-Cookie: x=1": "a lake Set-Cookie x=1",
    'a"; filename=".bashrc': "a ; filename= .bashrc",
    "CON": "_CON",
    "nul.png": "_nul.png",
    "con artist": "con artist",
    ".hidden": "hidden",
    "-rf": "rf",
    "%2e%2e%2fetc": "2e 2e 2fetc",
    "{seed}{date}": "seed date",
    "\ud800 half": "half",
    "湖边的小屋": "湖边的小屋",
    "e\u0301te": "éte",
    "...": "darkroom",
    "": "darkroom",
}


@pytest.mark.parametrize(("prompt", "name"), HOSTILE.items(), ids=range(len(HOSTILE)))
def test_a_prompt_in_a_name(prompt: str, name: str) -> None:
    assert file_name("{prompt}", {"prompt": prompt, "seed": "7"}) == name


def test_parts_are_filled() -> None:
    values = {part: part.upper() for part in PARTS}
    assert (
        file_name("{date}_{time} {seed} {prompt} ({checkpoint}) {id}", values)
        == "DATE_TIME SEED PROMPT (CHECKPOINT) ID"
    )
    assert file_name(DEFAULT_PATTERN, {"seed": "42"}) == "darkroom-42"
    assert file_name("{checkpoint}-{seed}", {"seed": "42"}) == "42"


def test_long_prompts_end_with_a_word() -> None:
    name = file_name("{prompt}", {"prompt": "a quiet lake " * 100})
    assert 50 <= len(name) <= 60
    assert name.endswith(("a", "quiet", "lake"))


@given(st.text(max_size=300), st.text(max_size=80))
def test_no_text_makes_a_name_that_a_system_refuses(prompt: str, checkpoint: str) -> None:
    name = file_name("{prompt} {checkpoint}", {"prompt": prompt, "checkpoint": checkpoint})
    assert 0 < len(name.encode()) <= 200
    assert not re.search(r'[<>:"/\\|?*%{}]', name)
    assert not any(unicodedata.category(sign)[0] == "C" for sign in name)
    assert name[0] not in ".-~ "
    assert name[-1] not in ". "


@pytest.mark.parametrize(
    "pattern", ["{seed}/{prompt}", "..\\x", "{secret}", "{seed", "seed}", "", "  ", "a\nb", "a:b", "{}"]
)
def test_patterns_that_cannot_be(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"part|signs"):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", [DEFAULT_PATTERN, "{date} {prompt}", "湖 {seed}", "picture"])
def test_patterns_that_can(pattern: str) -> None:
    check_pattern(pattern)
