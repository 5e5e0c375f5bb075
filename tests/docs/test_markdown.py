"""Markdown becomes safe HTML with anchors and addresses."""

from __future__ import annotations

import pytest

from webui.docs.markdown import anchors_of, render


def html_of(text: str) -> str:
    return render(text, anchors_of(text), "en")[0]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "<!-- hidden --> shown",
        "[x](javascript:alert(1))",
    ],
)
def test_raw_html_and_scripts_are_shown_as_text(text: str) -> None:
    html = html_of(text)
    assert "<script" not in html
    assert "<img" not in html
    assert "<!--" not in html
    assert "<a " not in html


def test_the_marks_around_generated_tables_are_left_out() -> None:
    html = html_of("<!-- table: flags -->\n| a |\n|---|\n| b |\n<!-- end of table -->\n\nAfter.\n")
    assert "table:" not in html
    assert "<td>b</td>" in html
    assert "<p>After.</p>" in html


def test_headings_have_githubs_anchors_each_once() -> None:
    assert anchors_of("# What's new?\n## What is refused\n## What is refused\n") == [
        "whats-new",
        "what-is-refused",
        "what-is-refused-1",
    ]


def test_a_translation_has_the_anchors_of_the_original() -> None:
    html, sections = render("# 采样\n\n## 噪声调度\n", anchors_of("# Sampling\n\n## Sigmas\n"), "zh-CN")
    assert '<h2 id="sigmas">噪声调度</h2>' in html
    assert [(section.anchor, section.title) for section in sections] == [("sampling", "采样"), ("sigmas", "噪声调度")]


def test_other_headings_than_the_originals_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        render("# 采样\n\n## 噪声调度\n", ["sampling"], "zh-CN")


def test_links_between_pages_keep_the_language() -> None:
    html, _ = render("[a](models.md#loras) [b](https://example.org/x.md) [c](#here) [d](../en/data.md)", [], "zh-CN")
    assert 'href="/help/models?lang=zh-CN#loras"' in html
    assert 'href="https://example.org/x.md"' in html
    assert 'href="#here"' in html
    assert 'href="/help/data?lang=zh-CN"' in html


def test_sections_hold_their_plain_text() -> None:
    _, sections = render(
        "# Title\n\nA *first*\nline.\n\n## Next\n\n| a |\n|---|\n| `b` |\n\n```\ncode\n```\n", ["t", "n"], "en"
    )
    assert sections[0].text == "A first line."
    assert sections[1].text.split() == ["a", "b", "code"]


def test_lines_of_chinese_are_joined_without_a_space() -> None:
    assert "<p>画笔和橡皮</p>" in html_of("# 图\n\n画笔和\n橡皮\n")
    assert "<p>按 Ctrl\n生成</p>" in html_of("# 图\n\n按 Ctrl\n生成\n")
