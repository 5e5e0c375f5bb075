"""The strip's steps on the page: kept, branched off from, saved; by keyboard and by finger."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.studio import PHONE, Studio, Visit
from tests.browser.test_access import serious_findings

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]


def request_of(visit: Visit, job: str) -> Any:
    return visit.page.evaluate("async (id) => (await (await fetch(`/api/jobs/${id}`)).json()).request", job)


def newest_but(visit: Visit, *known: str) -> str:
    """The one job that is new."""
    script = "async (n) => (await (await fetch('/api/jobs')).json()).length > n"
    visit.page.wait_for_function(script, arg=len(known))
    (new,) = set(visit.job_ids()) - set(known)
    return new


def drawn(visit: Visit) -> str:
    """The job of a lake in eight steps, which stands on the stage."""
    visit.write("a lake at noon steps=8 delay=0.03")
    visit.page.locator("#steps input[type=number]").fill("8")
    job = visit.generate()
    visit.wait_state("finished")
    return job


def step_buttons(visit: Visit) -> Locator:
    return visit.page.get_by_role("group", name="Actions for this step")


def track(visit: Visit) -> Locator:
    return visit.page.get_by_role("slider", name="Previews so far")


def branch_chip(visit: Visit) -> Locator:
    return visit.page.get_by_role("group", name="Branch", exact=True)


def test_a_step_is_kept_and_the_strip_saved(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    origin = drawn(visit)
    before = visit.job_ids()
    buttons = step_buttons(visit)
    expect(buttons).to_be_hidden()
    for _ in range(3):
        track(visit).press("ArrowLeft")
    expect(visit.page.locator(".progress")).to_have_text("Step 5 of 8")
    expect(buttons).to_be_visible()
    assert serious_findings(visit) == []
    buttons.get_by_role("button", name="Keep this").press("Enter")
    expect(visit.page.locator("#note")).to_contain_text("Step 5 of 8 is now in the gallery.")
    kept = newest_but(visit, *before)
    assert request_of(visit, kept)["stop_after"] == 5
    assert visit.job() == origin  # the stage stays where it is
    with visit.page.expect_download() as download:
        buttons.get_by_role("link", name="Save strip").click()
    assert download.value.suggested_filename.endswith(".webp")


def test_another_picture_branches_off_a_step_also_after_a_reload(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    origin = drawn(visit)
    for _ in range(3):
        track(visit).press("ArrowLeft")
    branch_button = step_buttons(visit).get_by_role("button", name="Branch")
    expect(branch_button).to_be_enabled()
    branch_button.press("Enter")
    chip = branch_chip(visit)
    expect(chip).to_contain_text("Branching from step 5 of 8: a lake at noon")
    expect(visit.page.locator("#steps")).to_have_attribute("inert", "")
    visit.page.reload()
    expect(visit.page.locator("html[data-settled]")).to_be_attached()
    expect(chip).to_be_visible()
    visit.write("a lake in winter steps=8 delay=0.03")
    branch = visit.generate()
    asked = request_of(visit, branch)
    assert (asked["prompt"], asked["branch_from"]["step"]) == ("a lake in winter steps=8 delay=0.03", 5)
    assert asked["seed"] == request_of(visit, origin)["seed"]
    visit.wait_state("finished")
    expect(chip).to_be_hidden()  # a branch is for one picture
    track(visit).press("Home")
    step_buttons(visit).get_by_role("button", name="Branch").click()
    expect(chip).to_contain_text("Branching from step 1 of 8: a lake in winter")
    chip.get_by_role("button", name="Cancel the branch").click()
    expect(chip).to_be_hidden()


def test_settings_of_a_branch_from_the_gallery_do_not_branch(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    drawn(visit)
    track(visit).press("Home")
    step_buttons(visit).get_by_role("button", name="Branch").click()
    visit.write("a lake in autumn steps=8 delay=0.03")
    visit.generate()
    visit.wait_state("finished")
    visit.open_gallery()
    visit.page.locator(".cell[title^='a lake in autumn']").first.click()
    visit.page.get_by_role("button", name="Use these settings").click()
    expect(visit.page.locator("#note")).to_contain_text("a branch or a kept step")
    plain = visit.generate()
    assert request_of(visit, plain)["branch_from"] is None


def test_a_step_that_is_no_longer_in_memory_is_said_to_be_drawn_again(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("forget steps=2 delay=0")
    visit.generate()
    visit.wait_state("finished")
    track(visit).press("Home")
    expect(step_buttons(visit)).to_contain_text("No longer in memory: steps up to 1 are computed again first.")


def test_what_stands_on_the_stage_of_a_stopped_job_is_kept_by_finger(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio, PHONE)
    visit.write("a stopped lake wait=never-comes steps=8")
    visit.generate()
    visit.page.wait_for_function("() => document.querySelector('#stage').dataset.step === '1'")
    visit.button("Stop").tap()
    visit.wait_state("cancelled")
    before = visit.job_ids()
    visit.button("Keep this").tap()
    kept = newest_but(visit, *before)
    expect(visit.page.locator("#note")).to_contain_text("is now in the gallery.")
    visit.page.get_by_role("button", name="Show it").tap()
    visit.wait_job(kept)
    expect(visit.page.locator("#stage img")).to_be_visible()
    assert visit.page.locator("#stage").get_attribute("data-step") == "1"


def test_no_picture_branches_off_where_the_job_says_so(fake_studio: Studio, open_page: OpenPage) -> None:
    def unbranched(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), "can_branch": False})

    visit = open_page(fake_studio)
    visit.page.route(lambda url: bool(re.search("/api/jobs/[^/?]+$", url)), unbranched)
    drawn(visit)
    track(visit).press("Home")
    expect(step_buttons(visit)).to_contain_text("You can keep any step of this picture, but not branch from it.")
    expect(step_buttons(visit).get_by_role("button", name="Branch")).to_be_disabled()
    expect(step_buttons(visit).get_by_role("button", name="Keep this")).to_be_enabled()
