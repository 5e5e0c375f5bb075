"""Private mode on the page: turned on, used, and nothing left behind in the browser or on the disk."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.studio import Studio, Visit
from tests.browser.test_access import serious_findings

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]
STORED = "() => JSON.stringify({ ...localStorage, ...sessionStorage })"


def test_what_is_made_in_private_mode_leaves_nothing(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    page = visit.page
    visit.button("Private").click()
    box = page.get_by_role("dialog", name="Private")
    expect(box).to_contain_text("Beyond 256 MB")
    assert serious_findings(visit) == []
    with page.expect_navigation():
        box.get_by_role("button", name="Turn private mode on").click()
    expect(page.locator("html[data-settled]")).to_be_attached()
    expect(visit.button("Private: on")).to_be_visible()
    before = page.evaluate(STORED)
    visit.write("qvprivateword on the page steps=2 delay=0")
    visit.generate()
    visit.wait_state("finished")
    expect(page.locator("#stage img").first).to_be_visible()
    page.get_by_role("button", name="Gallery", exact=True).click()
    expect(page.locator(".cell")).to_have_count(1)
    assert page.evaluate(STORED) == before
    page.keyboard.press("Escape")
    visit.button("Private: on").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Turn it off and forget everything").click()
    expect(page.locator("html[data-settled]")).to_be_attached()
    expect(visit.button("Private")).to_be_visible()
    assert "qvprivateword" not in page.content()
    assert "qvprivateword" not in page.evaluate(STORED)
    for path in fake_studio.data_dir.rglob("*"):
        assert not path.is_file() or b"qvprivateword" not in path.read_bytes(), path
    # what was on its way as private mode ended is refused, which the browser says in its console
    visit.errors[:] = [error for error in visit.errors if "409 (Conflict)" not in error]
