"""In the gallery: what a picture's file says, and whether its request gives it again."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.studio import Studio, Visit
from tests.browser.test_access import serious_findings
from webui.requests import from_dict
from webui.storage.pictures import encode_png
from webui.worker.messages import RawImage

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]


def open_picture(visit: Visit) -> Locator:
    """The newest picture, opened in the gallery."""
    visit.open_gallery()
    visit.page.locator(".cell").first.click()
    return visit.page.locator(".sheet-one")


@pytest.fixture
def visit(fake_studio: Studio, open_page: OpenPage) -> Visit:
    """A page with two pictures just made."""
    visit = open_page(fake_studio)
    visit.write("a calm lake <img src=x onerror=alert(1)> steps=2 delay=0")
    visit.control("Images").get_by_label("2", exact=True).check(force=True)
    visit.generate()
    visit.wait_state("finished")
    return visit


def job_of(visit: Visit, id: str) -> Any:
    return visit.page.evaluate("async (id) => (await (await fetch(`/api/jobs/${id}`)).json())", id)


def test_a_pictures_texts_are_shown_as_they_stand(visit: Visit) -> None:
    one = open_picture(visit)
    one.get_by_role("button", name="Inspect").press("Enter")
    expect(one.get_by_role("heading", level=4)).to_have_text(["darkroom", "parameters", "XMP"])
    expect(one.locator("pre").nth(1)).to_contain_text("a calm lake <img src=x onerror=alert(1)>")
    assert serious_findings(visit) == []


def test_a_picture_made_again_is_identical(visit: Visit) -> None:
    before = set(visit.job_ids())
    one = open_picture(visit)
    one.get_by_role("button", name="Make again").press("Enter")
    expect(one.get_by_role("status")).to_have_text("Made again: identical, pixel for pixel.")
    (new,) = set(visit.job_ids()) - before
    first, again = job_of(visit, visit.job()), job_of(visit, new)
    assert again["request"] == first["request"] | {"only_image": again["request"]["only_image"]}
    assert again["images"][0]["seed"] in [image["seed"] for image in first["images"]]


def test_a_picture_of_a_newer_version_is_not_made_again(visit: Visit, fake_studio: Studio) -> None:
    newer = json.dumps({"task": "text_to_image", "schema_version": 9})
    known = [image["id"] for image in job_of(visit, visit.job())["images"]]
    with closing(sqlite3.connect(fake_studio.data_dir / "darkroom.sqlite3")) as database, database:
        database.executemany("UPDATE pictures SET request = ? WHERE id = ?", [(newer, id) for id in known])
    one = open_picture(visit)
    one.get_by_role("button", name="Make again").click()
    expect(one.get_by_role("status")).to_contain_text("another version of Darkroom wrote it")
    assert "409" in visit.errors.pop(), "the browser says it in its console"


def test_what_differs_in_a_picture_made_again_is_said(visit: Visit) -> None:
    first = job_of(visit, visit.job())

    def answer_with_another(route: Route) -> None:
        """As if another version had made it, with one colour a little off."""
        width, height = (first["images"][0][side] for side in ("width", "height"))
        image = RawImage(
            width=width, height=height, rgb=b"\x10\x80\x40" * (width * height),
            seed=1, info={"device": "NVIDIA", "precision": "fp32", "steps": 2},
        )  # fmt: skip
        route.fulfill(body=encode_png(from_dict(first["request"]), image), content_type="image/png")

    known = {image["url"] for image in first["images"]}
    visit.page.route(
        lambda url: bool(re.search("/api/images/[^/?]+$", url)) and not any(url.endswith(one) for one in known),
        answer_with_another,
    )
    one = open_picture(visit)
    one.get_by_role("button", name="Make again").click()
    expect(one.get_by_role("status")).to_contain_text("dB apart")
    expect(one.get_by_role("status")).to_contain_text("Changed since then: device cpu → NVIDIA.")
