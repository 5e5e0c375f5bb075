"""Everybody can use the page: no serious finding by axe in any state, and everything by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from tests.browser.studio import DESKTOP, PHONE, Studio, Visit

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
# Every size with every language and every scheme, in half of the combinations.
PAGES = [
    pytest.param((DESKTOP, "en-US", "light"), id="desktop-en-light"),
    pytest.param((PHONE, "zh-CN", "dark"), id="phone-zh-dark"),
]
# What has focus, whether it shows that (itself or the frame that Gradio draws around it), and where it is.
FOCUS = """() => {
    const node = document.activeElement;
    const drop = node.parentElement?.querySelector(".drop-frame");
    const frames = [node, node.closest(".wrap"), node.closest("label"), drop];
    const shows = frames.some((frame) => {
        const { outlineStyle, outlineWidth } = frame ? getComputedStyle(frame) : {};
        return outlineStyle === "solid" && parseFloat(outlineWidth) >= 2;
    });
    const name = node.getAttribute("aria-label") || node.textContent.trim();
    return { name, id: node.closest("[id]")?.id ?? "", tag: node.tagName, shows };
}"""


def serious_findings(visit: Visit) -> list[str]:
    """What axe finds on the page as it is, serious or worse, as lines to read."""
    if not visit.page.evaluate("() => Boolean(window.axe)"):
        visit.page.evaluate(AXE)
    found = visit.page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.fixture(params=PAGES)
def visit(request: pytest.FixtureRequest, fake_studio: Studio, open_page: OpenPage) -> Visit:
    """One of the pages."""
    size, locale, scheme = request.param
    return open_page(fake_studio, size, locale=locale, scheme=scheme)


def look(visit: Visit) -> None:
    """Nothing is serious, and nothing wider than the window."""
    visit.rest()
    assert serious_findings(visit) == []
    wide = visit.page.evaluate("() => document.scrollingElement.scrollWidth - window.innerWidth")
    assert wide <= 0, "no scrolling sideways"


def test_axe_finds_nothing_serious_in_the_tabs(visit: Visit) -> None:
    page = visit.page
    if page.viewport_size == {"width": PHONE[0], "height": PHONE[1]}:
        page.locator(".more").click()
    for task in ("image_to_image", "style_transfer", "text_to_image"):
        page.locator(f"#tab_{task}-button").locator("visible=true").first.click()
        if task == "style_transfer":
            page.locator(".fold[aria-controls=styling]").click()
        look(visit)
    page.locator(".fold[aria-controls=sampling]").click()
    page.locator("#prompt_dialect input").nth(1).check()  # which leaves Emphasis nothing to do
    page.locator("#why_prompt_dialect").wait_for()
    look(visit)


def test_axe_finds_nothing_serious_while_jobs_fail_and_run(visit: Visit, fake_studio: Studio) -> None:
    page = visit.page
    page.locator("#prompt textarea").fill("axe oom delay=0.01")
    visit.generate()
    page.wait_for_selector('#stage[data-state="failed"]')
    look(visit)
    held = f"held-{page.viewport_size['width']}"
    page.locator("#prompt textarea").fill(f"axe steps=4 wait={held}")
    visit.generate()
    visit.wait_state("running")
    page.locator(".queue-button").click()
    look(visit)
    page.keyboard.press("Escape")
    (fake_studio.data_dir / held).touch()
    visit.wait_state("finished")


def test_axe_finds_nothing_serious_in_what_opens(visit: Visit) -> None:
    page = visit.page
    page.locator("#prompt textarea").fill("axe steps=2 delay=0")
    visit.generate()
    visit.wait_state("finished")
    page.locator(".share-button").click()
    look(visit)
    page.keyboard.press("Escape")
    page.locator(".actions > button").last.click()
    look(visit)
    page.keyboard.press("Escape")
    for button in (".private-button", ".looks-button", ".history-button"):
        page.locator(button).click()
        look(visit)
        page.keyboard.press("Escape")
    page.locator(".rail-gallery").click()
    page.locator(".cell").first.wait_for()
    look(visit)
    page.locator(".cell").first.click()
    look(visit)


def tab_to(visit: Visit, name: str, key: str = "Tab") -> None:
    """Presses Tab until the control with this name has focus; every stop on the way shows that it has it."""
    passed = []
    for _ in range(60):
        visit.page.keyboard.press(key)
        now = visit.page.evaluate(FOCUS)
        passed.append(now)
        if now["tag"] != "BODY":
            assert now["shows"], f"no focus ring: {now}"
        if now["name"] == name:
            return
    raise AssertionError(f"{name} was not met: {passed}")


def focused(visit: Visit) -> str:
    return str(visit.page.evaluate(FOCUS)["name"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_by_keyboard_alone(fake_studio: Studio, open_page: OpenPage, scheme: str) -> None:
    visit = open_page(fake_studio, scheme=scheme)
    keys = visit.page.keyboard
    tab_to(visit, "Checkpoint")
    keys.press("ArrowDown")
    keys.press("Escape")
    tab_to(visit, "Text to image")
    keys.press("ArrowRight")
    assert focused(visit) == "Image to image"
    expect(visit.page.locator("#init_image")).to_be_visible()
    tab_to(visit, "Input image")
    tab_to(visit, "Image to image", "Shift+Tab")
    keys.press("Home")
    assert focused(visit) == "Text to image"
    tab_to(visit, "Prompt")
    keys.type(f"by keyboard {scheme} steps=3 wait=never")
    job = visit.submit(lambda: keys.press("Control+Enter"))
    visit.wait_state("running")
    assert focused(visit) == "Prompt", "one can go on typing"
    tab_to(visit, "Stop")
    keys.press("Enter")
    visit.wait_state("cancelled")
    assert visit.job() == job
    tab_to(visit, "Prompt", "Shift+Tab")
    keys.press("Control+A")
    keys.type(f"by keyboard {scheme}")
    tab_to(visit, "Steps")
    before = visit.control("Steps").input_value()
    keys.press("ArrowRight")
    assert float(visit.control("Steps").input_value()) == float(before) + 1
    visit.submit(lambda: keys.press("Control+Enter"))
    visit.wait_state("finished")


def test_the_gallery_by_keyboard_alone(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    keys = visit.page.keyboard
    for number in range(2):
        visit.write(f"gallery {number} steps=2")
        visit.generate()
        visit.wait_state("finished")
    tab_to(visit, "Gallery")
    keys.press("Enter")
    sheet = visit.page.locator(".sheet")
    expect(sheet).to_be_visible()
    tab_to(visit, "gallery 1 steps=2")
    for _ in range(12):  # Tab stays within
        keys.press("Tab")
        assert visit.page.evaluate("() => document.activeElement.matches('body, .sheet *')")  # or in the browser's own
    tab_to(visit, "gallery 1 steps=2")
    keys.press("Enter")
    expect(visit.page.locator(".one-picture img")).to_be_visible()
    keys.press("Escape")
    assert focused(visit) == "gallery 1 steps=2"
    keys.press("Enter")
    tab_to(visit, "Delete")
    keys.press("Enter")
    tile = visit.page.locator('.cell[title="gallery 1 steps=2"]').first
    expect(tile).to_be_hidden()
    tab_to(visit, "Undo")
    keys.press("Enter")
    expect(tile).to_be_visible()
    keys.press("Escape")
    expect(sheet).to_be_hidden()
    assert focused(visit) == "Gallery"


@pytest.mark.parametrize(("button", "box"), [(".queue-button", ".queue-pop"), (".share-button", ".share-pop")])
def test_dialogs_keep_focus_and_give_it_back(fake_studio: Studio, open_page: OpenPage, button: str, box: str) -> None:
    visit = open_page(fake_studio)
    held = f"held{box}"
    visit.write(f"a job to cancel steps=3 wait={held}")
    visit.generate()
    visit.page.locator(button).focus()
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator(box)).to_be_visible()
    assert visit.page.evaluate(f"() => Boolean(document.activeElement.closest('{box}'))")
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator(box)).to_be_hidden()
    assert visit.page.evaluate(f"() => document.activeElement.matches('{button}')")
    visit.page.keyboard.press("Enter")
    for _ in range(5):  # further on than the box goes
        visit.page.keyboard.press("Tab")
    expect(visit.page.locator(box)).to_be_hidden()
    assert not visit.page.evaluate(f"() => document.activeElement.matches('body, {button}')")
    (fake_studio.data_dir / held).touch()
    visit.wait_state("finished")
