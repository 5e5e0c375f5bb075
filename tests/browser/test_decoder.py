"""A picture of the tiny decoder, finished sharp on the stage and in the gallery."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.studio import PHONE, Studio, Visit
from tests.browser.test_access import serious_findings
from tests.browser.test_steps import newest_but, request_of

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]


def test_a_tiny_decoder_s_picture_is_finished_sharp(fake_studio: Studio, open_page: OpenPage) -> None:
    one = open_page(fake_studio)
    one.page.locator("#sampling_head .fold").click()
    assert one.chosen("Decoder") == "Automatic"
    one.choose("Decoder", "Tiny")
    sharp = one.button("Finish sharp")
    one.write("a quick lake steps=2 delay=0")
    quick = one.generate()
    one.wait_state("finished")
    assert request_of(one, quick)["decoder"] == "tiny"
    expect(sharp).to_be_visible()
    before = one.job_ids()
    sharp.press("Enter")
    finished = newest_but(one, *before)
    assert request_of(one, finished) == {**request_of(one, quick), "decoder": "full"}
    expect(one.stage()).to_have_attribute("data-job", finished)
    one.wait_state("finished")
    expect(sharp).to_be_hidden()


def test_the_button_has_room_on_a_phone(fake_studio: Studio, open_page: OpenPage) -> None:
    one = open_page(fake_studio, PHONE)
    values = {"prompt": "a small lake steps=2 delay=0", "decoder": "tiny", "steps": 2}
    one.page.evaluate(
        "async (body) => fetch('/api/text-to-image', {method: 'POST', body: JSON.stringify(body),"
        " headers: {'Content-Type': 'application/json'}})",
        values,
    )
    one.wait_state("finished")
    one.page.reload()  # only then is it known what was asked for
    one.wait_state("finished")
    expect(one.button("Finish sharp")).to_be_visible()
    box = one.button("Finish sharp").bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert one.page.evaluate("document.scrollingElement.scrollWidth") == PHONE[0]
    assert serious_findings(one) == []


def test_in_the_gallery_and_after_the_steps_are_gone(fake_studio: Studio, open_page: OpenPage) -> None:
    one = open_page(fake_studio)
    one.page.locator("#sampling_head .fold").click()
    one.choose("Decoder", "Tiny")
    one.write("a soft lake steps=2 delay=0 forget")
    quick = one.generate()
    one.wait_state("finished")
    before = one.job_ids()
    one.button("Finish sharp").click()
    expect(one.page.locator("#note")).to_contain_text("the picture is drawn again first")
    newest_but(one, *before)
    one.wait_state("finished")
    before = one.job_ids()
    one.open_gallery()
    one.page.locator(".cell[title^='a soft lake']").nth(1).click()  # the first is the sharp one
    one.page.locator(".one-tools").get_by_role("button", name="Finish sharp").click()
    expect(one.page.locator(".one-said")).to_contain_text("will be in the gallery")
    assert request_of(one, newest_but(one, *before)) == {**request_of(one, quick), "decoder": "full"}
