"""Every error has a sentence and a hint in both languages, and every blank in them is filled."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator

import pytest

from webui.errors import DarkroomError
from webui.texts import LANGUAGES, Language, Texts, language_of

# What `Texts` and the doors add to an error's own details.
ADDED = {"internal": {"log_id"}, "out_of_memory": {"smaller_width", "smaller_height"}}


def errors() -> Iterator[type[DarkroomError]]:
    for name in ("webui.errors", "webui.api.http_errors"):
        for _, found in inspect.getmembers(importlib.import_module(name), inspect.isclass):
            if issubclass(found, DarkroomError) and found is not DarkroomError and found.__module__ == name:
                yield found


def documented_details(error: type[DarkroomError]) -> set[str]:
    """The names that a docstring of `webui/errors.py` lists after `Details:`."""
    _, _, listed = (error.__doc__ or "").partition("Details:")
    return set(re.findall(r"`(\w+)`", listed))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("error", list(errors()), ids=lambda error: error.kind)
def test_every_error_is_worded_and_every_blank_filled(error: type[DarkroomError], language: Language) -> None:
    texts = Texts()
    blanks = texts.blanks(f"error.{error.kind}", language) | texts.blanks(f"hint.{error.kind}", language)
    assert blanks <= documented_details(error) | ADDED.get(error.kind, set())
    details = {name: 512 if name in ("width", "height") else f"<{name}>" for name in documented_details(error)}
    message, hint = texts.word(error.kind, details, language)
    assert message
    assert hint
    assert "{" not in message
    assert "–" not in message + hint
    for name in blanks & details.keys():
        assert str(details[name]) in message + hint


@pytest.mark.parametrize("kind", ["a kind of tomorrow", "internal", ""])
def test_an_unknown_kind_reads_as_internal(kind: str) -> None:
    message, hint = Texts().word(kind, {"log_id": "c0ffee"}, "en")
    assert "inside Darkroom" in message
    assert "c0ffee" in hint


def test_both_catalogues_have_the_same_keys_and_blanks() -> None:
    texts = Texts()
    assert texts.keys("en") == texts.keys("zh-CN")
    for key in texts.keys("en"):
        assert texts.blanks(key, "en") == texts.blanks(key, "zh-CN"), key
        assert texts.text(key, "zh-CN") != texts.text(key, "en"), key


def test_a_reason_that_is_a_code_is_worded_too() -> None:
    message, _ = Texts().word("share_failed", {"reason": "share_unreachable"}, "zh-CN")
    assert "连不上分享服务器" in message
    message, _ = Texts().word("share_failed", {"reason": "the moon is full"}, "en")
    assert "the moon is full" in message


def test_a_size_that_was_too_much_comes_with_one_to_try() -> None:
    _, hint = Texts().word("out_of_memory", {"width": 1024, "height": 1024, "device": "cuda"}, "en")
    assert "768×768" in hint


def test_a_pickled_file_comes_with_the_command_that_converts_it() -> None:
    _, hint = Texts().word("checkpoint_pickled", {"checkpoint": "old"}, "en")
    command = re.search(r'python -c "(.+)" OLD\.ckpt NEW\.safetensors', hint)
    assert command
    compile(command[1], "<hint>", "exec")
    assert "weights_only=True" in command[1]


@pytest.mark.parametrize(("language", "sheet"), [("en", "Settings"), ("zh-CN", "设置")])
def test_a_hint_names_the_sheet_before_a_variable_that_does_the_same(language: Language, sheet: str) -> None:
    texts = Texts()
    hints = {key: texts.text(key, language) for key in texts.keys(language) if key.startswith("hint.")}
    of_variables = {key: hint for key, hint in hints.items() if re.search(r"HF_(?:TOKEN|ENDPOINT)|CIVITAI_", hint)}
    assert {"hint.repository_not_found", "hint.source_unreachable"} <= {*of_variables}
    for key, hint in of_variables.items():
        assert sheet in re.split("HF_|CIVITAI_", hint)[0], key


@pytest.mark.parametrize("value", ["{0.__class__}", "{checkpoint.__class__}", "%s", "{{x}}", "\ud800"])
def test_a_value_is_never_read_as_a_pattern(value: str) -> None:
    message, _ = Texts().word("checkpoint_not_found", {"checkpoint": value}, "en")
    assert value in message


def test_a_detail_that_is_missing_reads_as_a_dash_and_zero_as_zero() -> None:
    assert "–" in Texts().word("checkpoint_not_found", {}, "en")[0]
    assert "0 jobs" in Texts().word("queue_full", {"waiting": 0, "retry_after_seconds": 1}, "en")[0]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("ZH", "zh-CN"),
        ("en;q=0.5,zh;q=0.9", "zh-CN"),
        ("en-GB,zh;q=0.9", "en"),
        ("de,fr", "en"),
        ("de,zh;q=0.1", "zh-CN"),
        ("zh;q=0", "en"),
        ("zh;q=nonsense", "en"),
        ("zhuang", "en"),
        (",;;=," * 1000, "en"),
    ],
)
def test_accept_language_decides(header: str | None, language: Language) -> None:
    assert language_of(header) == language


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("/home/anna/darkroom/outputs", "…/outputs"),
        ("/outputs/", "…/outputs"),
        ("C:\\Users\\anna\\outputs", "…/outputs"),
        ("/home/anna/models/a, /home/anna/models/b", "…/a, …/b"),
        ("OSError: [Errno 13] Permission denied: '/home/anna/x'", "OSError: [Errno 13] Permission denied: '…/x'"),
        ("folder/starter", "folder/starter"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("models", "models"),
    ],
)
def test_guests_hear_of_no_place_on_this_machine(said: str, shown: str) -> None:
    details = {"reason": said.rstrip("'")} if said.endswith("'") else {"reason": said}
    message, _ = Texts(are_for_guests=True).word("worker_unavailable", details, "en")
    assert message == f"The engine does not start: {shown.rstrip(chr(39))}."
    assert said.rstrip("'") in Texts().word("worker_unavailable", details, "en")[0]
