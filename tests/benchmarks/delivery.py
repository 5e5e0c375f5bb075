"""What the page costs on an ordinary line, and what the program costs when nobody is there."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import BrowserContext, sync_playwright

from tests.benchmarks.figures import Figure
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.studio import DESKTOP, Studio

# 10 Mbit/s and 80 ms there and back.
_LINE = {"offline": False, "latency": 80, "downloadThroughput": 10e6 / 8, "uploadThroughput": 10e6 / 8}
_USABLE = "html[data-settled]"
_AFTER_SECONDS = 1.5  # in which the last pictures come
IDLE_SECONDS = 10.0


@dataclass
class Opening:
    """One opening of the page: how long until it can be used, and what came over the line."""

    seconds: float = 0.0
    html_bytes: float = 0.0
    all_bytes: float = 0.0
    requests: int = 0
    _documents: set[str] = field(default_factory=set)

    def asked(self, event: dict[str, Any]) -> None:
        self.requests += not event["request"]["url"].startswith("data:")
        if event.get("type") == "Document":
            self._documents.add(event["requestId"])

    def came(self, event: dict[str, Any]) -> None:
        self.all_bytes += event["encodedDataLength"]
        if event["requestId"] in self._documents:
            self.html_bytes += event["encodedDataLength"]


def open_page(context: BrowserContext, address: str) -> Opening:
    """Opens the page on that line, in a tab of its own, with what the context has in its cache."""
    opening = Opening()
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", _LINE)
    session.on("Network.requestWillBeSent", opening.asked)
    session.on("Network.loadingFinished", opening.came)
    start = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(_USABLE, state="attached")
    opening.seconds = time.perf_counter() - start
    page.wait_for_timeout(_AFTER_SECONDS * 1000)
    page.close()
    return opening


def idle_percent(studio: Studio, seconds: float = IDLE_SECONDS) -> float:
    """How much of a core the web process takes, its worker aside."""
    assert studio.process is not None
    process = psutil.Process(studio.process.pid)
    before, start = process.cpu_times(), time.perf_counter()
    time.sleep(seconds)
    after, end = process.cpu_times(), time.perf_counter()
    return 100 * (after.user + after.system - before.user - before.system) / (end - start)


def measure_delivery(repeats: int) -> Iterator[Figure]:
    """Each repeat opens the page with an empty cache and once more. Nothing of that where there is no Chromium."""
    with tempfile.TemporaryDirectory() as folder, Studio(Path(folder)) as studio:
        studio.wait_until_ready()
        idle = tuple(idle_percent(studio) for _ in range(repeats))
        yield Figure("web process with nobody there", idle, "% of a core", "goal: 0.5 %")
        if not shutil.which(CHROMIUM):
            return
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            pairs = []
            for _ in range(repeats):
                context = chromium.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
                pairs.append((open_page(context, studio.address), open_page(context, studio.address)))
                context.close()
            chromium.close()
    yield from _figures(pairs)


def _figures(pairs: list[tuple[Opening, Opening]]) -> Iterator[Figure]:
    colds, warms = zip(*pairs, strict=True)
    line = "at 10 Mbit/s and 80 ms"
    yield Figure(f"page usable {line}, cold", tuple(one.seconds for one in colds), goal="goal: 6 s")
    yield Figure(f"page usable {line}, warm", tuple(one.seconds for one in warms), goal="goal: 2 s")
    yield Figure("HTML of the page", tuple(one.html_bytes / 1000 for one in colds), "kB", "goal: 40 kB")
    yield Figure("all of the page, cold", tuple(one.all_bytes / 1000 for one in colds), "kB", "goal: 450 kB")
    yield Figure("all of the page, warm", tuple(one.all_bytes / 1000 for one in warms), "kB", "goal: 60 kB")
    yield Figure("requests, cold", tuple(float(one.requests) for one in colds), "")
