"""Settings out of pictures and texts, on the page: dropped, pasted, chosen; what was not known; and the way back."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.studio import PHONE, Studio, Visit
from tests.browser.test_access import serious_findings
from tests.metadata.files import png_with

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]

LINE = """a far lake
Negative prompt: fog
Steps: 12, Sampler: Euler a, Seed: 5, Size: 64x128, VAE: mine, Token merging: 0.5"""
DROP = """([place, name, content]) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name, { type: "image/png" }));
    const options = { bubbles: true, cancelable: true, dataTransfer: data };
    const target = document.querySelector(place);
    for (const kind of ["dragenter", "dragover", "drop"]) target.dispatchEvent(new DragEvent(kind, options));
}"""
PASTE = """(text) => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    const options = { bubbles: true, cancelable: true, clipboardData: data };
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", options));
}"""


KEPT = "() => JSON.parse(localStorage.getItem('darkroom.controls'))"


def drop(visit: Visit, content: bytes) -> None:
    visit.page.evaluate(DROP, ["#prompt textarea", "x.png", base64.b64encode(content).decode()])


def panel(visit: Visit) -> Locator:
    return visit.page.locator("#found")


def shown(visit: Visit) -> tuple[str, ...]:
    names = ("Prompt", "Seed", "Width", "Height", "Steps value")
    return tuple(visit.control(name).input_value() for name in names)


def test_a_dropped_picture_fills_the_controls_and_can_be_undone(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.write("mine")
    visit.tab("Image to image")
    before = shown(visit)
    drop(visit, png_with(parameters=LINE))
    expect(visit.control("Prompt")).to_have_value("a far lake")
    expect(visit.control("Seed")).to_have_value("5")
    expect(visit.control("Steps value")).to_have_value("12")
    assert shown(visit) == ("a far lake", "5", "64", "128", "12")
    expect(visit.page.locator("#tab_text_to_image-button")).to_have_attribute("aria-selected", "true")
    expect(visit.control("Negative prompt")).to_have_value("fog")
    said = panel(visit).get_by_role("status")
    expect(said).to_have_text("Settings read from the picture (A1111). Unknown here: Token merging, VAE.")
    expect(visit.page.locator("#noise_source").get_by_label("NVIDIA")).to_be_checked()
    panel(visit).get_by_text("Not applied (2)").click()
    expect(panel(visit)).to_contain_text("0.5")
    assert serious_findings(visit) == []
    panel(visit).get_by_role("button", name="Undo").click()
    expect(visit.control("Seed")).to_have_value(before[1])
    assert shown(visit) == before
    expect(visit.page.locator("#tab_image_to_image-button")).to_have_attribute("aria-selected", "true")
    expect(panel(visit)).to_have_count(0)
    drop(visit, png_with(Title="nothing"))
    expect(visit.page.locator("#note")).to_have_text("Nothing in this picture says how it was made.")
    request = '{"request": {"task": "text_to_video", "schema_version": 9}}'
    drop(visit, png_with(darkroom=request))
    expect(visit.page.locator("#note")).to_contain_text("newer version of Darkroom")
    expect(visit.page.locator("#note")).to_contain_text("Unknown here: task.")
    drop(visit, b"no picture")
    expect(visit.page.locator("#note")).to_contain_text("not a picture that Darkroom can open")
    assert "415" in visit.errors.pop(), "the browser says it in its console"
    assert shown(visit) == before


def test_what_a_text_does_not_say_does_not_stay_from_before(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    drop(visit, png_with(parameters=f"{LINE}, CFG scale: 9.5, Clip skip: 2, Schedule type: Karras"))
    expect(visit.control("Negative prompt")).to_have_value("fog")
    expect(visit.control("Guidance scale value")).to_have_value("9.5")
    visit.rest()
    before = visit.page.evaluate(KEPT)
    drop(visit, png_with(parameters="a near lake\nSteps: 9, Sampler: Euler a, Seed: 6"))
    expect(visit.control("Prompt")).to_have_value("a near lake")
    visit.rest()
    kept = visit.page.evaluate(KEPT)
    assert (kept["negative_prompt"], kept["steps"], kept["seed"]) == ("", 9, 6)
    assert (kept["guidance_scale"], kept["clip_skip"], kept["sigmas"]) == (4, 1, "default")
    assert (kept["width"], kept["height"]) == (512, 512)
    panel(visit).get_by_role("button", name="Undo").click()
    expect(visit.control("Prompt")).to_have_value("a far lake")
    visit.rest()
    assert visit.page.evaluate(KEPT) == before


def test_a_pasted_text_and_our_own_picture(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    visit.control("Prompt").focus()
    visit.page.evaluate(PASTE, LINE)
    expect(visit.control("Prompt")).to_have_value("a far lake")
    expect(panel(visit).get_by_role("status")).to_contain_text("Settings read from the text (A1111).")
    panel(visit).get_by_role("button", name="Close").press("Enter")
    expect(panel(visit)).to_have_count(0)
    visit.control("Prompt").focus()
    visit.page.keyboard.press("Control+a")
    unread = "Steps: 3, a staircase, Seed: of doubt"
    visit.page.evaluate(PASTE, unread)
    expect(visit.control("Prompt")).to_have_value(unread)
    visit.write("a calm lake steps=2 delay=0")
    visit.generate()
    visit.wait_state("finished")
    address = visit.page.locator("#stage img[src^='/api/images']").first.get_attribute("src")
    content = visit.context.request.get(f"{fake_studio.address}{address}").body()
    visit.write("something else")
    with visit.page.expect_file_chooser() as chooser:
        visit.button("History").click()
        visit.page.get_by_role("button", name="Read a picture’s settings…").press("Enter")
    chooser.value.set_files({"name": "x.png", "mimeType": "image/png", "buffer": content})
    expect(visit.control("Prompt")).to_have_value("a calm lake steps=2 delay=0")
    expect(panel(visit).get_by_role("status")).to_contain_text("Settings read from the picture (Darkroom).")


def test_on_a_phone_and_in_chinese(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio, PHONE, locale="zh-CN")
    drop(visit, png_with(parameters=LINE))
    expect(panel(visit).get_by_role("status")).to_have_text(
        "已读取图片的设置（A1111）。 无法识别：Token merging、VAE。"
    )
    for button in panel(visit).get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
