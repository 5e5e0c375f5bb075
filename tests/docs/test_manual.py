"""The manual's pages: all there, in step with their translations, and found by their words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from webui.docs.manual import FOLDER, PAGES, Manual
from webui.docs.search import MAX_RESULTS, search
from webui.texts import LANGUAGES, Language
from webui.ui.language import Words

FIRST_PAGES = PAGES[:4]


@pytest.fixture(scope="module")
def manual() -> Manual:
    return Manual()


def test_the_pages_are_the_files() -> None:
    assert {path.stem for path in (FOLDER / "en").glob("*.md")} == set(PAGES)
    assert {path.stem for path in (FOLDER / "zh-CN").glob("*.md")} <= set(PAGES)


def test_the_first_pages_are_in_every_language(manual: Manual) -> None:
    for language in LANGUAGES:
        assert [manual.page(name, language).language for name in FIRST_PAGES] == [language] * 4  # type: ignore[union-attr]


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_same_headings(manual: Manual, language: Language) -> None:
    for name in PAGES:
        here, original = manual.page(name, language), manual.page(name, "en")
        assert here is not None
        assert original is not None
        assert [(s.anchor, s.level) for s in here.sections] == [(s.anchor, s.level) for s in original.sections]


def test_only_names_of_pages_lead_anywhere(manual: Manual) -> None:
    for name in ("", "../en/sampling", "sampling.md", "/etc/passwd", "Sampling", "manual"):
        assert manual.page(name, "en") is None


def test_a_page_without_translation_is_shown_in_english(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "a.md").write_text("# A page\n", encoding="utf-8")
    page = Manual(tmp_path, ("a",)).page("a", "zh-CN")
    assert page is not None
    assert (page.language, page.title) == ("en", "A page")


# Words in italics that are no label: names of schedulers and cells of tables.
NO_LABELS = {"Euler a", "DPM2 a", "DDIM", "At toy size", "Not yet", "Other families"}


def test_controls_are_called_by_their_labels() -> None:
    labels = set(Words().by_language["en"].values()) | NO_LABELS
    for name in PAGES:
        if name != "troubleshooting":  # which quotes sentences
            named = re.findall(
                r"(?<![*\w])\*([A-Z→][^*\n]+)\*(?!\*)", (FOLDER / "en" / f"{name}.md").read_text("utf-8")
            )
            assert set(named) - labels == set(), name


@pytest.mark.parametrize(
    ("query", "language", "name", "anchor"),
    [
        ("private mode", "en", "gallery", "private-mode"),
        ("SIGMAS", "en", "sampling", "sigmas"),
        ("lora", "en", "models", "loras"),
        ("idempotency-key", "en", "http-api", "repeating-a-call-safely"),
        ("噪声调度", "zh-CN", "sampling", "sigmas"),
    ],
)
def test_the_best_result_comes_first(manual: Manual, query: str, language: Language, name: str, anchor: str) -> None:
    first = search(manual.pages(language), query)[0]
    assert (first.page.name, first.anchor) == (name, anchor)


def test_all_words_have_to_be_there_and_an_excerpt_shows_one(manual: Manual) -> None:
    found = search(manual.pages("en"), "wildcards seed")
    assert found
    for result in found:
        assert "wildcard" in f"{result.title} {result.excerpt}".lower() or "seed" in result.excerpt.lower()
    assert search(manual.pages("en"), "wildcards xyzzy") == ()
    assert search(manual.pages("en"), "   ") == ()
    assert len(search(manual.pages("en"), "e")) == MAX_RESULTS
