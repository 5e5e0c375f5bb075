"""The whole app on a real port, with the fake worker behind it: once without logins, once with two."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from PIL import Image

from tests.judged_models import lay_out
from webui.api.access.connections import IdleLimitedProtocol
from webui.app import build
from webui.downloads.options import DownloadOptions
from webui.settings import ROOT, Settings

NOWHERE = DownloadOptions(hub="https://hub.invalid", civitai="https://civitai.invalid")  # no test leaves this machine
LOGINS = ("anna:correct horse", "ben:battery:staple")


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running app and where it listens."""

    app: FastAPI
    url: str
    data_dir: Path
    models_dir: Path

    def client(self, user: str | None = None, **headers: str) -> httpx.Client:
        login = next((tuple(login.split(":", 1)) for login in LOGINS if login.split(":")[0] == user), None)
        return httpx.Client(base_url=self.url, auth=login, headers=headers, timeout=30, trust_env=False, verify=False)


async def built(data_dir: Path, *, download_options: DownloadOptions | None = None, **settings: Any) -> FastAPI:
    """`build`, inside an event loop: outside of one Gradio makes its own and never closes it."""
    return build(
        Settings(data_dir=data_dir, no_browser=True, **settings),
        worker_target="tests.fakes:serve",
        download_options=download_options or NOWHERE,
        self_measurement="tests.downloads.measured",
    )


@contextmanager
def serving(data_dir: Path, **settings: Any) -> Iterator[Server]:
    app = asyncio.run(built(data_dir, **settings))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            log_config=None,
            timeout_graceful_shutdown=1,
            ws="none",
            proxy_headers=False,
            http=IdleLimitedProtocol,
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Server(
            app=app,
            url=f"http://127.0.0.1:{port}",
            data_dir=data_dir,
            models_dir=settings.get("models_dir", ROOT / "models"),
        )
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without logins, on loopback."""
    with serving(tmp_path_factory.mktemp("open")) as server:
        yield server


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the logins of anna and ben, and with a critic."""
    models = lay_out(tmp_path_factory.mktemp("judged") / "models")
    with serving(tmp_path_factory.mktemp("guarded"), models_dir=models, auth=LOGINS) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def png() -> bytes:
    """A small red picture."""
    content = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(content, "PNG")
    return content.getvalue()


def events(lines: Iterator[str]) -> Iterator[tuple[int | None, str, Any]]:
    """`(id, name, data)` of each server-sent event in a response's lines."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield int(fields["id"]) if "id" in fields else None, fields.get("event", ""), json.loads(fields["data"])
            fields = {}
        else:
            fields = {}


def follow(client: httpx.Client, job: str, **headers: str) -> list[tuple[int | None, str, Any]]:
    """All events of a job, until it ends."""
    with client.stream("GET", f"/api/jobs/{job}/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        return list(events(answer.iter_lines()))


def generate(client: httpx.Client, **request: Any) -> str:
    """The id of a new job."""
    answer = client.post("/api/text-to-image", json={"prompt": "a lake", "steps": 3, **request})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])
