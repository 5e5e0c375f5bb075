"""The best of several on the page: asked for, shown best first, the rest in a fold, and one of it kept after all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.studio import PHONE, Studio, Visit
from tests.browser.test_access import serious_findings

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]
PROMPT = "a lake scores=0.1,0.31,0.2,-0.05,0.3,0.11,0.12,0.13 steps=2 delay=0"


def chip(visit: Visit, group: str, name: str) -> Locator:
    return visit.page.get_by_role("radiogroup", name=group, exact=True).get_by_label(name, exact=True)


def ask(visit: Visit, images: str, keep: str) -> str:
    """Asks by keyboard and chips for so many of so many; the job's id once it has finished."""
    visit.write(PROMPT)
    chip(visit, "Images", images).check(force=True)
    chip(visit, "Keep best", keep).check(force=True)
    job = visit.generate()
    visit.wait_state("finished")
    return job


def on_stage(visit: Visit) -> list[str]:
    """The scores of the pictures side by side, in their order."""
    return [text.split(": ")[1] for text in visit.page.locator("#stage .frame .score").all_text_contents()]


def in_fold(visit: Visit) -> list[str]:
    return [text.split(": ")[1] for text in visit.page.locator(".rest-list .score").all_text_contents()]


def test_the_best_come_first_and_one_more_can_be_kept(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    page = visit.page
    job = ask(visit, "8", "2")
    assert on_stage(visit) == ["0.310", "0.300"]
    expect(page.locator("#stage .score").first).to_have_attribute(
        "title", "Fits the prompt: 0.310. Compare it only within one prompt and one critic."
    )
    expect(page.locator(".rail-list .thumb-mark").first).to_have_text("2")
    visit.button("6 more that fit less well").press("Enter")
    assert in_fold(visit) == ["0.200", "0.130", "0.120", "0.110", "0.100", "−0.050"]
    assert serious_findings(visit) == []
    page.locator(".rest-show").nth(3).press("Enter")
    assert on_stage(visit) == ["0.110"]
    visit.button("Details").click()
    details = page.locator(".details")
    for row in ("Fits the prompt0.110", "Rank6 of 8", "Criticclip/fake", "Keep best2"):
        expect(details).to_contain_text(row)
    page.keyboard.press("Escape")
    page.locator(".rest-show").nth(3).press("Enter")
    visit.button("Keep this too").first.press("Enter")
    expect(visit.button("5 more that fit less well")).to_be_visible()
    assert on_stage(visit) == ["0.310", "0.300", "0.200"]
    page.reload()
    visit.wait_job(job)
    expect(visit.button("5 more that fit less well")).to_be_visible()
    assert on_stage(visit) == ["0.310", "0.300", "0.200"]


def test_the_gallery_folds_what_fits_less(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    page = visit.page
    job = ask(visit, "4", "1")
    page.locator(".rail-gallery").click()
    group = page.locator(f'.grid > [data-job="{job}"]')
    tiles = group.locator("visible=true").filter(has=page.locator(".score"))
    fold = page.locator(f'.cell-fold[data-job="{job}"]')
    expect(tiles).to_have_count(1)
    expect(fold).to_have_accessible_name("3 more that fit less well")
    fold.press("Enter")
    expect(tiles).to_have_count(4)
    assert [text.split(": ")[1] for text in tiles.all_text_contents()] == ["0.310", "0.200", "0.100", "−0.050"]
    assert serious_findings(visit) == []
    tiles.nth(2).click()
    visit.button("Keep this too").click()
    expect(visit.button("Keep this too")).to_have_count(0)
    visit.button("Back").click()
    expect(page.locator("#note")).to_contain_text("Kept.")
    assert [text.split(": ")[1] for text in tiles.all_text_contents()] == ["0.310", "0.100", "0.200", "−0.050"]
    page.locator("#note .link").click()
    expect(page.locator("#note")).to_contain_text("Set aside again.")
    tiles.nth(3).click()
    visit.button("Delete").click()
    expect(tiles).to_have_count(3)
    fold.press("Enter")
    expect(fold).to_have_accessible_name("2 more that fit less well")
    page.locator("#note .link").click()
    expect(fold).to_have_accessible_name("3 more that fit less well")


def test_it_is_offered_where_it_means_something(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    page = visit.page
    row = page.locator("#best_row")
    expect(row).to_be_hidden()
    offered = page.locator("#keep_best label").locator("visible=true")
    for images, choices in (("2", ["All", "1"]), ("4", ["All", "1", "2"]), ("8", ["All", "1", "2", "4"])):
        chip(visit, "Images", images).check(force=True)
        expect(offered).to_have_text(choices)
    chip(visit, "Keep best", "4").check(force=True)
    chip(visit, "Images", "4").check(force=True)
    expect(chip(visit, "Keep best", "All")).to_be_checked()
    models = Path(fake_studio.flags[1])
    away = models / "elsewhere"
    shutil.move(models / "clip", away)
    try:
        page.reload()
        expect(page.locator("#best_why")).to_have_text(
            "To choose the best, put a folder with a CLIP model into models/clip."
        )
        expect(chip(visit, "Keep best", "2")).to_be_disabled()
        assert serious_findings(visit) == []
    finally:
        shutil.move(away, models / "clip")


def test_on_a_phone_everything_is_within_reach(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio, PHONE)
    page = visit.page
    page.locator("#more_box button").click()
    ask(visit, "8", "4")
    assert on_stage(visit) == ["0.310", "0.300", "0.200", "0.130"]
    page.locator(".rest-toggle").tap()
    page.locator(".rest-list li").last.scroll_into_view_if_needed()
    sizes = page.evaluate(
        """() => [...document.querySelectorAll(".stage-rest button, #keep_best label, #num_images label")]
            .map((node) => node.getBoundingClientRect())
            .filter(({ width }) => width).map(({ width, height }) => Math.min(width, height))"""
    )
    assert min(sizes) >= 43.5
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert serious_findings(visit) == []
