"""The manual in a browser: readable without scripts, by everybody, on a phone and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.studio import DESKTOP, PHONE, Studio, Visit
from tests.browser.test_access import serious_findings

pytestmark = pytest.mark.slow


@pytest.fixture
def opened(browser: Browser, fake_studio: Studio) -> Iterator[Any]:
    """Opens a page of the manual in a window of its own; says so if anything is asked of another host."""
    contexts = []

    def open_one(path: str, size: tuple[int, int] = DESKTOP, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{fake_studio.address}{path}")
        return page

    yield open_one
    for context in contexts:
        context.close()


def test_it_is_read_and_searched_without_scripts(opened: Any) -> None:
    page = opened("/help", java_script_enabled=False)
    page.get_by_role("navigation").get_by_role("link", name="Sampling", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sampling")
    page.get_by_role("searchbox").fill("private mode")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("main").get_by_role("link", name="Private mode", exact=True).first.click()
    expect(page).to_have_url(re.compile(r"/help/gallery\?lang=en#private-mode$"))
    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


@pytest.mark.parametrize(
    ("path", "size", "scheme"),
    [
        ("/help/http-api", DESKTOP, "light"),
        ("/help/sampling?lang=zh-CN", PHONE, "dark"),
        ("/help?q=seed", PHONE, "light"),
        ("/help/no-such-page", DESKTOP, "dark"),
    ],
)
def test_everybody_can_read_it(opened: Any, path: str, size: tuple[int, int], scheme: str) -> None:
    page = opened(path, size, color_scheme=scheme)
    assert serious_findings(Visit(page=page, context=page.context, address="")) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_paper_shows_the_text_alone(opened: Any) -> None:
    page = opened("/help/prompts", color_scheme="dark")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation")).to_be_hidden()
    expect(page.get_by_role("searchbox")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor") == "rgb(255, 255, 255)"
