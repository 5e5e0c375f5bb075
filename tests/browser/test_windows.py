"""The page in windows of every size: nothing is cut off, nothing is out of reach, and what counts is in sight."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.studio import WINDOWS, Studio, Visit
from tests.browser.test_real import upload

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]

NARROW = 1000  # below it the picture stands above the form, and everything is made for fingers
BOX = """(node) => {
    const { left, top, right, bottom } = node.getBoundingClientRect();
    return [left, top, right, bottom];
}"""
# What a finger cannot be sure to hit: 44 pixels of a control, or of the label around it, from top to bottom.
TOO_LOW = """() => [...document.querySelectorAll("button, a[href], select, input, textarea")].filter((node) => {
    const { width, height } = node.getBoundingClientRect();
    if (!node.checkVisibility({ visibilityProperty: true }) || !width || height >= 43.5) return false;
    node.scrollIntoView({ block: "center", inline: "nearest" });
    const box = node.getBoundingClientRect();
    const hits = (y) => {
        const found = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2 + y);
        return node === found || node.contains(found) || node.closest("label")?.contains(found);
    };
    return !(hits(-21) && hits(21));
}).map((node) => node.closest("[id]").id + ": " + node.outerHTML.slice(0, 80))"""
# Controls of the form that reach beyond it.
CUT_OFF = """() => {
    const { left, right } = document.getElementById("form").getBoundingClientRect();
    return [...document.querySelectorAll("#form :is(button, select, input, textarea)")].filter((node) => {
        const box = node.getBoundingClientRect();
        const isShown = node.checkVisibility({ visibilityProperty: true }) && box.width;
        return isShown && (box.left < left || box.right > right);
    }).map((node) => node.closest("[id]").id);
}"""


def box_of(visit: Visit, selector: str) -> list[float]:
    """Left, top, right and bottom edge in the window."""
    return list(visit.page.locator(selector).first.evaluate(BOX))


def nothing_is_wider(visit: Visit) -> None:
    wide = visit.page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    assert wide == 0, "the page scrolls sideways"


def picture_and_prompt_are_in_sight(visit: Visit, *more: str) -> None:
    """Both whole, and `more`, and nothing has to be scrolled; below `NARROW` Generate lies over what is below it."""
    width, height = visit.page.evaluate("() => [innerWidth, innerHeight]")
    end = box_of(visit, "#foot")[1] if width < NARROW else height
    assert visit.page.evaluate("() => scrollY") == 0
    for selector in ("#stage", "#prompt textarea", *more):
        left, top, right, bottom = box_of(visit, selector)
        assert 0 <= left < right <= width, selector
        assert 0 <= top < bottom <= end, selector


def the_stage_is_as_high_as(visit: Visit, box: list[float]) -> None:
    """Now or soon."""
    expect(visit.page.locator("#stage")).to_have_js_property("clientHeight", round(box[3] - box[1]))


def width_of(visit: Visit) -> int:
    return int(visit.page.evaluate("() => innerWidth"))


@pytest.fixture(params=WINDOWS.values(), ids=WINDOWS.keys())
def visit(request: pytest.FixtureRequest, browser: Browser, fake_studio: Studio, open_page: OpenPage) -> Visit:
    """A page in a window of each size; the narrow ones are touched."""
    width, height = request.param
    viewport = {"width": width, "height": height}
    context = browser.new_context(viewport=viewport, locale="en-US", has_touch=width < NARROW)
    return open_page(fake_studio, context=context)


def test_what_counts_is_on_the_first_screen(visit: Visit) -> None:
    visit.rest()
    picture_and_prompt_are_in_sight(visit)
    empty = box_of(visit, "#stage")
    if width_of(visit) < NARROW:
        assert empty[3] - empty[1] <= 0.45 * visit.page.evaluate("() => innerHeight")
    visit.write("first screen steps=2 delay=0")
    visit.generate()
    visit.wait_state("finished")
    the_stage_is_as_high_as(visit, empty)
    visit.rest()
    picture_and_prompt_are_in_sight(visit)
    nothing_is_wider(visit)
    assert box_of(visit, ".actions button:text('Details')")[2] <= empty[2]


def test_what_is_to_be_redrawn_is_in_sight_with_its_prompt(visit: Visit, photographs: dict[str, bytes]) -> None:
    visit.page.locator("#tab_image_to_image-button").locator("visible=true").first.click()
    upload(visit, "Input image", photographs["china"])
    expect(visit.page.locator("#stage img").locator("visible=true")).to_have_count(1)
    expect(visit.page.locator(".tile").locator("visible=true")).to_have_count(0)  # no examples over it
    picture_and_prompt_are_in_sight(visit, "#init_image .drop-frame")
    nothing_is_wider(visit)


def test_the_stage_gives_way_to_whoever_types(visit: Visit) -> None:
    before = box_of(visit, "#stage")
    is_above = width_of(visit) < NARROW and before[2] - before[0] == width_of(visit)
    visit.control("Prompt").click()
    if not is_above:
        visit.page.wait_for_timeout(600)
        assert box_of(visit, "#stage") == before
        return
    smaller = "(most) => document.getElementById('stage').clientHeight <= most"
    visit.page.wait_for_function(smaller, arg=0.3 * visit.page.evaluate("() => innerHeight"))
    picture_and_prompt_are_in_sight(visit)
    visit.page.locator(".looks-button").click()  # which stays where it is until it has heard of it
    expect(visit.page.locator(".looks-pop")).to_be_visible()
    the_stage_is_as_high_as(visit, before)


def test_nothing_overlaps_below_the_stage(visit: Visit) -> None:
    visit.write("below steps=2 delay=0")
    visit.generate()
    visit.wait_state("finished")
    visit.rest()
    buttons = visit.page.locator(".actions > :is(button, .button), .rail-gallery").locator("visible=true")
    for one, other in combinations([node.evaluate(BOX) for node in buttons.all()], 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)


def test_nothing_is_wider_than_the_window(visit: Visit) -> None:
    page = visit.page
    is_narrow = width_of(visit) < NARROW
    if is_narrow:
        page.locator(".more").click()
    page.locator(".fold[aria-controls=sampling]").click()
    for task in ("image_to_image", "style_transfer", "text_to_image"):
        page.locator(f"#tab_{task}-button").locator("visible=true").first.click()
        if task == "style_transfer":
            page.locator(".fold[aria-controls=styling]").click()
        visit.rest()
        nothing_is_wider(visit)
        assert page.evaluate(CUT_OFF) == [], task
        assert not is_narrow or page.evaluate(TOO_LOW) == [], task
