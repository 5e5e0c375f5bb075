"""Nothing jumps: layout shift while the page loads and while a job runs, in windows of every size."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.studio import DESKTOP, PHONE, WINDOWS, Studio, Visit

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]

LIMIT = 0.05
# All shifts count, also those shortly after a click, which the metric of this name forgives.
WATCH = """
window.shifts = [];
{
    const note = (entries) => {
        for (const entry of entries) {
            const moved = entry.sources.map((one) => String(one.node?.id || one.node?.className || one.node?.nodeName));
            window.shifts.push({ value: entry.value, moved });
        }
    };
    const observer = new PerformanceObserver((list) => note(list.getEntries()));
    observer.observe({ type: "layout-shift", buffered: true });
    // What has just ended moves things with the next frame, and is told after it.
    window.takeShifts = async () => {
        for (let frames = 0; frames < 3; frames += 1) await new Promise(requestAnimationFrame);
        await new Promise((told) => setTimeout(told));
        note(observer.takeRecords());
        return window.shifts.splice(0);
    };
}
"""


def shifts(visit: Visit) -> tuple[float, list[dict[str, object]]]:
    """What shifted since the last call: the sum, and what it was."""
    found = visit.page.evaluate("() => window.takeShifts()")
    return sum(one["value"] for one in found), found


@pytest.mark.parametrize("size", WINDOWS.values(), ids=WINDOWS.keys())
def test_nothing_jumps(fake_studio: Studio, browser: Browser, open_page: OpenPage, size: tuple[int, int]) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale="en-US", has_touch=size == PHONE
    )
    context.add_init_script(WATCH)
    visit = open_page(fake_studio, context=context)
    visit.rest()
    total, found = shifts(visit)
    assert total <= LIMIT, found
    visit.control("Prompt").click()
    visit.page.wait_for_timeout(500)
    visit.rest()
    shifts(visit)  # in a narrow window the stage gives way to whoever types, who stays at it here
    visit.write(f"nothing jumps loading=0.3 delay=0.1 steps=6 {size[0]}")
    visit.submit(lambda: visit.page.keyboard.press("Control+Enter"))
    visit.wait_state("finished")
    visit.rest()
    total, found = shifts(visit)
    assert total <= LIMIT, found
    visit.page.reload()
    expect(visit.page.locator('#stage[data-state="finished"]')).to_be_visible(timeout=30_000)
    visit.rest()
    total, found = shifts(visit)
    assert total <= LIMIT, found


def test_a_picture_of_odd_proportions_jumps_no_more(fake_studio: Studio, browser: Browser, open_page: OpenPage) -> None:
    context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]}, locale="en-US")
    asked = {"prompt": "flat steps=2 delay=0", "width": 512, "height": 64}
    job = context.request.post(f"{fake_studio.address}/api/text-to-image", data=asked).json()["id"]
    context.add_init_script(WATCH)
    visit = open_page(fake_studio, context=context)
    expect(visit.page.locator(f'#stage[data-job="{job}"][data-state="finished"] img')).to_be_visible()
    visit.rest()
    total, found = shifts(visit)
    assert total <= LIMIT, found
