"""Looks on the page: several of them, sent by name, kept, given back; and what version 1 kept of its one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.studio import Studio, Visit
from tests.browser.test_steps import branch_chip, drawn, step_buttons, track

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]
KEPT_BY_VERSION_1 = Path(__file__).parents[1] / "storage" / "data_v1" / "browser.json"


def choose(visit: Visit, *names: str) -> None:
    visit.page.locator(".looks-button").click()
    for name in names:
        visit.control(name).check()
    visit.control("Prompt").click()  # closes the list
    expect(visit.page.locator(".looks-pop")).to_be_hidden()
    expect(chosen(visit)).to_have_text(", ".join(names))


def chosen(visit: Visit) -> Locator:
    return visit.page.locator(".looks-chosen")


def test_looks_are_sent_by_name_in_their_order_and_given_back(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("a lake")
    choose(visit, "Ink drawing", "Watercolour")
    job = visit.generate()
    visit.wait_job(job)
    request = visit.page.evaluate("async (id) => (await (await fetch(`/api/jobs/${id}`)).json()).request", job)
    assert (request["prompt"], request["looks"]) == ("a lake", ["ink", "watercolour"])
    assert request["resolved_prompts"][0]["prompt"] not in ("", "a lake")
    visit.page.locator(".looks-button").click()
    visit.control("Ink drawing").uncheck()
    visit.page.keyboard.press("Escape")
    expect(chosen(visit)).to_have_text("Watercolour")
    visit.button("Details").click()
    expect(visit.page.locator(".details")).to_contain_text("Ink drawing, Watercolour")
    visit.button("Use these settings").click()
    expect(chosen(visit)).to_have_text("Ink drawing, Watercolour")
    expect(visit.control("Prompt")).to_have_value("a lake")


def test_a_branch_has_what_the_looks_made_and_no_looks(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    choose(visit, "Watercolour")
    drawn(visit)
    track(visit).press("ArrowLeft")
    button = step_buttons(visit).get_by_role("button", name="Branch")
    expect(button).to_be_enabled()
    button.press("Enter")
    expect(branch_chip(visit)).to_be_visible()
    expect(chosen(visit)).to_have_text("Looks")
    expect(visit.control("Prompt")).to_have_value(re.compile("^a lake at noon steps=8 delay=0.03, watercolour"))


def test_looks_survive_a_reload_and_speak_the_pages_language(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio, locale="zh-CN")
    visit.page.locator(".looks-button").click()
    visit.control("水彩").check()
    expect(chosen(visit)).to_have_text("水彩")
    visit.page.keyboard.press("Escape")
    visit.page.reload()
    expect(chosen(visit)).to_have_text("水彩")


def test_what_version_1_kept_draws_the_same(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    kept = json.loads(KEPT_BY_VERSION_1.read_text(encoding="utf-8"))
    controls = {**json.loads(kept["darkroom.controls"]), "checkpoint": "starter", "scheduler": "euler"}
    kept = {**kept, "darkroom.controls": json.dumps(controls), "darkroom.untouched": "[]"}
    visit.page.evaluate(
        "(kept) => Object.entries(kept).forEach(([key, text]) => localStorage.setItem(key, text))", kept
    )
    visit.page.reload()
    expect(visit.control("Prompt")).to_have_value("a lake kept by the browser")
    expect(chosen(visit)).to_have_text(["Watercolour"])
    job = visit.generate()
    request = visit.page.evaluate("async (id) => (await (await fetch(`/api/jobs/${id}`)).json()).request", job)
    assert (request["sigmas"], request["sigma_range"], request["steps"]) == ("karras", "timesteps", 7)
