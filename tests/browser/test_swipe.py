"""Through the last pictures: with a finger on a phone, with the arrow keys on a desktop."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import expect

from tests.browser.studio import PHONE, Studio, Visit

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]
Point = tuple[float, float]


def move_fingers(visit: Visit, paths: Sequence[Sequence[Point]]) -> None:
    """Touches as the browser gets them from a screen: each finger goes along its path, all of the same length."""
    session = visit.context.new_cdp_session(visit.page)

    def send(kind: str, points: Sequence[Point]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    for number, points in enumerate(zip(*paths, strict=True)):
        send("touchStart" if number == 0 else "touchMove", points)
        visit.page.wait_for_timeout(16)
    send("touchEnd", [])
    session.detach()


def line(start: Point, end: Point, count: int = 12) -> list[Point]:
    """`count` points from `start` to `end`."""
    return [tuple(a + (b - a) * i / (count - 1) for a, b in zip(start, end, strict=True)) for i in range(count)]  # type: ignore[misc]


def draw_pictures(visit: Visit, count: int) -> list[str]:
    """Ids of finished jobs, oldest first."""
    jobs = []
    for number in range(count):
        visit.write(f"swipe {number} steps=2 delay=0.01")
        jobs.append(visit.generate())
        visit.wait_state("finished")
    return jobs


def shown_thumbnail_is_in_view(visit: Visit) -> bool:
    return bool(
        visit.page.evaluate(
            """() => {
                const [list, thumb] = [".rail-list", ".thumb[aria-current=true]"].map(
                    (found) => document.querySelector(found).getBoundingClientRect());
                return thumb.left >= list.left - 1 && thumb.right <= list.right + 1;
            }"""
        )
    )


def test_a_finger_goes_through_the_pictures(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio, PHONE)
    jobs = draw_pictures(visit, 6)
    middle = (195.0, 240.0)
    for job in reversed(jobs[:-1]):
        move_fingers(visit, [line((320, 240), (90, 250))])
        visit.wait_job(job)
        expect(visit.page.locator(".stage-peek")).to_have_count(0)
    expect(visit.page.locator("#stage .stage-pictures img")).to_be_visible()
    visit.rest()
    assert shown_thumbnail_is_in_view(visit), "the row follows"
    move_fingers(visit, [line((90, 240), (320, 240))])
    visit.wait_job(jobs[1])
    expect(visit.page.locator(".stage-peek")).to_have_count(0)

    move_fingers(visit, [line(middle, (215, 240))])  # too short
    move_fingers(visit, [line((195, 330), (215, 120))])  # down the page
    assert visit.page.evaluate("() => window.scrollY") > 50, "the stage does not hold the page"
    visit.page.evaluate("() => window.scrollTo(0, 0)")
    move_fingers(visit, [line((150, 240), (60, 240)), line((240, 240), (330, 240))])  # a pinch
    visit.rest()
    assert visit.page.evaluate("() => window.visualViewport.scale") > 1.01, "the stage can be pinched"
    move_fingers(visit, [line((320, 240), (90, 250))])  # what is larger than the screen is moved, not turned
    visit.rest()
    assert visit.job() == jobs[1]


def test_arrow_keys_go_through_the_pictures(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    jobs = draw_pictures(visit, 2)
    visit.stage().focus()
    visit.page.keyboard.press("ArrowRight")
    visit.wait_job(jobs[0])
    expect(visit.page.locator(".stage-said")).to_contain_text("swipe 0")
    assert visit.page.locator(".thumb[aria-current=true]").get_attribute("title") == "swipe 0 steps=2 delay=0.01"
    visit.page.keyboard.press("ArrowLeft")
    visit.wait_job(jobs[1])
    visit.page.keyboard.press("ArrowLeft")
    assert visit.job() == jobs[1], "nothing is newer"
    visit.control("Prompt").focus()
    visit.page.keyboard.press("ArrowRight")
    assert visit.job() == jobs[1], "the keys of a text are its own"
