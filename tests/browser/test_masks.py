"""The editor for masks and sketches, by mouse and keyboard on a desktop and by finger on a phone: what comes of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.studio import PHONE, Studio, Visit
from tests.browser.test_access import serious_findings

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]


def choose(visit: Visit, content: bytes) -> None:
    """Puts a picture into the field, and waits until it is stored."""
    before = visit.page.evaluate("() => JSON.parse(localStorage.getItem('darkroom.controls')).init_image")
    file = {"name": "photo.png", "mimeType": "image/png", "buffer": content}
    visit.page.locator("#init_image input[type=file]").set_input_files(file)
    script = "(b) => ![b, ''].includes(JSON.parse(localStorage.getItem('darkroom.controls')).init_image)"
    visit.page.wait_for_function(script, arg=before)
    visit.page.locator("#mask [data-part=mask]").wait_for()


def kept(visit: Visit, name: str) -> Any:
    return visit.page.evaluate(f"() => JSON.parse(localStorage.getItem('darkroom.controls')).{name}")


def picture(visit: Visit, reference: str) -> np.ndarray:
    content = visit.page.evaluate(
        "async (id) => [...new Uint8Array(await (await fetch(`/api/images/${id}`)).arrayBuffer())]", reference
    )
    return np.asarray(Image.open(io.BytesIO(bytes(content))).convert("RGB"))


def editor(visit: Visit, part: str = "mask") -> Locator:
    visit.page.locator(f"#mask [data-part={part}]").click()
    paper = visit.page.locator(".paint-paper")
    expect(paper).to_be_visible()
    visit.rest()  # it is fitted into its place once that is laid out
    return paper


def finish(visit: Visit) -> None:
    visit.button("Done").click()
    expect(visit.page.locator(".paint")).to_have_count(0)


def place(paper: Locator, x: float, y: float) -> tuple[float, float]:
    """A share of the paper as a point of the window."""
    box = paper.bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_a_mask_is_drawn_changed_kept_and_never_goes_with_another_picture(
    fake_studio: Studio, open_page: OpenPage, photographs: dict[str, bytes]
) -> None:
    visit = open_page(fake_studio)
    page, mouse = visit.page, visit.page.mouse
    visit.tab("Image to image")
    choose(visit, photographs["china"])
    assert not page.locator("#masking").is_visible()
    # 1. By mouse: a stroke, taken back, brought again; a ring that is filled.
    paper = editor(visit)
    assert serious_findings(visit) == []
    mouse.move(*place(paper, 0.3, 0.3))
    mouse.down()
    for x, y in ((0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3)):
        mouse.move(*place(paper, x, y), steps=3)
    mouse.up()
    visit.button("Undo").click()
    expect(visit.button("Undo")).to_be_disabled()
    visit.button("Redo").click()
    visit.button("Fill").click()
    mouse.click(*place(paper, 0.5, 0.5))
    # 2. Zoomed in and moved, nothing is painted by moving; the wheel zooms.
    visit.button("Move").click()
    mouse.move(*place(paper, 0.5, 0.5))
    mouse.wheel(0, -300)
    before = paper.bounding_box()
    mouse.down()
    mouse.move(*(value + 30 for value in place(paper, 0.5, 0.5)))
    mouse.up()
    assert paper.bounding_box() != before
    finish(visit)
    mask = picture(visit, kept(visit, "mask"))
    china = Image.open(io.BytesIO(photographs["china"]))
    assert mask.shape[:2] == (china.height, china.width)
    down, across = china.height, china.width
    assert mask[down // 2, across // 2].tolist() == [255, 255, 255]  # filled
    assert mask[down // 20, across // 20].tolist() == [0, 0, 0]
    assert page.locator("#masking").is_visible()
    # 3. It is still there after a reload, and goes out with the request.
    page.reload()
    expect(page.locator("html[data-settled]")).to_be_attached()
    expect(visit.button("Edit mask")).to_be_visible()
    page.get_by_label("Only masked", exact=True).check(force=True)
    visit.write("masked delay=0")
    job = visit.generate()
    said = page.evaluate("async (id) => (await (await fetch(`/api/jobs/${id}`)).json()).request", job)
    assert (said["mask"], said["inpaint_area"]) == (kept(visit, "mask"), "only_masked")
    # 4. By keyboard: what was there is inverted, and some of it rubbed out.
    paper = editor(visit)
    page.keyboard.press("i")
    page.keyboard.press("e")
    for key in ("Space", "ArrowRight", "ArrowRight", "Space"):
        page.keyboard.press(key)
    finish(visit)
    inverted = picture(visit, kept(visit, "mask"))
    assert inverted[down // 20, across // 20].tolist() == [255, 255, 255]
    assert np.abs(inverted.astype(int) + mask - 255).mean() < 20  # but for what was rubbed out of the middle
    # 5. Escape throws away, and the way back is offered.
    editor(visit)
    visit.button("Clear").click()
    page.keyboard.press("Escape")
    assert kept(visit, "mask") != ""
    page.get_by_role("button", name="Paint on").click()
    finish(visit)
    page.wait_for_function("() => JSON.parse(localStorage.getItem('darkroom.controls')).mask === ''")
    # 6. Another picture takes the mask off, says so, and Undo brings both back.
    editor(visit)
    page.keyboard.press("i")
    finish(visit)
    first, mask_of_first = kept(visit, "init_image"), kept(visit, "mask")
    assert mask_of_first
    choose(visit, photographs["flower"])
    page.wait_for_function("() => JSON.parse(localStorage.getItem('darkroom.controls')).mask === ''")
    page.locator("#note").get_by_role("button", name="Undo").click()
    page.wait_for_function(
        "([i, m]) => { const c = JSON.parse(localStorage.getItem('darkroom.controls'));"
        " return c.init_image === i && c.mask === m; }",
        arg=[first, mask_of_first],
    )
    # 7. A sketch on the picture takes its place, under the same mask; Undo brings back the upload, which is as it was.
    photograph = picture(visit, first)
    paper = editor(visit, "sketch")
    visit.button("Blue").click()
    mouse.move(*place(paper, 0.3, 0.5))
    mouse.down()
    mouse.move(*place(paper, 0.7, 0.5), steps=4)
    mouse.up()
    finish(visit)
    page.locator("#note", has_text="The sketch is on the picture.").wait_for()
    sketched, mask = kept(visit, "init_image"), kept(visit, "mask")
    page.locator("#note").get_by_role("button", name="Undo").click()
    page.wait_for_function(
        "(wanted) => JSON.parse(localStorage.getItem('darkroom.controls')).init_image === wanted", arg=first
    )
    assert mask == kept(visit, "mask") == mask_of_first
    drawn = picture(visit, sketched)
    assert drawn[down // 2, across // 2].tolist() == [0x2F, 0x6F, 0xD0]
    assert np.array_equal(drawn[: down // 4], photograph[: down // 4])
    assert np.array_equal(picture(visit, first), photograph)
    # 8. Of a picture that something shows through the page says what becomes of that, and of no other.
    told = page.locator("#init_image .drop-said")
    expect(told).to_be_hidden()
    stream = io.BytesIO()
    Image.new("RGBA", (64, 48), (200, 40, 40, 128)).save(stream, "PNG")
    choose(visit, stream.getvalue())
    expect(told).to_have_text("What is transparent in it counts as white.")
    expect(told).to_be_visible()
    choose(visit, photographs["flower"])
    expect(told).to_be_hidden()


def test_a_finger_draws_two_fingers_move_and_a_sketch_needs_no_picture(
    fake_studio: Studio, open_page: OpenPage
) -> None:
    visit = open_page(fake_studio, PHONE, scheme="dark")
    page = visit.page
    session = visit.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        given = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": given})

    visit.tab("Image to image")
    page.locator("#mask [data-part=sketch]").scroll_into_view_if_needed()
    paper = editor(visit, "sketch")
    covered = page.locator(".paint").bounding_box()
    assert covered is not None
    assert (covered["width"], covered["height"]) == PHONE
    assert serious_findings(visit) == []
    small = page.evaluate(
        "() => [...document.querySelectorAll('.paint button:not(.paint-dab), .paint input')]"
        ".filter((node) => Math.min(node.offsetWidth, node.offsetHeight) < 44).length"
    )
    assert small == 0
    # 1. One finger draws, in the colour that was chosen.
    visit.button("Blue").click()
    touch("touchStart", place(paper, 0.2, 0.5))
    for step in range(1, 7):
        touch("touchMove", place(paper, 0.2 + 0.1 * step, 0.5))
    touch("touchEnd")
    # 2. Two fingers zoom and leave no trace, not even of the first one.
    box = paper.bounding_box()
    assert box is not None
    left, right = place(paper, 0.4, 0.2), place(paper, 0.6, 0.2)
    touch("touchStart", left)
    touch("touchStart", left, right)
    touch("touchMove", (left[0] - 40, left[1]), (right[0] + 40, right[1]))
    touch("touchEnd")
    zoomed = paper.bounding_box()
    assert zoomed is not None
    assert zoomed["width"] > 1.3 * box["width"]
    visit.button("Whole picture in sight").click()
    # 3. With Move one finger only moves.
    visit.button("Move").click()
    touch("touchStart", place(paper, 0.5, 0.8))
    touch("touchMove", place(paper, 0.5, 0.9))
    touch("touchEnd")
    finish(visit)
    page.wait_for_function("() => JSON.parse(localStorage.getItem('darkroom.controls')).init_image")
    sheet = picture(visit, kept(visit, "init_image"))
    assert sheet.shape[:2] == (kept(visit, "height"), kept(visit, "width"))
    middle = sheet[sheet.shape[0] // 2, sheet.shape[1] // 2]
    assert middle.tolist() == [0x2F, 0x6F, 0xD0]
    for x, y in ((0.4, 0.2), (0.6, 0.2), (0.5, 0.85)):
        assert sheet[int(y * sheet.shape[0]), int(x * sheet.shape[1])].tolist() == [255, 255, 255]
    # 4. What is added at the sides stands in the frame, and in the request.
    page.locator(".framing-toggle").click()
    page.locator("#outpaint_left input").fill("60")
    page.locator("#outpaint_left input").press("Tab")
    expect(page.locator("#outpaint_left input")).to_have_value("64")  # a multiple of 8
    expect(page.locator(".sides-over")).to_be_attached()
    assert page.locator("#denoising_strength input[type=range]").is_disabled()
    expect(page.locator("#why_denoising_strength")).to_contain_text("noise alone")
    assert serious_findings(visit) == []
    visit.write("wider delay=0")
    job = visit.generate()
    said = page.evaluate("async (id) => (await (await fetch(`/api/jobs/${id}`)).json()).request", job)
    assert (said["outpaint_left"], said["init_image"], said["mask"]) == (64, kept(visit, "init_image"), None)
