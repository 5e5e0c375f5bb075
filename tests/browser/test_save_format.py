"""Saving as PNG, JPEG or WebP: a choice that the browser keeps."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Route, expect

from tests.browser.studio import Studio, Visit

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]


def saved(visit: Visit, place: str) -> tuple[str, Image.Image]:
    """Name and content of what Save gives in `place`."""
    with visit.page.expect_download() as download:
        visit.page.locator(place).get_by_role("link", name="Save", exact=True).click()
    content = Path(download.value.path()).read_bytes()
    return download.value.suggested_filename, Image.open(io.BytesIO(content))


def test_the_format_is_chosen_once(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("a calm lake steps=2 delay=0")
    visit.generate()
    visit.wait_state("finished")
    name, image = saved(visit, "#stage_box")
    assert (name[-4:], image.format) == (".png", "PNG")
    picker = visit.page.locator("#stage_box").get_by_label("File format")
    picker.focus()
    visit.page.keyboard.press("ArrowDown")
    expect(picker).to_have_value("jpeg")
    name, image = saved(visit, "#stage_box")
    assert (name[-4:], image.format) == (".jpg", "JPEG")
    assert b"a calm lake" in image.info["xmp"]
    picker.select_option("webp")
    visit.page.reload()
    expect(picker).to_have_value("webp")
    visit.page.get_by_role("button", name="Gallery", exact=True).locator("visible=true").first.click()
    visit.page.locator(".cell").first.click()
    expect(visit.page.locator(".sheet-one").get_by_label("File format")).to_have_value("webp")
    name, image = saved(visit, ".sheet-one")
    assert (name[-5:], image.format) == (".webp", "WEBP")


def test_texts_that_have_no_room_in_a_format_are_said(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("a calm lake steps=2 delay=0")
    visit.generate()
    visit.wait_state("finished")

    def without_room(route: Route) -> None:
        if route.request.method == "HEAD":
            return route.fulfill(status=200, headers={"Darkroom-Left-Out": "parameters, darkroom"})
        return route.continue_()

    visit.page.locator("#stage_box").get_by_label("File format").select_option("jpeg")
    visit.page.route("**/api/images/*format=jpeg", without_room)
    saved(visit, "#stage_box")
    expect(visit.page.locator("#note")).to_contain_text("too long for this format")
    visit.page.locator("#stage_box").get_by_label("File format").select_option("png")
    visit.page.locator("#note").evaluate("(note) => note.replaceChildren()")
    saved(visit, "#stage_box")
    expect(visit.page.locator("#note")).to_have_text("")
