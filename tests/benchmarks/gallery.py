"""A gallery of 50,000 pictures: pages near and deep, searches, stars, over HTTP; and how it scrolls in Chromium."""

from __future__ import annotations

import dataclasses
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

from tests.benchmarks.figures import Figure
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.studio import Studio, visit
from webui.requests import to_dict
from webui.requests.diffusion import TextToImage
from webui.storage import Storage
from webui.storage.owners import LOCAL
from webui.worker.messages import RawImage

COUNT = 50_000
_FILES = 100  # real ones, which the rows share
_DAYS = 500
_GOAL = "goal: 100 ms"
_NOUNS = ("lake", "forest", "castle", "village", "harbour", "fox", "city", "湖泊", "城堡", "森林")
_STYLES = ("watercolour", "oil", "neon", "mosaic", "woodcut", "水彩", "油画")
# Scrolls to the end of what is there every 50 ms, faster than any hand, until there are so many tiles; notes every task
# that lets the page wait.
_SCROLL = """(wanted) => new Promise((resolve) => {
    const tasks = [];
    const observer = new PerformanceObserver((list) => list.getEntries().forEach((one) => tasks.push(one.duration)));
    observer.observe({ entryTypes: ["longtask"] });
    const body = document.querySelector(".sheet-body");
    const start = performance.now();
    const timer = setInterval(() => {
        body.scrollTop = body.scrollHeight;
        let tiles = 0;
        for (const day of body.children) tiles += day.grid?.getElementsByClassName("cell").length ?? 0;
        if (tiles < wanted && performance.now() - start < 120000) return;
        clearInterval(timer);
        setTimeout(() => {
            observer.disconnect();
            resolve({ longest: Math.max(0, ...tasks), tiles, seconds: (performance.now() - start) / 1000 });
        }, 500);
    }, 50);
})"""


def measure_gallery(repeats: int, count: int = COUNT) -> Iterator[Figure]:
    """Fills a data folder first, which takes some seconds."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        ids = fill(Path(folder), count)
        yield Figure(f"rows written, {count}", (time.perf_counter() - start,))
        start = time.perf_counter()
        studio = Studio(Path(folder), is_real=False).start()
        try:
            yield Figure("the program's start with them", (time.perf_counter() - start,))
            studio.wait_until_ready()
            with httpx.Client(base_url=studio.address, timeout=60) as client:
                yield from _answers(client, ids, repeats)
            yield from _scrolling(studio)
        finally:
            studio.stop()


def fill(folder: Path, count: int) -> list[str]:
    """A data folder with `count` pictures, the last the newest; their ids."""
    storage = Storage(folder)
    rng = random.Random(1)
    raw = RawImage(width=64, height=64, rgb=bytes(64 * 64 * 3), seed=1)
    originals = []
    for n in range(min(_FILES, count)):
        info = storage.pictures.save(LOCAL, f"original{n}", TextToImage(prompt="a hill", seed=n), raw)
        originals.append(storage.pictures.get(LOCAL, info.id))
    now, ids = time.time(), []
    with storage.database.transaction():
        for n in range(len(originals), count):
            words = [rng.choice(_NOUNS), "in", rng.choice(_STYLES), f"number{n}"]
            request = TextToImage(
                prompt=" ".join(words), negative_prompt="blurry, lowres", seed=n, checkpoint="starter"
            )
            picture = originals[n % len(originals)]
            created = now - _DAYS * 86400 * (1 - n / count)
            ids.append(f"bench-{n}")
            storage.pictures.insert(
                dataclasses.replace(picture, id=ids[-1], job_id=f"job{n}", request=to_dict(request), created=created)
            )
    board = storage.boards.create(LOCAL, "Board")
    storage.boards.change(LOCAL, board.id, add=ids[::10])
    storage.close()
    return ids


def _answers(client: httpx.Client, ids: list[str], repeats: int) -> Iterator[Figure]:
    board = client.get("/api/boards").json()[0]["id"]
    calls: dict[str, Callable[[int], httpx.Response]] = {
        "first page of the gallery": lambda n: client.get("/api/gallery"),
        "a page 40,000 pictures down": lambda n: client.get("/api/gallery", params={"before": ids[len(ids) // 5 + n]}),
        "search, a word of every tenth picture": lambda n: client.get("/api/gallery", params={"q": _NOUNS[n % 7]}),
        "search, a word of every picture": lambda n: client.get("/api/gallery", params={"q": "blurry"}),
        "search, a word of one picture": lambda n: client.get(
            "/api/gallery", params={"q": f"number{len(ids) // 2 + n}"}
        ),
        "search, one Chinese sign": lambda n: client.get("/api/gallery", params={"q": "湖"}),
        "a board of 5,000": lambda n: client.get("/api/gallery", params={"board": board}),
        "a star": lambda n: client.post("/api/gallery/star", json={"ids": [ids[n]]}),
        "500 deleted": lambda n: client.post("/api/gallery/delete", json={"ids": ids[:500]}),
        "500 brought back": lambda n: client.post("/api/gallery/restore", json={"ids": ids[:500]}),
    }
    for name, call in calls.items():
        times = []
        for n in range(repeats):
            start = time.perf_counter()
            call(n).raise_for_status()
            times.append(1000 * (time.perf_counter() - start))
        yield Figure(name, tuple(times), "ms", "" if name.startswith("500") else _GOAL)


def _scrolling(studio: Studio) -> Iterator[Figure]:
    """Nothing where there is no Chromium."""
    if not shutil.which(CHROMIUM):
        return
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = visit(chromium, studio).page
        start = time.perf_counter()
        page.locator(".rail-gallery").click()
        page.locator(".cell img").first.wait_for()
        yield Figure("the sheet's first tiles", (1000 * (time.perf_counter() - start),), "ms")
        for wanted in (2_000, 20_000):
            found = page.evaluate(_SCROLL, wanted)
            name = f"longest task, scrolling to {found['tiles']} tiles"
            yield Figure(name, (found["longest"],), "ms", f"in {found['seconds']:.0f} s; goal: 200 ms")
        chromium.close()
