"""Texts in any language are read back from whatever encoding they were written in."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webui.encodings import decoded, utf8_or

TEXTS = [
    "湖边的小屋，水彩",
    "山水画，月光下的古寺，雾气缭绕，大师之作",
    "夜の湖、月明かり、水彩画",
    "호수의 밤, 달빛",
    "🌊🏔️🌙✨🎨",
    "лунная ночь, озеро",
    "é à la plage, façade",
    "قمر فوق البحيرة",
    "a lake at night\nSteps: 20, Sampler: Euler a, Seed: 1",
    "月\nSteps: 20, Seed: 1",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le", "utf-8"])
@pytest.mark.parametrize("order", ["be", "le"])
def test_unicode_in_any_of_its_encodings(text: str, encoding: str, order: str) -> None:
    utf16 = ("utf-16-be", "utf-16-le") if order == "be" else ("utf-16-le", "utf-16-be")
    assert decoded(text.encode(encoding), (*utf16, "utf-8")) == text


@pytest.mark.parametrize("text", TEXTS)
def test_byte_order_marks_are_believed(text: str) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        assert decoded(text.encode(encoding), ("utf-16-be",)) == text


@pytest.mark.parametrize(
    ("content", "text"), [("湖".encode(), "湖"), ("é".encode("latin-1"), "é"), (b"", ""), (b"\xff", "ÿ")]
)
def test_strict_utf_8_or_another(content: bytes, text: str) -> None:
    assert utf8_or(content, "latin-1") == text


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(content: bytes) -> None:
    decoded(content, ("utf-8", "utf-16-be", "utf-16-le", "gb18030", "iso2022_jp", "latin-1")).encode(errors="replace")


def test_large_texts_take_no_time() -> None:
    content = "湖边".encode("utf-16-le") * 500_000
    began = time.perf_counter()
    assert decoded(content, ("utf-16-be", "utf-16-le", "utf-8")) == "湖边" * 500_000
    assert time.perf_counter() - began < 1
