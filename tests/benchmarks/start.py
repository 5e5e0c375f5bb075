"""From `python launch.py` to the page, to the first picture and to the second, as a person waits for them."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import httpx

from tests.benchmarks.figures import Figure
from webui.settings import ROOT

_LIMIT_SECONDS = 180.0
_PROMPT = "a calm lake surrounded by autumn trees at sunset"


def measure_start(repeats: int) -> Iterator[Figure]:
    """Starts the program anew for each repeat, on an empty data folder."""
    pages, firsts, seconds = [], [], []
    for _ in range(repeats):
        page, first, second = _start_once()
        pages.append(page)
        firsts.append(first)
        seconds.append(second)
    yield Figure("page answers, after the start", tuple(pages), goal="goal: 4 s on two cores")
    yield Figure("first picture of the starter, after the start", tuple(firsts), goal="goal: 20 s on two cores")
    yield Figure("second picture", tuple(seconds), goal="goal: 5 s on two cores")


def _start_once() -> tuple[float, float, float]:
    """Seconds until the page answers, until the first picture is there, and that the second one takes."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as data_dir:
        line = [sys.executable, "launch.py", "--no-browser", "--port", str(port), "--data-dir", data_dir]
        start = time.perf_counter()
        with subprocess.Popen([*line, "--log-level", "error"], cwd=ROOT, stderr=subprocess.DEVNULL) as process:
            try:
                with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                    _wait_for_page(client, start)
                    page = time.perf_counter() - start
                    _make_picture(client)
                    first = time.perf_counter() - start
                    again = time.perf_counter()
                    _make_picture(client)
                    second = time.perf_counter() - again
            finally:
                process.terminate()
                process.wait(30)
    return page, first, second


def _wait_for_page(client: httpx.Client, start: float) -> None:
    while time.perf_counter() - start < _LIMIT_SECONDS:
        try:
            if client.get("/").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.02)
    raise TimeoutError("the page did not answer")


def _make_picture(client: httpx.Client) -> None:
    """Returns as soon as the picture is there."""
    job = client.post("/api/text-to-image", json={"prompt": _PROMPT}).raise_for_status().json()["id"]
    with client.stream("GET", f"/api/jobs/{job}/events", timeout=_LIMIT_SECONDS) as events:
        for line in events.iter_lines():
            if line.startswith("event: ") and line[7:] in ("failed", "cancelled"):
                raise RuntimeError(f"the job ended as {line[7:]}")
    client.get(f"/api/jobs/{job}").raise_for_status()
