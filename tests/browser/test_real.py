"""What a person sees with the real engine and the starter: the three tabs, Stop, and a worker that is killed."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.browser.studio import Studio, Visit

pytestmark = pytest.mark.slow
OpenPage = Callable[..., Visit]


def upload(visit: Visit, name: str, photograph: bytes) -> None:
    """Puts a file into the upload with this accessible name."""
    chosen = {"name": "p.png", "mimeType": "image/png", "buffer": photograph}
    with visit.page.expect_response("**/api/images") as stored:
        visit.page.get_by_label(name, exact=True).set_input_files(chosen)  # type: ignore[arg-type]
    assert stored.value.status == 201
    visit.rest()  # until Gradio knows of it


def draw_small(visit: Visit, *, steps: str) -> None:
    """256 by 256 pixels; so many steps that a busy machine, too, has time to show some."""
    for name, value in {"Steps value": steps, "Width": "256", "Height": "256"}.items():
        visit.set_number(name, value)


def result(visit: Visit) -> Image.Image:
    """The picture of the job on the stage, as the API gives it."""
    job = httpx.get(f"{visit.address}/api/jobs/{visit.job()}", timeout=20).json()
    content = httpx.get(visit.address + job["images"][0]["url"], timeout=20).content
    return Image.open(io.BytesIO(content)).convert("RGB")


def test_a_prompt_becomes_a_picture_after_different_previews(real_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(real_studio)
    visit.watch_previews()
    visit.write("a calm lake surrounded by autumn trees at sunset")
    draw_small(visit, steps="60")
    visit.generate()
    visit.wait_state("finished", seconds=90)
    visit.rest()
    assert len(visit.previews()) >= 4, "three previews and the picture"
    assert visit.stage().get_attribute("data-step") == visit.stage().get_attribute("data-total")
    picture = np.asarray(result(visit))
    assert picture.std() > 15, "not a flat surface"
    shown = visit.page.locator("#stage img").locator("visible=true").last
    assert shown.evaluate("image => image.naturalWidth") > 0


def test_an_upload_is_redrawn(real_studio: Studio, open_page: OpenPage, photographs: dict[str, bytes]) -> None:
    visit = open_page(real_studio)
    visit.tab("Image to image")
    upload(visit, "Input image", photographs["china"])
    visit.write("a snowy mountain, winter")
    visit.generate()
    visit.wait_state("finished", seconds=90)
    drawn = result(visit)
    given = Image.open(io.BytesIO(photographs["china"])).convert("RGB").resize(drawn.size)
    difference = np.abs(np.asarray(drawn, float) - np.asarray(given, float)).mean()
    assert 3 < difference < 110, "another picture, but not just any"


def test_a_style_is_transferred(real_studio: Studio, open_page: OpenPage, photographs: dict[str, bytes]) -> None:
    visit = open_page(real_studio)
    visit.tab("Style transfer")
    upload(visit, "Content image", photographs["china"])
    upload(visit, "Style image", photographs["flower"])
    visit.set_number("Iterations value", "20")
    visit.watch_previews()
    visit.generate()
    visit.wait_state("finished", seconds=90)
    assert len(visit.previews()) >= 3
    styled, content, style = (
        np.asarray(image.convert("RGB").resize((96, 64)), float).reshape(-1, 3).mean(0)
        for image in (result(visit), *(Image.open(io.BytesIO(photographs[n])) for n in ("china", "flower")))
    )
    assert np.linalg.norm(styled - style) < np.linalg.norm(content - style), "its colours moved towards the style's"


def test_stop_takes_effect_at_once(real_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(real_studio)
    visit.write("two hot air balloons over the mountains")
    visit.set_number("Steps value", "150")
    visit.generate()
    visit.wait_state("running")
    visit.page.wait_for_function("() => Number(document.querySelector('#stage').dataset.step) >= 2", timeout=60_000)
    start = time.monotonic()
    visit.button("Stop").click()
    visit.wait_state("cancelled", seconds=15)
    assert time.monotonic() - start < 10, "within a second on a machine that does nothing else"


def test_a_killed_worker_costs_nothing_but_time(real_studio: Studio, open_page: OpenPage) -> None:
    visit = open_page(real_studio)
    visit.write("a red house in a snowy meadow, winter")
    draw_small(visit, steps="60")
    visit.generate()
    visit.page.wait_for_function("() => Number(document.querySelector('#stage').dataset.step) >= 1", timeout=60_000)
    real_studio.worker().kill()
    visit.wait_state("finished", seconds=90)
    assert httpx.get(f"{visit.address}/healthz", timeout=10).status_code == 200
