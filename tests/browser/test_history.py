"""The browser's Back closes what was opened last, then goes to the tab before; each of them has an address."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.studio import PHONE, Studio, Visit

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]


def leads_back(visit: Visit, shown: Locator, before: str) -> None:
    """Back hides `shown` and leads to the address `before`; the page stays."""
    visit.page.go_back()
    expect(shown).to_be_hidden()
    expect(visit.page).to_have_url(before)
    expect(visit.stage()).to_be_visible()


@pytest.mark.parametrize("button", ["Queue 0", "Share", "Private", "History", "Looks"])
def test_back_closes_a_popover(fake_studio: Studio, open_page: OpenPage, button: str) -> None:
    visit = open_page(fake_studio)
    before = visit.page.url
    visit.page.get_by_role("button", name=button).locator("visible=true").first.click()
    box = visit.page.locator(".pop:visible")
    expect(box).to_be_visible()
    leads_back(visit, box, before)
    visit.page.go_forward()
    expect(box).to_be_visible()


def test_what_is_closed_otherwise_leaves_no_step_behind(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    before = (visit.page.url, visit.page.evaluate("history.length"))
    for _ in range(3):
        visit.button("Looks").click()
        expect(visit.page.locator(".looks-pop")).to_be_visible()
        visit.page.keyboard.press("Escape")
        expect(visit.page).to_have_url(before[0])
    assert visit.page.evaluate("history.length") == before[1] + 1, "the one that forward would go to"


@pytest.mark.parametrize("size", [(1440, 900), PHONE])
def test_back_leads_out_of_picture_and_gallery(fake_studio: Studio, open_page: OpenPage, size: tuple[int, int]) -> None:
    visit = open_page(fake_studio, size)
    visit.write("steps=1 a lake to go back from")
    visit.generate()
    visit.wait_state("finished")
    home = visit.page.url
    visit.open_gallery()
    sheet = visit.page.url
    assert sheet.endswith("/gallery")
    visit.page.locator(".cell").first.click()
    one = visit.page.locator(".sheet-one")
    expect(one).to_be_visible()
    leads_back(visit, one, sheet)
    leads_back(visit, visit.page.locator(".sheet"), home)


def test_a_pictures_address_opens_it_anew(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("steps=1 a lake with an address")
    visit.generate()
    visit.wait_state("finished")
    visit.open_gallery()
    visit.page.locator(".cell").first.click()
    expect(visit.page.locator(".one-details")).to_contain_text("a lake with an address")
    visit.page.reload()
    expect(visit.page.locator(".one-details")).to_contain_text("a lake with an address")
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator(".sheet-one")).to_be_hidden()
    expect(visit.page.locator(".sheet")).to_be_visible()


def reloads_and_goes_back_and_forth(visit: Visit) -> None:
    """On the second of two tabs."""
    visit.page.reload()
    expect(selected(visit.page)).to_have_text("Image to image")
    visit.page.go_back()
    expect(selected(visit.page)).to_have_text("Text to image")
    visit.page.go_forward()
    expect(selected(visit.page)).to_have_text("Image to image")


def test_tabs_are_steps_of_the_history(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    for name in ("Image to image", "Style transfer"):
        visit.tab(name)
        expect(selected(visit.page)).to_have_text(name)
    visit.page.go_back()
    expect(selected(visit.page)).to_have_text("Image to image")
    reloads_and_goes_back_and_forth(visit)


def test_going_back_and_forth_at_once_after_loading_keeps_every_step(fake_studio: Studio, open_page: OpenPage) -> None:
    """Gradio tells late that it has opened a tab: what is told of the one before must not become a step of its own."""
    visit = open_page(fake_studio)
    visit.tab("Image to image")
    expect(selected(visit.page)).to_have_text("Image to image")
    for _ in range(5):
        reloads_and_goes_back_and_forth(visit)


def test_an_address_chooses_the_tab_and_strange_ones_nothing(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.page.goto(f"{fake_studio.address}/#style_transfer")
    visit.page.reload()
    expect(selected(visit.page)).to_have_text("Style transfer")
    visit.page.goto(f"{fake_studio.address}/#nothing/%ff/gallery/%3Cb%3E")
    visit.page.reload()
    expect(selected(visit.page)).to_have_text("Style transfer")
    expect(visit.page.locator(".sheet")).to_be_visible()


def selected(page: Page) -> Locator:
    return page.locator("#tasks [role=tab][aria-selected=true]:visible")


def test_back_closes_the_editor_and_what_was_painted_can_be_taken_up_again(
    fake_studio: Studio, open_page: OpenPage
) -> None:
    visit = open_page(fake_studio)
    visit.tab("Image to image")
    before = visit.page.url
    visit.button("Sketch on an empty sheet").click()
    area = visit.page.locator(".paint-area")
    expect(area).to_be_visible()
    area.click(position={"x": 200, "y": 200})
    leads_back(visit, area, before)
    visit.page.locator("#note").get_by_role("button").click()
    expect(area).to_be_visible()


def test_back_leaves_an_enlarged_picture(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("steps=1 four lakes")
    visit.page.locator("#num_images").get_by_label("4", exact=True).check()
    visit.generate()
    visit.wait_state("finished")
    before = visit.page.url
    visit.page.locator(".stage-pictures .frame").nth(2).click()
    expect(visit.page.locator(".stage-pictures .frame")).to_have_count(1)
    visit.page.go_back()
    expect(visit.page.locator(".stage-pictures .frame")).to_have_count(4)
    expect(visit.page).to_have_url(before)
