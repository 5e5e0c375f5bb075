"""The gallery as people use it: looking for pictures, keeping them in order, taking many at once, comparing two."""

from __future__ import annotations

import datetime
import io
import sqlite3
import zipfile
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.studio import PHONE, Studio, Visit
from tests.browser.test_access import serious_findings

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]


def make(studio: Studio, *prompts: str) -> None:
    """Pictures with these prompts, the last one the newest."""
    with httpx.Client(base_url=studio.address) as client:
        for seed, prompt in enumerate(prompts):
            request = {"prompt": f"{prompt} delay=0", "steps": 1, "seed": seed}
            job = client.post("/api/text-to-image", json=request).raise_for_status().json()["id"]
            with client.stream("GET", f"/api/jobs/{job}/events") as events:
                events.read()


def put_back(studio: Studio, prompt: str, days: int) -> str:
    """Lets the picture with this prompt be so many days old; the day that it then has, as a field takes it."""
    with httpx.Client(base_url=studio.address) as client:
        picture = client.get("/api/gallery", params={"q": prompt}).raise_for_status().json()["pictures"][0]
    seconds = picture["created"] - 86400 * days
    database = sqlite3.connect(studio.data_dir / "darkroom.sqlite3")
    with database:
        database.execute("UPDATE pictures SET created = ? WHERE id = ?", (seconds, picture["id"]))
    database.close()
    return datetime.datetime.fromtimestamp(seconds).date().isoformat()


def tile(visit: Visit, prompt: str) -> Locator:
    return visit.page.locator(f".cell[title^='{prompt}']:not([hidden])")


def gallery_of(visit: Visit, query: str) -> None:
    """Opens the gallery with the pictures of a test's own."""
    visit.page.get_by_role("button", name="Gallery", exact=True).click()
    visit.control("Search the prompts").fill(query)


def expect_count(visit: Visit, said: str) -> None:
    expect(visit.page.locator(".gallery-count")).to_have_text(said)


def test_finding_by_words(fake_studio: Studio, open_page: OpenPage) -> None:
    make(fake_studio, "sought red fox", "sought 秋树湖泊", "sought red house", "sought <img src=x onerror=alert(1)>")
    visit = open_page(fake_studio)
    gallery_of(visit, "sought red")
    expect_count(visit, "2 pictures")
    search = visit.control("Search the prompts")
    search.fill("sought 湖")
    expect_count(visit, "1 picture")
    search.press("Escape")
    expect(search).to_have_value("")
    search.fill("sought r")
    expect_count(visit, "2 pictures")
    search.fill("sought")
    expect_count(visit, "4 pictures")
    for _ in range(2):
        visit.page.keyboard.press("Escape")
    expect(visit.page.get_by_role("dialog", name="Gallery")).to_be_hidden()


def test_many_are_picked_downloaded_deleted_and_brought_back(fake_studio: Studio, open_page: OpenPage) -> None:
    make(fake_studio, "many one", "many two", "many three", "many <img src=x onerror=alert(1)>")
    visit = open_page(fake_studio)
    page = visit.page
    gallery_of(visit, "many")
    expect_count(visit, "4 pictures")
    tile(visit, "many one").click(modifiers=["Control"])
    tile(visit, "many three").click(modifiers=["Shift"])
    expect(page.locator(".picked-count")).to_have_text("3 selected")
    bar = page.locator(".sheet-picked")
    bar.get_by_role("button", name="Favourite ☆").press("Enter")
    expect(page.locator(".cell-star")).to_have_count(3)
    with page.expect_download() as download:
        bar.get_by_role("button", name="Download").click()
    names = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())).namelist()
    assert len(names) == 4
    assert names[-1] == "metadata.json"
    bar.get_by_role("button", name="Delete").click()
    expect(page.locator("#note")).to_contain_text("3 pictures deleted.")
    expect(page.locator(".cell:not([hidden])")).to_have_count(1)
    expect_count(visit, "1 picture")
    page.locator("#note").get_by_role("button", name="Undo").click()
    expect(page.locator(".cell:not([hidden])")).to_have_count(4)


def test_a_board_is_made_deleted_and_brought_back(fake_studio: Studio, open_page: OpenPage) -> None:
    make(fake_studio, "board one", "board two", "board three")
    visit = open_page(fake_studio)
    page = visit.page
    gallery_of(visit, "board")
    expect_count(visit, "3 pictures")
    tile(visit, "board one").click(modifiers=["Control"])
    tile(visit, "board two").click(modifiers=["Control"])
    page.locator(".sheet-picked").get_by_label("Add to a board…").select_option("New board…")
    visit.control("Name of the board").fill("Foxes & 湖")
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_contain_text("Added to the board “Foxes & 湖”: 2.")
    visit.rest()
    assert serious_findings(visit) == []
    page.get_by_role("button", name="Foxes & 湖 · 2").click()
    expect_count(visit, "2 pictures")
    visit.button("Delete the board").click()
    expect(page.locator("#note")).to_contain_text("Its pictures are still here.")
    page.locator("#note").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Foxes & 湖 · 2")).to_be_visible()


def test_finding_by_day(fake_studio: Studio, open_page: OpenPage) -> None:
    make(fake_studio, "dated fox", "dated house", "dated lake")
    older = put_back(fake_studio, "dated fox", days=3)
    visit = open_page(fake_studio)
    page = visit.page
    gallery_of(visit, "dated")
    expect_count(visit, "3 pictures")
    visit.control("Up to this day").fill(older)
    expect_count(visit, "1 picture")
    expect(tile(visit, "dated fox")).to_be_visible()
    visit.control("Up to this day").fill("")
    expect_count(visit, "3 pictures")
    days = page.locator(".day")
    expect(days).to_have_count(2)
    expect(days.first.locator("h3")).to_have_text("Today")


def test_pictures_of_another_day_are_loaded_when_they_come_into_sight(fake_studio: Studio, open_page: OpenPage) -> None:
    make(fake_studio, *(f"scrolled {name}" for name in ("fox", "house", "lake", "tree")))
    put_back(fake_studio, "scrolled fox", days=3)
    visit = open_page(fake_studio)
    visit.page.set_viewport_size({"width": 390, "height": 200})  # the other day lies screens away
    visit.open_gallery()
    visit.control("Search the prompts").fill("scrolled")
    expect_count(visit, "4 pictures")
    older = visit.page.locator(".day").last
    images = older.locator(".cell img")
    expect(images).to_have_count(0)
    older.scroll_into_view_if_needed()
    expect(images).to_have_count(1)
    expect(images).to_have_js_property("complete", True)


def test_comparing_two_on_a_phone_past_a_damaged_one(fake_studio: Studio, open_page: OpenPage) -> None:
    make(fake_studio, "cmp a calm lake", "cmp broken", "cmp a calm night lake")
    files = sorted(fake_studio.data_dir.glob("pictures/*/*/*.png"), key=lambda path: path.stat().st_mtime_ns)
    whole = files[-2].read_bytes()
    files[-2].write_bytes(whole[:200])
    visit = open_page(fake_studio, PHONE, scheme="dark")
    page = visit.page
    visit.open_gallery()
    visit.control("Search the prompts").fill("cmp")
    expect(page.locator(".gallery-count")).to_have_text("3 pictures")
    expect(page.locator(".cell .broken-text")).to_have_text("This picture’s file cannot be read.")
    visit.button("Select").click()
    visit.button("Select all of: Today").click()
    expect(page.locator(".picked-count")).to_have_text("3 selected")
    tile(visit, "cmp broken").click()
    visit.button("Compare").click()
    divider = page.get_by_role("slider", name="Divider between the pictures")
    expect(divider).to_be_focused()
    page.keyboard.press("End")
    expect(divider).to_have_attribute("aria-valuetext", "100 % left")
    table = page.get_by_role("table")
    expect(table.get_by_role("row", name="Prompt").locator("mark")).to_have_text(["night"])
    expect(table.get_by_role("row", name="Seed")).to_be_visible()
    assert serious_findings(visit) == []
    for button in page.locator(".sheet-compare button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    page.keyboard.press("Escape")
    expect(page.locator(".picked-count")).to_have_text("2 selected")
    visit.errors[:] = [error for error in visit.errors if "/api/images/" not in error]  # the damaged one's thumbnail
    files[-2].write_bytes(whole)
