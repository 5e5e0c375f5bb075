"""Both languages have the same strings with the same blanks, and every string is used somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from webui.requests import REQUESTS
from webui.requests.fields import controls_in
from webui.ui import assets
from webui.ui.declared_controls import field_table
from webui.ui.language import LANGUAGES, Words

UI = Path(assets.__file__).parent
BLANK = re.compile(r"\{(\w+)\}")
# Keys that the code puts together, by what stands before and after the part that varies.
PARTS = "quality paint phase state source happened kind words setting operator unit ring"
BUILT = re.compile(rf"(?:{'|'.join(PARTS.split())})_\w+|\w+_hint|offer_(?:quick|best|edits)")
# What the declarations ask for: the names of fields and of their words, and what an empty box says.
DECLARED = {
    *field_table(),
    *(f"{name}_{word}" for name, entry in field_table().items() for word in entry.get("words", ())),
    *(mark.empty for request in REQUESTS.values() for mark in controls_in(request).values()),
}


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
    return "\n".join(path.read_text("utf-8") for path in [*UI.glob("*.py"), *UI.rglob("assets/**/*.js")])


def test_every_key_is_used(words: Words) -> None:
    source = _source()
    unused = [
        key
        for key in words.by_language["en"]
        if key not in DECLARED and not BUILT.fullmatch(key) and not re.search(rf"[\"'`]{key}[\"'`]|\b{key}:", source)
    ]
    assert unused == []


def test_every_key_that_scripts_ask_for_is_there(words: Words) -> None:
    asked = set(re.findall(r"\bt\(\s*[\"'](\w+)[\"']", _source())) | set(re.findall(r"\bwords\(\"(\w+)\"\)", _source()))
    assert asked - words.by_language["en"].keys() == set()


def test_an_unknown_key_is_an_error(words: Words) -> None:
    with pytest.raises(KeyError):
        words("no_such_string")


def test_what_comes_first_uses_no_string_that_comes_later(words: Words) -> None:
    first = "\n".join(assets.modules().get(name, "") for name in assets.first_modules())
    first += "\n".join(path.read_text("utf-8") for path in UI.glob("*.py"))
    late = [key for key in words.by_language["en"] if key.startswith(assets.LATE_TEXTS)]
    assert len(late) > 100
    assert not DECLARED & {*late}
    assert [key for key in late if re.search(rf"[\"'`]{key}[\"'`]|\b{key}:", first)] == []
    assert [begin for begin in re.findall(r"`(\w+_)\$\{", first) if begin.startswith(assets.LATE_TEXTS)] == []


def test_scripts_that_come_later_bring_their_strings() -> None:
    scripts = assets.modules()
    for entry, names in assets.later_modules().items():
        used = [name for name in names if re.search(rf"[\"'`](?:{'|'.join(assets.LATE_TEXTS)})", scripts.get(name, ""))]
        assert not used or assets.late_text_file("en") in names, (entry, used)
