"""From a click on Generate to the stage's answer and to the first pixels, in a real Chromium with the starter, warm."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.benchmarks.figures import Figure
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.studio import Studio, Visit, visit

_PROMPT = "a calm lake surrounded by autumn trees at sunset"
_LIMIT_SECONDS = 120.0
# Looks once a frame; a frame later than the change, the person sees it.
_CLICK = """() => new Promise((resolve) => {
    const stage = document.querySelector("#stage");
    const before = stage.dataset.job;
    const start = performance.now();
    const found = {};
    const look = () => {
        const { job, state } = stage.dataset;
        const isNew = job !== before && (state === "waiting" || state === "running");
        if (!found.answered && isNew) found.answered = performance.now() - start;
        const image = stage.querySelector("img");
        if (isNew && job && image?.naturalWidth && image.src.startsWith("data:")) {
            found.pixels = performance.now() - start;
            return resolve(found);
        }
        requestAnimationFrame(look);
    };
    document.querySelector("#generate").click();
    requestAnimationFrame(look);
})"""


def measure_page(repeats: int) -> Iterator[Figure]:
    """Nothing where there is no Chromium."""
    if not shutil.which(CHROMIUM):
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, Studio(Path(folder)) as studio:
        studio.wait_until_ready()
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        person = visit(chromium, studio)
        person.write(_PROMPT)
        _click(person)  # loads and warms up
        found = [_click(person) for _ in range(repeats)]
        chromium.close()
    yield Figure("click to the stage's answer", tuple(one["answered"] for one in found), "ms", "goal: 100 ms")
    yield Figure("click to the first pixels, warm", tuple(one["pixels"] for one in found), "ms", "goal: 400 ms")


def _click(person: Visit) -> dict[str, float]:
    """One picture; milliseconds to `answered` and to `pixels`."""
    found: dict[str, float] = person.page.evaluate(_CLICK)
    person.wait_state("finished", seconds=_LIMIT_SECONDS)
    return found
