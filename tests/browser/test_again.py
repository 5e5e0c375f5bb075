"""In the gallery: what a picture's file says, and whether its request gives it again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.studio import Studio, Visit
from tests.browser.test_access import serious_findings
from tests.metadata.files import png_with
from webui.requests import from_dict
from webui.storage.pictures import encode_png
from webui.worker.messages import RawImage

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]


def open_picture(visit: Visit) -> Locator:
    """The newest picture, opened in the gallery."""
    visit.page.evaluate("darkroom.openGallery()")
    visit.page.locator(".cell").first.click()
    return visit.page.locator(".sheet-one")


def test_inspect_and_make_again(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("a calm lake <img src=x onerror=alert(1)> steps=2 delay=0")
    visit.control("Images").get_by_label("2", exact=True).check(force=True)
    job = visit.generate()
    visit.wait_state("finished")
    one = open_picture(visit)
    one.get_by_role("button", name="Inspect").press("Enter")
    expect(one.get_by_role("heading", level=4)).to_have_text(["darkroom", "parameters", "XMP"])
    expect(one.locator("pre").nth(1)).to_contain_text("a calm lake <img src=x onerror=alert(1)>")
    assert serious_findings(visit) == []
    before = set(visit.job_ids())
    one.get_by_role("button", name="Make again").press("Enter")
    said = one.get_by_role("status")
    expect(said).to_have_text("Made again: identical, pixel for pixel.")
    (made,) = set(visit.job_ids()) - before
    ask = "async (id) => (await (await fetch(`/api/jobs/${id}`)).json())"
    requests = [visit.page.evaluate(ask, id) for id in (job, made)]
    assert requests[1]["request"]["num_images"] == 1
    assert requests[1]["images"][0]["seed"] in [image["seed"] for image in requests[0]["images"]]

    newer = json.dumps({"request": {"task": "text_to_image", "schema_version": 9, "looks": []}, "seed": 1})
    visit.page.route(
        "**/api/images/*",
        lambda route: route.fulfill(body=png_with(darkroom=newer), content_type="image/png"),
        times=1,
    )
    one.get_by_role("button", name="Make again").click()
    expect(said).to_contain_text("This version of Darkroom does not know the field “looks”.")
    assert "422" in visit.errors.pop(), "the browser says it in its console"

    def answer_with_another(route: Route) -> None:
        """As if another version had made it, with one colour a little off."""
        request: dict[str, Any] = requests[0]["request"]
        size = requests[0]["images"][0]
        image = RawImage(
            width=size["width"], height=size["height"], rgb=b"\x10\x80\x40" * (size["width"] * size["height"]),
            seed=1, info={"device": "NVIDIA", "precision": "fp32", "steps": 2},
        )  # fmt: skip
        route.fulfill(body=encode_png(from_dict(request), image), content_type="image/png")

    known = {image["url"] for request in requests for image in request["images"]}
    visit.page.route(
        lambda url: "/api/images/" in url and "?" not in url and not any(url.endswith(one) for one in known),
        answer_with_another,
    )
    one.get_by_role("button", name="Make again").click()
    expect(said).to_contain_text("dB apart")
    expect(said).to_contain_text("Not as it was: device cpu → NVIDIA.")
