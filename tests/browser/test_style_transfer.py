"""The tab Style transfer: a style of the gallery, a further one with its weight, the fold, all of it given back, and
the answers that come at once while a slider moves."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.studio import Studio, Visit
from tests.browser.test_access import serious_findings

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]


def picture(colour: tuple[int, int, int]) -> Any:
    """What a file chooser gives."""
    content = io.BytesIO()
    Image.new("RGB", (96, 64), colour).save(content, "PNG")
    return {"name": "picture.png", "mimeType": "image/png", "buffer": content.getvalue()}


def request_of(visit: Visit, job: str) -> Any:
    return visit.page.evaluate("async (id) => (await (await fetch(`/api/jobs/${id}`)).json()).request", job)


@pytest.fixture
def visit(fake_studio: Studio, open_page: OpenPage) -> Visit:
    """A page with a content and two styles, of which the second counts most."""
    visit = open_page(fake_studio)
    page = visit.page
    visit.tab("Style transfer")
    page.set_input_files("#content_image input", picture((200, 40, 90)))
    page.get_by_role("button", name="Use the style Mosaic").click()
    expect(page.locator("#style_image[data-filled=yes], #style_image [data-filled=yes]")).to_be_attached()
    page.get_by_role("button", name="More about the style").click()
    page.set_input_files("#style_images input", picture((20, 40, 190)))
    between = page.get_by_label("Between the two styles")
    between.press("End")
    between.press("ArrowLeft")
    return visit


def test_what_has_no_effect_is_shut(visit: Visit) -> None:
    expect(visit.page.get_by_label("Weight of conv5_1")).to_be_disabled()
    expect(visit.page.locator("#why_layer_weights")).to_contain_text("VGG-19")
    visit.control("Style weight").press("Home")
    expect(visit.control("Style scale")).to_be_disabled()
    visit.control("Style weight").press("End")
    expect(visit.control("Style scale")).to_be_enabled()
    assert serious_findings(visit) == []


def test_styles_are_weighed_sent_and_given_back(visit: Visit) -> None:
    page = visit.page
    page.get_by_label("Weight of conv1_1").press("Home")
    visit.control("Style weight").press("End")
    page.locator("#iterations input[type=number]").fill("600")
    job = visit.generate()
    expect(page.locator(".progress")).to_contain_text("loss")
    visit.wait_state("finished")
    asked = request_of(visit, job)
    assert [style["weight"] for style in asked["style_images"]] == [0.95]
    assert (asked["style_image_weight"], asked["method"]) == (0.05, "optimised")
    assert (asked["layer_weights"]["conv1_1"], asked["style_weight"], asked["iterations"]) == (0, 10, 600)
    page.get_by_role("button", name="Remove the picture: Style 2").click()
    page.get_by_label("Weight of conv1_1").press("End")
    page.get_by_role("button", name="Details").click()
    page.get_by_role("button", name="Use these settings").click()
    expect(page.get_by_label("Between the two styles")).to_have_value("0.95")
    expect(page.get_by_label("Weight of conv1_1")).to_have_value("0")
    visit.check_clean()


def test_the_instant_method_answers_while_a_slider_moves(visit: Visit) -> None:
    page = visit.page
    page.get_by_label("Weight of conv1_1").press("Home")
    page.locator("#iterations input[type=number]").fill("600")
    jobs = set(visit.job_ids())
    page.get_by_role("radio", name="Instant").check()
    live = page.locator(".stage-live img")
    expect(live).to_be_visible()
    expect(page.get_by_text("Press Generate to keep")).to_be_visible()
    expect(page.locator("#iterations")).to_be_hidden()
    expect(visit.control("Style scale")).to_be_enabled()
    before = live.get_attribute("src")
    page.get_by_label("Between the two styles").press("Home")
    expect(live).not_to_have_attribute("src", before or "")
    assert serious_findings(visit) == []
    job = visit.generate()
    visit.wait_state("finished")
    expect(page.locator(".stage-live")).to_be_hidden()
    asked = request_of(visit, job)
    assert (asked["method"], asked["style_image_weight"], asked["style_strength"]) == ("instant", 1, 1)
    assert (asked["iterations"], asked["layer_weights"]["conv1_1"]) == (200, 1)  # what has no effect is not sent
    listed = page.evaluate("async () => (await (await fetch('/api/jobs')).json()).map((job) => job.id)")
    assert set(listed) - jobs == {job}, "what was shown at once is no job of theirs"
    visit.check_clean()
