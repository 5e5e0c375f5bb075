"""Both languages have the same strings with the same blanks, and every string is used somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from webui.ui import assets
from webui.ui.language import LANGUAGES, Words

UI = Path(assets.__file__).parent
BLANK = re.compile(r"\{(\w+)\}")
# Keys that the code puts together, by what stands before and after the part that varies.
PARTS = (
    "quality sigmas sigma_range tiling prompt_dialect emphasis resize_mode mask_mode masked_content inpaint_area "
    "method style_loss keep_colours init optimizer paint phase state source happened"
)
BUILT = re.compile(rf"(?:{'|'.join(PARTS.split())})_\w+|\w+_hint")


@pytest.fixture(scope="module")
def words() -> Words:
    return Words()


def test_both_languages_have_the_same_keys(words: Words) -> None:
    english, chinese = (words.by_language[language] for language in LANGUAGES)
    assert english.keys() == chinese.keys()


def test_both_languages_have_the_same_blanks(words: Words) -> None:
    english, chinese = (words.by_language[language] for language in LANGUAGES)
    differing = [key for key in english if sorted(BLANK.findall(english[key])) != sorted(BLANK.findall(chinese[key]))]
    assert differing == []


def test_no_string_is_empty(words: Words) -> None:
    assert [key for texts in words.by_language.values() for key, text in texts.items() if not text.strip()] == []


def _source() -> str:
    return "\n".join(path.read_text("utf-8") for path in [*UI.glob("*.py"), *UI.glob("assets/*.js")])


def test_every_key_is_used(words: Words) -> None:
    source = _source()
    unused = [
        key
        for key in words.by_language["en"]
        if not BUILT.fullmatch(key) and not re.search(rf"[\"'`]{key}[\"'`]|\b{key}:", source)
    ]
    assert unused == []


def test_every_key_that_scripts_ask_for_is_there(words: Words) -> None:
    asked = set(re.findall(r"\bt\(\s*[\"'](\w+)[\"']", _source())) | set(re.findall(r"\bwords\(\"(\w+)\"\)", _source()))
    assert asked - words.by_language["en"].keys() == set()


def test_an_unknown_key_is_an_error(words: Words) -> None:
    with pytest.raises(KeyError):
        words("no_such_string")
