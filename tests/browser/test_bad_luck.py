"""What the page does when something goes wrong around it: nothing that was typed is lost, and it goes on by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.studio import ANSWER_SECONDS, Studio, Visit, visit

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]
# Gradio draws what it is handed late, and not in the order in which it was.
SLOW_GRADIO = """() => {
    let own;
    const late = (bridge) => ({ ...bridge, apply: async (...given) => {
        await new Promise((done) => setTimeout(done, 300 * Math.random()));
        return bridge.apply(...given);
    } });
    Object.defineProperty(window, "darkroom", { get: () => own, set: (bridge) => { own = late(bridge); } });
}"""


def prepared(browser: Browser, studio: Studio, kept: dict[str, Any]) -> BrowserContext:
    """A browser that keeps this of an earlier visit."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    script = "(kept) => { for (const [key, value] of Object.entries(kept)) localStorage.setItem(key, value); }"
    context.add_init_script(f"({script})({json.dumps(kept)})")
    return context


def only(visit: Visit, text: str) -> list[str]:
    """What went wrong unseen, but for what the test itself did; taken off the list."""
    found, visit.errors[:] = list(visit.errors), []
    return [error for error in found if text not in error]


@pytest.mark.parametrize(
    "kept",
    [
        "7",
        '["prompt"]',
        '{"prompt": 7, "looks": "ink", "steps": "many", "width": null, "seed": {}, "mask": [], "style_images": 3}',
        '{"prompt": "a lake", "look": "ink", "style_images": "[{", "unknown": true}',
        "{nonsense",
    ],
)
def test_whatever_was_kept_the_page_opens_and_draws(browser: Browser, fake_studio: Studio, kept: str) -> None:
    context = prepared(
        browser, fake_studio, {"darkroom.controls": kept, "darkroom.task": '"gone"', "darkroom.untouched": "5"}
    )
    one = visit(browser, fake_studio, context=context)
    one.write("steps=1 a lake after all")
    one.generate()
    one.wait_state("finished")
    context.close()
    one.check_clean()


def test_without_storage_the_page_says_so_and_works(browser: Browser, fake_studio: Studio) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    context.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }"
    )
    one = visit(browser, fake_studio, context=context)
    one.write("steps=1 a lake that nobody keeps")
    expect(one.page.locator("#note")).to_contain_text("cannot store anything more")
    one.generate()
    one.wait_state("finished")
    expect(one.control("Prompt")).to_have_value("steps=1 a lake that nobody keeps")
    context.close()
    one.check_clean()


def test_gradio_may_draw_late_and_out_of_order(browser: Browser, fake_studio: Studio) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    context.add_init_script(f"({SLOW_GRADIO})()")
    one = visit(browser, fake_studio, context=context)
    one.write("steps=1 a slow lake")
    one.page.locator("#ratio").get_by_label("16:9", exact=True).check()
    one.page.locator("#quality").get_by_label("Fine", exact=True).check()
    one.page.locator("#swap").click()
    one.page.locator("#quality").get_by_label("Draft", exact=True).check()
    one.page.locator("#num_images").get_by_label("2", exact=True).check()
    job = one.generate()
    script = "async (id) => (await (await fetch(`/api/jobs/${id}`)).json()).request"
    request = one.page.evaluate(script, job)
    assert (request["prompt"], request["num_images"], request["steps"]) == ("steps=1 a slow lake", 2, 10)
    assert request["width"] < request["height"], "sides exchanged"
    one.rest()
    expect(one.control("Width")).to_have_value(str(request["width"]))
    expect(one.control("Height")).to_have_value(str(request["height"]))
    expect(one.control("Steps value")).to_have_value("10")
    context.close()
    one.check_clean()


def test_what_is_asked_for_without_a_line_is_made_when_it_is_back(fake_studio: Studio, open_page: OpenPage) -> None:
    one = open_page(fake_studio)
    before = set(one.job_ids())
    one.context.set_offline(True)
    one.write("steps=1 a lake from a tunnel")
    one.click_generate()
    expect(one.page.locator(".stage-note")).to_contain_text("Waiting for the connection")
    one.control("Prompt").fill("steps=1 and what was typed meanwhile")
    one.context.set_offline(False)
    one.wait_state("finished")
    (new,) = set(one.job_ids()) - before
    expect(one.page.locator(".stage-title")).to_have_text("steps=1 a lake from a tunnel")
    assert one.job() == new
    expect(one.control("Prompt")).to_have_value("steps=1 and what was typed meanwhile")
    one.generate()
    one.wait_state("finished")
    assert only(one, "ERR_INTERNET_DISCONNECTED") == []


def test_what_is_asked_for_while_the_program_starts_anew_is_made_once(tmp_path: Any, open_page: OpenPage) -> None:
    with Studio(tmp_path, is_real=False) as studio:
        studio.wait_until_ready()
        one = open_page(studio)
        studio.stop()
        one.write("steps=1 a lake after the restart")
        one.click_generate()
        expect(one.page.locator(".stage-offline")).to_be_visible()
        studio.start()
        one.wait_state("finished", seconds=ANSWER_SECONDS)
        assert len(one.job_ids()) == 1
        expect(one.page.locator(".stage-offline")).to_be_hidden()
        one.context.close()
    assert only(one, "net::ERR") == []


def test_a_reload_sends_what_was_not_answered(fake_studio: Studio, open_page: OpenPage) -> None:
    one = open_page(fake_studio)
    one.page.route("**/api/text-to-image", lambda route: route.abort())
    one.write("steps=1 a lake sent twice")
    one.click_generate()
    expect(one.page.locator(".stage-note")).to_contain_text("Waiting for the connection")
    one.page.unroute("**/api/text-to-image")
    one.page.reload()
    expect(one.stage()).to_be_visible()
    one.wait_state("finished")
    expect(one.page.locator(".stage-title")).to_have_text("steps=1 a lake sent twice")
    assert only(one, "net::ERR_FAILED") == []


def test_an_answer_that_gets_lost_makes_no_second_picture(fake_studio: Studio, open_page: OpenPage) -> None:
    one = open_page(fake_studio)
    before = set(one.job_ids())
    lost: list[int] = []

    def lose_first(route: Any) -> None:
        answer = route.fetch()
        if lost:
            return route.fulfill(response=answer)
        lost.append(answer.status)
        return route.abort()

    one.page.route("**/api/text-to-image", lose_first)
    one.write("steps=1 one lake and no second")
    one.click_generate()
    one.wait_state("finished")
    assert lost == [202]
    assert len(set(one.job_ids()) - before) == 1
    assert only(one, "net::ERR_FAILED") == []


def test_a_page_whose_scripts_are_missing_says_so(browser: Browser, fake_studio: Studio) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    page = context.new_page()
    page.route("**/stage/stage.js", lambda route: route.abort())
    page.goto(fake_studio.address)
    box = page.get_by_role("alert")
    expect(box).to_contain_text("页面没有完整加载")
    page.unroute("**/stage/stage.js")
    box.get_by_role("button", name="重新加载").click()
    expect(page.locator("html[data-settled]")).to_be_attached()
    expect(page.get_by_role("alert").filter(has_text="页面没有")).to_have_count(0)
    context.close()


def test_an_old_page_hears_of_a_newer_program(fake_studio: Studio, open_page: OpenPage) -> None:
    one = open_page(fake_studio)
    one.page.route("**/core/version.js", lambda route: route.fulfill(status=404))
    reconnect(one.page)
    note = one.page.locator("#note")
    expect(note).to_contain_text("has been updated")
    one.page.unroute("**/core/version.js")
    note.get_by_role("button", name="Load again").click()
    expect(one.page.locator("html[data-settled]")).to_be_attached()
    assert only(one, "404") == []


def test_a_sheet_that_does_not_come_is_said_and_can_be_tried_again(fake_studio: Studio, open_page: OpenPage) -> None:
    one = open_page(fake_studio)
    one.page.route("**/gallery/*.js", lambda route: route.abort())
    one.write("steps=1 a lake that stays")
    one.page.locator(".rail-gallery").click()
    note = one.page.locator("#note")
    expect(note).to_contain_text("did not load")
    one.page.unroute("**/gallery/*.js")
    note.get_by_role("button", name="Try again").click()
    expect(one.page.locator(".sheet")).to_be_visible()
    expect(one.control("Prompt")).to_have_value("steps=1 a lake that stays")
    one.page.go_back()
    expect(one.page.locator(".sheet")).to_be_hidden()
    assert only(one, "ERR_FAILED") == []


def reconnect(page: Page) -> None:
    """As after a while in the background: the stream is closed and opened again."""
    page.evaluate("""() => { for (const isHidden of [true, false]) {
        Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    } }""")
