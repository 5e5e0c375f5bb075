"""Whatever the launcher says, it says in both languages, with the same blanks."""

from __future__ import annotations

import ast
import io
import string
from pathlib import Path

import pytest

from webui.launch import words
from webui.launch.console import Console
from webui.launch.launch_error import LaunchError

FOLDER = Path(words.__file__).parent


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("table", [words.ERRORS, words.LINES])
def test_both_languages_have_the_same_blanks(table: dict[str, tuple[str, str]]) -> None:
    for name, (english, chinese) in table.items():
        assert blanks(english) == blanks(chinese), name


def test_every_error_that_is_raised_has_its_sentence() -> None:
    kinds = {
        node.args[0].value
        for path in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "LaunchError"
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert kinds
    assert kinds <= set(words.ERRORS)


def test_a_taken_port_is_worded_with_what_to_do() -> None:
    error = LaunchError("port_in_use", host="127.0.0.1", port=7860, free=7861)
    assert "--port 7861" in words.sentence(error, "en")
    assert "端口 7860" in words.sentence(error, "zh-CN")


@pytest.mark.parametrize(
    ("variables", "language"),
    [({"LANG": "zh_CN.UTF-8"}, "zh-CN"), ({"LANG": "de_DE"}, "en"), ({"LC_ALL": "C", "LANG": "zh_CN"}, "en")],
)
def test_the_console_speaks_its_language(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert words.console_language() == language


def test_a_console_that_cannot_write_chinese_does_not_fail() -> None:
    raw = io.BytesIO()
    console = Console(io.TextIOWrapper(raw, encoding="ascii"), "zh-CN")
    console.line("serving", address="http://127.0.0.1:7860")
    assert b"http://127.0.0.1:7860" in raw.getvalue()
