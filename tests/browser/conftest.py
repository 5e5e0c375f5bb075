"""A real Chromium, the real app with the starter, and the same app with the scriptable worker."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from sklearn.datasets import load_sample_images

from tests.browser.studio import Studio, Visit, visit
from tests.judged_models import lay_out

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def real_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The app as people run it, on an empty data folder, its worker ready."""
    with Studio(tmp_path_factory.mktemp("real")) as studio:
        studio.wait_until_ready()
        yield studio


@pytest.fixture(scope="package")
def fake_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The app with the worker that does what the prompt says, and judges where the best are to be kept."""
    models = lay_out(tmp_path_factory.mktemp("judged") / "models")
    flags = ("--models-dir", str(models))
    with Studio(tmp_path_factory.mktemp("fake"), is_real=False, flags=flags) as studio:
        studio.wait_until_ready()
        yield studio


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens pages, closes them after the test, and makes sure that nothing went wrong in them unseen."""
    visits: list[Visit] = []

    def open_one(studio: Studio, *arguments: object, **options: object) -> Visit:
        visits.append(visit(browser, studio, *arguments, **options))  # type: ignore[arg-type]
        return visits[-1]

    yield open_one
    for one in visits:
        one.context.close()
    for one in visits:
        one.check_clean()


@pytest.fixture(scope="package")
def photographs() -> dict[str, bytes]:
    """Two real photographs as PNG, at most 256 pixels high: `china` and `flower`."""
    found = {}
    for name, pixels in zip(("china", "flower"), load_sample_images().images, strict=True):
        image = Image.fromarray(pixels)
        image.thumbnail((384, 256))
        stream = io.BytesIO()
        image.save(stream, "PNG")
        found[name] = stream.getvalue()
    return found
