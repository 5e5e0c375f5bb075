"""Words to pick from, for a checkpoint that names those it knows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.studio import DESKTOP, PHONE, Studio, Visit
from tests.browser.test_access import serious_findings

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]


def word(visit: Visit, name: str) -> Locator:
    return visit.page.locator(".words-pop").get_by_role("button", name=name, exact=True)


@pytest.mark.parametrize(("size", "locale"), [(DESKTOP, "en-US"), (PHONE, "zh-CN")], ids=["desktop", "phone"])
def test_words_are_picked_beside_free_typing(
    fake_studio: Studio, browser: Browser, open_page: OpenPage, size: tuple[int, int], locale: str
) -> None:
    visit = open_page(fake_studio, size=size, locale=locale)
    names = {
        "en-US": ("lighthouse", "desert", "beach", "red", "my own words, red lighthouse, beach", "my own words, beach"),
        "zh-CN": ("灯塔", "沙漠", "海滩", "红色", "my own words，红色的灯塔，海滩", "my own words，海滩"),
    }[locale]
    thing, wrong, place, colour, whole, rest = names
    prompt = visit.page.locator("#prompt textarea")
    prompt.fill("my own words")
    visit.page.locator(".words-button").click()
    expect(word(visit, colour)).to_have_attribute("aria-disabled", "true")  # of what?
    word(visit, thing).click()
    expect(word(visit, thing)).to_have_attribute("aria-pressed", "true")
    expect(word(visit, wrong)).to_have_attribute("aria-disabled", "true")
    assert thing in (word(visit, wrong).get_attribute("title") or "")
    word(visit, wrong).click(force=True)
    expect(word(visit, wrong)).to_have_attribute("aria-pressed", "false")
    expect(visit.page.locator(".words-why")).to_contain_text(thing)
    word(visit, place).click()
    word(visit, colour).click()
    expect(prompt).to_have_value(whole)
    assert serious_findings(visit) == []
    word(visit, thing).click()
    expect(prompt).to_have_value(rest)
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator(".words-pop")).to_be_hidden()
    prompt.fill("")
    visit.page.locator(".words-button").click()
    expect(word(visit, place)).to_have_attribute("aria-pressed", "false")
