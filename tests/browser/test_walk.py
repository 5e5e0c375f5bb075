"""From one picture of the gallery to another: the two ends are chosen there, the stage goes along the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.studio import Studio, Visit

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]


def test_a_walk_is_begun_in_the_gallery_and_slid_along_on_the_stage(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    page = visit.page
    for prompt in ("walk from a lake steps=2 delay=0.01", "walk to a city steps=2 delay=0.01"):
        visit.write(prompt)
        visit.generate()
        visit.wait_state("finished")
    page.get_by_role("button", name="Gallery", exact=True).click()
    gallery = page.get_by_role("dialog", name="Gallery")
    gallery.locator(".cell[title^='walk from a lake']").first.click()
    gallery.get_by_role("button", name="Walk to…").click()
    expect(gallery.get_by_text("Choose the picture to walk to.")).to_be_visible()
    gallery.locator(".cell[title^='walk to a city']").first.click()
    gallery.get_by_label("How many pictures").select_option("5")
    job = visit.submit(lambda: gallery.get_by_role("button", name="Make the pictures between").click())
    expect(gallery).to_be_hidden()
    visit.wait_state("finished")
    asked = page.evaluate("async (id) => (await (await fetch(`/api/jobs/${id}`)).json()).request", job)
    assert asked["num_images"] == 5
    assert asked["prompt"].startswith("walk from a lake")
    assert asked["walk_to"]["prompt"].startswith("walk to a city")

    slider = page.get_by_role("slider", name="Position in the walk")
    expect(slider).to_have_attribute("aria-valuetext", "picture 1 of 5")
    shown = page.locator("#stage .frame img")
    expect(shown).to_have_count(1)
    first = shown.get_attribute("src")
    slider.focus()
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "picture 5 of 5")
    expect(shown).not_to_have_attribute("src", str(first))
    assert visit.job() == job  # the arrow keys went along the walk, not to another job
    shown.click()
    expect(shown).to_have_count(5)  # all of it at once

    visit.open_gallery()  # one of it can be made again alone
    gallery.locator(".cell[title^='walk from a lake']").nth(1).click()
    before = set(visit.job_ids())
    gallery.get_by_role("button", name="Make again").click()
    expect(gallery.get_by_role("status").filter(has_text="identical, pixel for pixel")).to_be_visible()
    (made,) = set(visit.job_ids()) - before
    asked = page.evaluate("async (id) => (await (await fetch(`/api/jobs/${id}`)).json()).request", made)
    assert (asked["num_images"], asked["only_image"], asked["walk_to"] is not None) == (5, 3, True)


def test_a_walk_can_be_given_up(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("given up steps=2 delay=0.01")
    visit.generate()
    visit.wait_state("finished")
    visit.page.get_by_role("button", name="Gallery", exact=True).click()
    gallery = visit.page.get_by_role("dialog", name="Gallery")
    gallery.locator(".cell").first.click()
    gallery.get_by_role("button", name="Walk to…").click()
    visit.page.keyboard.press("Escape")
    expect(gallery.get_by_text("Choose the picture to walk to.")).to_be_hidden()
    expect(gallery).to_be_visible()
    gallery.locator(".cell").first.click()
    expect(gallery.get_by_role("button", name="Use these settings")).to_be_visible()
