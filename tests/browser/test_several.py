"""Several pictures of one job on the stage: close to each other, and with their places kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.studio import Studio, Visit

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]

BOX = """(node) => {
    const { left, top, right, bottom } = node.getBoundingClientRect();
    return [left, top, right, bottom];
}"""


@pytest.mark.parametrize("count", [2, 3, 4, 8])
@pytest.mark.parametrize("shape", [(512, 512), (768, 320), (320, 768)], ids=["square", "wide", "tall"])
def test_several_pictures_stand_close(
    fake_studio: Studio, open_page: OpenPage, count: int, shape: tuple[int, int]
) -> None:
    visit = open_page(fake_studio)
    asked = {"prompt": "close steps=1 delay=0", "num_images": count, "width": shape[0], "height": shape[1]}
    visit.page.request.post(f"{fake_studio.address}/api/text-to-image", data=asked)
    expect(visit.page.locator("#stage .frame img:visible")).to_have_count(count)
    expect(visit.page.locator("#stage")).to_have_attribute("data-state", "finished")
    visit.rest()
    boxes = [node.evaluate(BOX) for node in visit.page.locator("#stage .frame img").all()]
    left, top = (min(box[at] for box in boxes) for at in (0, 1))
    right, bottom = (max(box[at] for box in boxes) for at in (2, 3))
    stage = visit.page.locator("#stage").evaluate(BOX)
    assert stage[0] <= left < right <= stage[2]
    assert stage[1] <= top < bottom <= stage[3]
    columns, rows = (len({round(box[at]) for box in boxes}) for at in (0, 1))
    width = boxes[0][2] - boxes[0][0]
    assert width / (boxes[0][3] - boxes[0][1]) == pytest.approx(shape[0] / shape[1], rel=0.02)
    if columns * rows == count:
        assert right - left == pytest.approx(columns * width + (columns - 1) * 10, abs=1.5), "10 px are between two"


def test_those_that_are_to_come_have_their_places(fake_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(fake_studio)
    page = visit.page
    page.locator("#num_images input").nth(2).check()
    page.locator("#ratio input").nth(3).check()
    visit.write("places steps=3 wait=places")
    visit.generate()
    visit.wait_state("running")
    empty = page.locator('#stage .frame[data-empty="yes"]')
    expect(empty).to_have_count(3)
    waiting = [node.evaluate(BOX) for node in empty.all()]
    (fake_studio.data_dir / "places").touch()
    visit.wait_state("finished")
    visit.rest()
    finished = [node.evaluate(BOX) for node in page.locator("#stage .frame").all()]
    assert [[pytest.approx(edge, abs=2) for edge in box] for box in waiting] == finished[1:]
