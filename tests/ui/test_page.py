"""The page as a whole: no connection of Gradio's own, no other host, no torch, nothing queued."""

from __future__ import annotations

import asyncio
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import gradio as gr
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from gradio.queueing import Queue
from PIL import Image

from tests.ui.conftest import OneCheckpoint, checkpoint, page_of
from webui.checkpoints.catalogue import Catalogue, Example
from webui.presets import Presets
from webui.settings import ROOT, Settings
from webui.share.link import ShareState
from webui.texts import LANGUAGES, Texts
from webui.ui import assets
from webui.ui.page import mount_page
from webui.ui.routes import page_routes
from webui.ui.share_dialog import describe_share, qr_code
from webui.ui.theme import theme


def test_gradio_holds_no_connection_open(page: gr.Blocks) -> None:
    assert page.get_config_file()["connect_heartbeat"] is False


def test_no_handler_waits_in_gradios_queue(page: gr.Blocks) -> None:
    assert [fn.name for fn in page.fns.values() if fn.queue is not False] == []


def test_no_event_of_the_page_runs_python(page: gr.Blocks) -> None:
    events = list(page.fns.values())
    assert len(events) > len(page.get_config_file()["components"]) / 3
    assert [fn.name for fn in events if fn.fn is not None] == []
    assert [fn.js for fn in events if not str(fn.js).startswith("(") or "darkroom." not in str(fn.js)] == []


def test_the_theme_fetches_nothing() -> None:
    assert theme()._stylesheets == []


def test_our_files_name_no_other_host() -> None:
    files = [path for path in (Path(assets.__file__).parent / "assets").rglob("*.*") if path.is_file()]
    assert {".js", ".css", ".html"} == {path.suffix for path in files}
    found = {url for path in files for url in re.findall(r"https?://[^'\"\s)]+", path.read_text("utf-8"))}
    assert found <= {"http://www.w3.org/2000/svg"}


@pytest.fixture
def client(tmp_path: Path, presets: Presets) -> Iterator[TestClient]:
    picture = tmp_path / "example.png"
    Image.new("RGB", (640, 480), "navy").save(picture)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG")
    examples = (
        Example(prompt="a lake", picture=picture),
        Example(prompt="a hill"),
        Example(prompt="a wood", picture=broken),
        Example(prompt="a pond", picture=tmp_path / "gone.png"),
    )
    catalogue = OneCheckpoint(checkpoint(examples=examples))
    page = page_of(catalogue, Settings(data_dir=tmp_path))

    async def mount() -> FastAPI:  # in a running loop, as Gradio leaves others behind
        app = FastAPI()
        app.include_router(page_routes(cast(Catalogue, catalogue), presets, ShareState(), Texts()))
        return mount_page(app, page)

    with TestClient(asyncio.run(mount())) as client:
        yield client


def test_no_queue_of_gradios_runs(page: gr.Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Queue] = []
    monkeypatch.setattr(Queue, "start", started.append)
    page.run_startup_events()
    assert page.is_running
    assert started == []


def test_examples_are_served_by_number_at_the_size_of_a_tile(client: TestClient) -> None:
    answer = client.get("/page/examples/0", params={"checkpoint": "starter"})
    tile = Image.open(io.BytesIO(answer.content))
    assert (answer.headers["content-type"], tile.format, tile.size) == ("image/webp", "WEBP", (384, 288))
    for missing in (1, 2, 3, 9):
        assert client.get(f"/page/examples/{missing}", params={"checkpoint": "starter"}).status_code == 404


def test_the_picker_is_told_labels_and_ids(client: TestClient) -> None:
    assert client.get("/page/checkpoints").json() == [["Starter", "starter"]]


def test_the_share_dialog_is_told_what_it_shows(client: TestClient) -> None:
    english, chinese = (client.get("/page/share", headers={"Accept-Language": name}).json() for name in LANGUAGES)
    assert english.keys() == chinese.keys()
    assert english == describe_share(ShareState().now, Texts(), "en")
    assert chinese == describe_share(ShareState().now, Texts(), "zh-CN")


def test_the_page_loads_no_torch() -> None:
    code = "import sys, webui.ui.page; print(sorted({'torch', 'diffusers', 'transformers'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_qr_code_is_inline_svg() -> None:
    drawn = qr_code("https://example.org/?a=1&b=<2>")
    assert drawn.startswith("<svg")
    assert "#12100f" in drawn
    assert "width=" not in drawn.split(">")[0]
