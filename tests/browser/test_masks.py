"""The editor for masks and sketches, by mouse and keyboard on a desktop and by finger on a phone: what comes of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Mouse, expect

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


def draw(mouse: Mouse, paper: Locator, *points: tuple[float, float]) -> None:
    """One stroke through these points of the paper."""
    mouse.move(*place(paper, *points[0]))
    mouse.down()
    for x, y in points[1:]:
        mouse.move(*place(paper, x, y), steps=4)
    mouse.up()


def until_kept(visit: Visit, **wanted: str) -> None:
    """Waits until the controls have these values."""
    script = "(wanted) => { const kept = JSON.parse(localStorage.getItem('darkroom.controls'));"
    script += " return Object.entries(wanted).every(([name, value]) => kept[name] === value); }"
    visit.page.wait_for_function(script, arg=wanted)


@pytest.fixture
def masked(fake_studio: Studio, open_page: OpenPage, photographs: dict[str, bytes]) -> Visit:
    """A page with a photograph of which all but the middle is masked."""
    visit = open_page(fake_studio)
    visit.tab("Image to image")
    choose(visit, photographs["china"])
    draw(visit.page.mouse, editor(visit), (0.4, 0.5), (0.6, 0.5))
    visit.page.keyboard.press("i")
    finish(visit)
    return visit


def test_a_mask_is_drawn_by_mouse(fake_studio: Studio, open_page: OpenPage, photographs: dict[str, bytes]) -> None:
    visit = open_page(fake_studio)
    mouse = visit.page.mouse
    visit.tab("Image to image")
    choose(visit, photographs["china"])
    assert not visit.page.locator("#masking").is_visible()
    paper = editor(visit)
    assert serious_findings(visit) == []
    draw(mouse, paper, (0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3))
    visit.button("Undo").click()
    expect(visit.button("Undo")).to_be_disabled()
    visit.button("Redo").click()
    visit.button("Fill").click()
    mouse.click(*place(paper, 0.5, 0.5))
    finish(visit)
    mask = picture(visit, kept(visit, "mask"))
    china = Image.open(io.BytesIO(photographs["china"]))
    assert mask.shape[:2] == (china.height, china.width)
    assert mask[china.height // 2, china.width // 2].tolist() == [255, 255, 255]  # filled
    assert mask[china.height // 20, china.width // 20].tolist() == [0, 0, 0]
    assert visit.page.locator("#masking").is_visible()


def test_nothing_is_painted_by_moving(masked: Visit) -> None:
    mouse = masked.page.mouse
    mask = picture(masked, kept(masked, "mask"))
    paper = editor(masked)
    masked.button("Move").click()
    mouse.move(*place(paper, 0.5, 0.5))
    mouse.wheel(0, -300)  # which zooms
    before = paper.bounding_box()
    mouse.down()
    mouse.move(*(value + 30 for value in place(paper, 0.5, 0.5)))
    mouse.up()
    assert paper.bounding_box() != before
    finish(masked)
    assert np.array_equal(picture(masked, kept(masked, "mask")), mask)


def test_a_mask_is_there_after_a_reload_and_goes_out_with_the_request(masked: Visit) -> None:
    page = masked.page
    page.reload()
    expect(page.locator("html[data-settled]")).to_be_attached()
    expect(masked.button("Edit mask")).to_be_visible()
    page.get_by_label("Only masked", exact=True).check(force=True)
    masked.write("masked delay=0")
    job = masked.generate()
    said = page.evaluate("async (id) => (await (await fetch(`/api/jobs/${id}`)).json()).request", job)
    assert (said["mask"], said["inpaint_area"]) == (kept(masked, "mask"), "only_masked")


def test_a_mask_is_changed_by_keyboard(masked: Visit) -> None:
    """What was there is inverted, and some of it rubbed out."""
    mask = picture(masked, kept(masked, "mask"))
    assert mask[0, 0].tolist() == [255, 255, 255]
    editor(masked)
    for key in ("i", "e", "Space", "ArrowRight", "ArrowRight", "Space"):
        masked.page.keyboard.press(key)
    finish(masked)
    inverted = picture(masked, kept(masked, "mask"))
    assert inverted[0, 0].tolist() == [0, 0, 0]
    difference = np.abs(inverted.astype(int) + mask - 255)
    assert 0 < difference.mean() < 20  # but for what was rubbed out of the middle


def test_escape_throws_away_and_the_way_back_is_offered(masked: Visit) -> None:
    editor(masked)
    masked.button("Clear").click()
    masked.page.keyboard.press("Escape")
    assert kept(masked, "mask") != ""
    masked.page.get_by_role("button", name="Continue painting").click()
    finish(masked)
    until_kept(masked, mask="")


def test_another_picture_takes_the_mask_off_and_undo_brings_both_back(
    masked: Visit, photographs: dict[str, bytes]
) -> None:
    first, mask_of_first = kept(masked, "init_image"), kept(masked, "mask")
    assert mask_of_first
    choose(masked, photographs["flower"])
    until_kept(masked, mask="")
    masked.page.locator("#note").get_by_role("button", name="Undo").click()
    until_kept(masked, init_image=first, mask=mask_of_first)


def test_a_sketch_on_a_picture_takes_its_place_under_the_same_mask(masked: Visit) -> None:
    page = masked.page
    first, mask_of_first = kept(masked, "init_image"), kept(masked, "mask")
    photograph = picture(masked, first)
    paper = editor(masked, "sketch")
    masked.button("Blue").click()
    draw(page.mouse, paper, (0.3, 0.5), (0.7, 0.5))
    finish(masked)
    page.locator("#note", has_text="Your sketch is now the input picture.").wait_for()
    sketched, mask = kept(masked, "init_image"), kept(masked, "mask")
    page.locator("#note").get_by_role("button", name="Undo").click()
    until_kept(masked, init_image=first)
    assert mask == kept(masked, "mask") == mask_of_first
    drawn = picture(masked, sketched)
    down, across = drawn.shape[:2]
    assert drawn[down // 2, across // 2].tolist() == [0x2F, 0x6F, 0xD0]
    assert np.array_equal(drawn[: down // 4], photograph[: down // 4])
    assert np.array_equal(picture(masked, first), photograph)  # the upload is as it was


def test_the_page_says_what_becomes_of_what_is_transparent(
    fake_studio: Studio, open_page: OpenPage, photographs: dict[str, bytes]
) -> None:
    visit = open_page(fake_studio)
    visit.tab("Image to image")
    told = visit.page.locator("#init_image .drop-said")
    expect(told).to_be_hidden()
    stream = io.BytesIO()
    Image.new("RGBA", (64, 48), (200, 40, 40, 128)).save(stream, "PNG")
    choose(visit, stream.getvalue())
    expect(told).to_have_text("Transparent areas become white.")
    expect(told).to_be_visible()
    choose(visit, photographs["flower"])
    expect(told).to_be_hidden()


class Fingers:
    """Touches on the paper of a page on a phone, whose points are shares of it."""

    def __init__(self, visit: Visit, paper: Locator) -> None:
        self._session = visit.context.new_cdp_session(visit.page)
        self._paper = paper

    def __call__(self, kind: str, *points: tuple[float, float]) -> None:
        """`touchStart`, `touchMove` or `touchEnd`."""
        placed = [place(self._paper, *point) for point in points]
        self.at(kind, *placed)

    def at(self, kind: str, *points: tuple[float, float]) -> None:
        """The same at points of the window."""
        given = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": given})


@pytest.fixture
def phone(fake_studio: Studio, open_page: OpenPage) -> Visit:
    """A phone on which the way to a sketch is in sight."""
    visit = open_page(fake_studio, PHONE, scheme="dark")
    visit.tab("Image to image")
    visit.page.locator("#mask [data-part=sketch]").scroll_into_view_if_needed()
    return visit


def test_the_editor_fills_a_phone_with_parts_large_enough_for_fingers(phone: Visit) -> None:
    editor(phone, "sketch")
    covered = phone.page.locator(".paint").bounding_box()
    assert covered is not None
    assert (covered["width"], covered["height"]) == PHONE
    assert serious_findings(phone) == []
    small = phone.page.evaluate(
        "() => [...document.querySelectorAll('.paint button:not(.paint-dab), .paint input')]"
        ".filter((node) => Math.min(node.offsetWidth, node.offsetHeight) < 44).length"
    )
    assert small == 0


def test_a_finger_draws_two_fingers_move_and_a_sketch_needs_no_picture(phone: Visit) -> None:
    page = phone.page
    paper = editor(phone, "sketch")
    touch = Fingers(phone, paper)
    phone.button("Blue").click()
    touch("touchStart", (0.2, 0.5))
    for step in range(1, 7):
        touch("touchMove", (0.2 + 0.1 * step, 0.5))
    touch("touchEnd")
    # Two fingers zoom and leave no trace, not even of the first one.
    box = paper.bounding_box()
    left, right = place(paper, 0.4, 0.2), place(paper, 0.6, 0.2)
    touch.at("touchStart", left)
    touch.at("touchStart", left, right)
    touch.at("touchMove", (left[0] - 40, left[1]), (right[0] + 40, right[1]))
    touch("touchEnd")
    zoomed = paper.bounding_box()
    assert box is not None
    assert zoomed is not None
    assert zoomed["width"] > 1.3 * box["width"]
    phone.button("Fit to window").click()
    phone.button("Move").click()  # with which one finger only moves
    touch("touchStart", (0.5, 0.8))
    touch("touchMove", (0.5, 0.9))
    touch("touchEnd")
    finish(phone)
    page.wait_for_function("() => JSON.parse(localStorage.getItem('darkroom.controls')).init_image")
    sheet = picture(phone, kept(phone, "init_image"))
    down, across = sheet.shape[:2]
    assert (down, across) == (kept(phone, "height"), kept(phone, "width"))
    assert sheet[down // 2, across // 2].tolist() == [0x2F, 0x6F, 0xD0]
    for x, y in ((0.4, 0.2), (0.6, 0.2), (0.5, 0.85)):
        assert sheet[int(y * down), int(x * across)].tolist() == [255, 255, 255]


def test_what_is_added_at_the_sides_stands_in_the_frame_and_in_the_request(
    phone: Visit, photographs: dict[str, bytes]
) -> None:
    page = phone.page
    choose(phone, photographs["flower"])
    page.locator(".framing-toggle").click()
    page.locator("#outpaint_left input").fill("60")
    page.locator("#outpaint_left input").press("Tab")
    expect(page.locator("#outpaint_left input")).to_have_value("64")  # a multiple of 8
    expect(page.locator(".sides-over")).to_be_attached()
    assert page.locator("#denoising_strength input[type=range]").is_disabled()
    expect(page.locator("#why_denoising_strength")).to_contain_text("pure noise")
    assert serious_findings(phone) == []
    phone.write("wider delay=0")
    job = phone.generate()
    said = page.evaluate("async (id) => (await (await fetch(`/api/jobs/${id}`)).json()).request", job)
    assert (said["outpaint_left"], said["init_image"], said["mask"]) == (64, kept(phone, "init_image"), None)
