"""A running app as the browser tests see it, and a person in front of its page."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

ROOT = Path(__file__).resolve().parent.parent.parent
# How long a machine may take that does much else meanwhile; nothing waits longer than it has to, and no test ends
# later than pytest's own limit, which would not say what it waited for.
START_SECONDS = 90.0
READY_SECONDS = 90.0
SUBMIT_SECONDS = 60.0
ANSWER_SECONDS = 60.0
QUIET_MILLISECONDS = 200  # without a change, after which the page counts as at rest
# Until nothing on the page has changed for so long, and what moves for a while has come to its end.
AT_REST = """async (quiet) => {
    await document.fonts.ready;
    await new Promise((done) => {
        let timer;
        const end = () => { observer.disconnect(); done(); };
        const again = () => { clearTimeout(timer); timer = setTimeout(end, quiet); };
        const isChange = ({ type, oldValue, target, attributeName }) =>
            type !== "attributes" || oldValue !== target.getAttribute(attributeName);
        const observer = new MutationObserver((found) => found.some(isChange) && again());
        observer.observe(document, { subtree: true, childList: true, characterData: true, attributeOldValue: true });
        again();
    });
    const ending = document.getAnimations().filter(
        (one) => one.playState === "running" && one.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.all(ending.map((one) => one.finished.catch(() => null)));
}"""
expect.set_options(timeout=ANSWER_SECONDS * 1000)
DESKTOP = (1440, 900)
PHONE = (390, 844)
WINDOWS = {
    "desktop": DESKTOP,
    "small-desktop": (1024, 768),
    "narrow": (900, 800),
    "tablet": (768, 1024),
    "desktop-at-200-percent": (720, 450),
    "phone": PHONE,
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass
class Studio:
    """One program, real or with the fake worker, that runs inside a `with`; it may be stopped and started again."""

    data_dir: Path
    is_real: bool = True
    flags: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Studio:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> Studio:
        """Starts the program and waits for the page, not for the worker."""
        program = ["launch.py", "--no-browser"] if self.is_real else ["-m", "tests.browser.fake_app"]
        line = [sys.executable, *program, "--port", str(self.port), "--data-dir", str(self.data_dir), *self.flags]
        self.process = subprocess.Popen(line, cwd=ROOT, env={**os.environ, **self.environment})
        self.wait_for(lambda health: True, START_SECONDS)
        return self

    def stop(self) -> None:
        """Ends the program as a person would."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def wait_until_ready(self) -> None:
        """Until the worker takes jobs."""
        self.wait_for(lambda health: health["worker"]["state"] in ("ready", "busy"), READY_SECONDS)

    def wait_for(self, condition: Any, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                answer = httpx.get(f"{self.address}/healthz", timeout=5)
                if answer.status_code == 200 and condition(answer.json()):
                    return
            except httpx.TransportError:
                assert self.process is None or self.process.poll() is None, "the program ended"
            assert time.monotonic() < deadline, "not in time"
            time.sleep(0.1)

    def worker(self) -> psutil.Process:
        """The process that computes: the child that has most memory."""
        assert self.process is not None
        children = psutil.Process(self.process.pid).children(recursive=True)
        return max(children, key=lambda child: child.memory_info().rss)


@dataclass
class Visit:
    """One person's browser window on the page, and what went wrong in it unseen."""

    page: Page
    context: BrowserContext
    address: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def control(self, name: str) -> Locator:
        """The control with exactly this accessible name."""
        return self.page.get_by_label(name, exact=True).locator("visible=true")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True).locator("visible=true")

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name, exact=True).locator("visible=true").first.click()

    def write(self, prompt: str) -> None:
        self.control("Prompt").fill(prompt)

    def set_number(self, name: str, value: str) -> None:
        """Types into the box of this name, and leaves it."""
        box = self.control(name)
        box.fill(value)
        box.press("Tab")
        expect(box).to_have_value(value)

    def choose(self, name: str, label: str) -> None:
        """Chooses what is called `label` in the list of this name."""
        box = self.control(name)
        box.select_option(label=label)
        expect(box.locator("option:checked")).to_have_text(label)

    def chosen(self, name: str) -> str:
        """What the list of this name shows."""
        return self.control(name).locator("option:checked").inner_text()

    def open_gallery(self) -> None:
        self.page.locator(".rail-gallery").click()
        expect(self.page.locator(".sheet")).to_be_visible()

    def generate(self) -> str:
        """Clicks Generate and waits until the stage shows what comes of it; the job's id."""
        return self.submit(self.click_generate)

    def click_generate(self) -> None:
        self.page.locator("#generate").locator("visible=true").click()

    def submit(self, act: Callable[[], None]) -> str:
        """Does something that makes a job, and waits until the stage shows that one; its id."""
        before = [*self.job_ids(), self.job()]
        act()
        script = "(before) => { const { job } = document.querySelector('#stage')?.dataset ?? {};"
        script += " return before.includes(job) ? null : job; }"
        shown = self.page.wait_for_function(script, arg=before, timeout=SUBMIT_SECONDS * 1000)
        return str(shown.json_value())

    def job_ids(self) -> list[str]:
        """This person's jobs, the newest first, as the API lists them."""
        return list(self.page.evaluate("async () => (await (await fetch('/api/jobs')).json()).map(job => job.id)"))

    def wait_job(self, job: str) -> None:
        """Until the stage shows this job."""
        script = "(job) => document.querySelector('#stage')?.dataset.job === job"
        self.page.wait_for_function(script, arg=job, timeout=SUBMIT_SECONDS * 1000)

    def rest(self) -> None:
        """Until the page has come to rest."""
        self.page.evaluate(AT_REST, QUIET_MILLISECONDS)

    def stage(self) -> Locator:
        return self.page.locator("#stage")

    def wait_state(self, *states: str, seconds: float = ANSWER_SECONDS) -> None:
        """Until the stage is in one of these states; fails at once when the job failed unexpectedly."""
        wanted = " || ".join(f"s === '{state}'" for state in (*states, "failed"))
        script = f"() => {{ const s = document.querySelector('#stage').dataset.state; return {wanted}; }}"
        self.page.wait_for_function(script, timeout=seconds * 1000)
        state = self.stage().get_attribute("data-state")
        assert state in states, self.stage().inner_text()

    def job(self) -> str:
        return self.stage().get_attribute("data-job") or ""

    def watch_previews(self) -> None:
        """From now on, `previews()` tells which pictures the stage has shown."""
        self.page.evaluate(
            """() => {
                window.seenPreviews = new Set();
                const look = () => document.querySelectorAll('#stage img').forEach(
                    image => image.src && image.naturalWidth && window.seenPreviews.add(image.src));
                window.setInterval(look, 15);
            }"""
        )

    def previews(self) -> list[str]:
        return list(self.page.evaluate("() => [...window.seenPreviews]"))

    def named(self, name: str) -> list[str]:
        """Roles of all that is exposed to assistive technology under exactly this name, text itself aside."""
        session = self.context.new_cdp_session(self.page)
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        session.detach()
        text = ("StaticText", "InlineTextBox", "LabelText", "none", "generic")
        return [
            node["role"]["value"]
            for node in nodes
            if not node.get("ignored")
            and node.get("name", {}).get("value") == name
            and node["role"]["value"] not in text
        ]

    def check_clean(self) -> None:
        assert self.errors == []
        assert self.foreign == []


def visit(
    browser: Browser,
    studio: Studio,
    size: tuple[int, int] = DESKTOP,
    *,
    locale: str = "en-US",
    login: tuple[str, str] | None = None,
    scheme: Any = "light",
    context: BrowserContext | None = None,
) -> Visit:
    """Opens the page in a window of its own, or in another tab of `context`, and waits until it can be used."""
    if context is None:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=locale,
            color_scheme=scheme,
            has_touch=size == PHONE,
        )
    context.set_default_timeout(ANSWER_SECONDS * 1000)
    page = context.new_page()
    visit = Visit(page=page, context=context, address=studio.address)

    def on_request(request: Request) -> None:
        if (
            request.url.split(":")[0] in ("http", "https", "ws", "wss")
            and f"127.0.0.1:{studio.port}" not in request.url
        ):
            visit.foreign.append(request.url)

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            visit.errors.append(f"{message.text} ({message.location.get('url')})")

    page.on("request", on_request)
    page.on("console", on_console)
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.goto(studio.address)
    if login is not None:
        page.get_by_label("User name").fill(login[0])
        page.get_by_label("Password").fill(login[1])
        page.get_by_role("button", name="Log in").click()
    expect(page.locator("#stage")).to_be_visible(timeout=ANSWER_SECONDS * 1000)
    expect(page.locator("#generate").locator("visible=true")).to_be_enabled(timeout=ANSWER_SECONDS * 1000)
    expect(page.locator("html[data-settled]")).to_be_attached(timeout=ANSWER_SECONDS * 1000)
    return visit
