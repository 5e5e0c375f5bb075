"""Single scripts of the page in a real Chromium: each test imports what it asks about into a page that is blank."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.ui.conftest import OneCheckpoint, checkpoint, page_of
from webui.api.schemas import CheckpointOut
from webui.settings import Settings
from webui.ui.page_files import PageFiles

ADDRESS = "http://darkroom.test"  # nobody is asked: every call is answered here
BLANK = '<!doctype html><html lang="en"><meta charset="utf-8"><title>blank</title><body></body></html>'
HELPERS = (Path(__file__).parent / "helpers.js").read_text("utf-8")


def listed(id: str, family: str, **values: Any) -> dict[str, Any]:
    """A checkpoint as the API lists it."""
    defaults = {
        "width": 256, "height": 192, "steps": 20, "guidance_scale": 5.0, "scheduler": "ddim", "sigmas": "default",
    }  # fmt: skip
    own = {"critic": "clip/toy", "clip_layers": 12, "decoders": ["full"], "size_bytes": 1, "vocabulary": {}, **values}
    own = {"made_for": None, "is_introductory": False, **own}
    own["defaults"] = {**defaults, **values.get("defaults", {})}
    return CheckpointOut.model_validate({"id": id, "name": id.title(), "family": family, **own}).model_dump()


LIGHTNING = {"steps": 4, "guidance_scale": 1.0, "scheduler": "euler", "sigmas": "sgm_uniform"}
BY_NAME = {"kind": "SDXL Lightning", "known_by": "name", **LIGHTNING}
CHECKPOINTS = [
    listed("starter", "sd15"),
    listed("large", "sdxl", critic=None, defaults={"width": 1024, "height": 1024, "steps": 30, "scheduler": "euler"}),
    listed("slow", "sdxl", quick_lora={"name": "fast", "made_for": BY_NAME}),
    listed("quick", "sdxl", defaults=LIGHTNING, made_for=BY_NAME),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass
class Modules:
    """A page with nothing on it but the helpers, and what went wrong in it unseen."""

    page: Page
    context: BrowserContext
    errors: list[str] = field(default_factory=list)

    def run(self, body: str, given: Any = None) -> Any:
        """What the body of an async function of `given` returns."""
        return self.page.evaluate(f"async (given) => {{ {body} }}", given)


@pytest.fixture(scope="package")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Texts by address, as the page serves them."""
    page = page_of(OneCheckpoint(checkpoint()), Settings(data_dir=tmp_path_factory.mktemp("modules")))
    served: PageFiles = page.darkroom.files
    app = FastAPI()
    app.include_router(served.routes())
    with TestClient(app) as client:
        addresses = [served.address(name) for name in served.names if name.endswith(".js")]
        return {address: client.get(address).text for address in addresses}


@pytest.fixture(scope="package")
def browser(files: dict[str, str]) -> Iterator[Browser]:
    """Started once the page is built: its loop runs from then on, and there can be no second one."""
    assert files
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_modules(browser: Browser, files: dict[str, str]) -> Iterator[Callable[..., Modules]]:
    """Opens such pages, in a window of its own each, with `cookies` as the server would have set them."""
    opened: list[Modules] = []
    folder = next(iter(files)).split("/", 4)
    helpers = f"window.files = {'/'.join(folder[:4])!r};\n{HELPERS}"

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ADDRESS).partition("#")[0]
        if path in files:
            route.fulfill(body=files[path], content_type="text/javascript")
        elif route.request.resource_type == "document":
            route.fulfill(body=BLANK, content_type="text/html")
        else:
            route.abort()

    def open_one(address: str = "/", **cookies: str) -> Modules:
        context = browser.new_context(locale="en-US")
        context.add_cookies([{"name": name, "value": value, "url": ADDRESS} for name, value in cookies.items()])
        context.add_init_script(helpers)
        context.route("**/*", answer)
        page = context.new_page()
        opened.append(Modules(page, context))
        page.on("pageerror", lambda error: opened[-1].errors.append(str(error)))
        page.goto(f"{ADDRESS}{address}")
        return opened[-1]

    yield open_one
    for one in opened:
        one.context.close()
    assert [error for one in opened for error in one.errors] == []


@pytest.fixture
def modules(open_modules: Callable[..., Modules]) -> Modules:
    return open_modules()
