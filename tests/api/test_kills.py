"""The program killed (SIGKILL) in the middle of what it does: after a restart nothing is lost, nothing is there
twice, no process and no half-written file is left."""

from __future__ import annotations

import contextlib
import io
import os
import random
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from PIL import Image

from tests.jobs.conftest import eventually
from webui.settings import ROOT
from webui.storage import Storage
from webui.storage.owners import LOCAL

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills with SIGKILL")


class Program:
    """`killable` in a process of its own."""

    def __init__(self, data_dir: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.process = psutil.Popen([sys.executable, "-m", "tests.api.killable", str(port), str(data_dir)], cwd=ROOT)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
        try:
            eventually(self._is_up, 120)
        except BaseException:
            self.kill()
            self.client.close()
            raise

    def _is_up(self) -> bool:
        assert self.process.is_running()
        with contextlib.suppress(httpx.TransportError):
            return self.client.get("/healthz").json()["worker"]["state"] in ("ready", "busy")
        return False

    def kill(self) -> None:
        """Nobody gets the time to put anything in order. All of its children are gone soon after."""
        children = self.process.children(recursive=True)
        self.process.kill()
        self.process.wait()
        _, alive = psutil.wait_procs(children, timeout=60)
        assert children
        assert not alive


@contextmanager
def running(data_dir: Path) -> Iterator[Program]:
    program = Program(data_dir)
    try:
        yield program
    finally:
        if program.process.is_running():
            program.kill()
        program.client.close()


def submit(client: httpx.Client, key: str, **request: Any) -> str | None:
    """The job's id; None if no answer came."""
    try:
        answer = client.post("/api/text-to-image", json=request, headers={"Idempotency-Key": key})
    except httpx.TransportError:
        return None
    answer.raise_for_status()
    return str(answer.json()["id"])


def ended(client: httpx.Client) -> list[dict[str, Any]]:
    """All jobs, once they have ended."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        found[:] = client.get("/api/jobs", params={"limit": 200}).json()
        return all(job["state"] in ("finished", "failed", "cancelled") for job in found)

    eventually(look, 120)
    return found


def check_pictures(client: httpx.Client, data_dir: Path, finished: list[dict[str, Any]]) -> None:
    """Each job that finished has its two pictures, every one of them whole, and nobody else has any."""
    gallery = client.get("/api/gallery", params={"limit": 200}).json()["pictures"]
    assert {picture["id"] for picture in gallery} <= {image["id"] for job in finished for image in job["images"]}
    for job in finished:
        first = job["request"]["seed"]
        assert [image["seed"] for image in job["images"]] == [(first + number) % 2**32 for number in (0, 1)]
    names = [path for path in (data_dir / "pictures").rglob("*") if path.is_file() and path.name != ".owner"]
    assert all(path.suffix == ".png" for path in names)
    for path in names:
        with Image.open(path) as picture:
            picture.load()
    assert len(names) == 2 * len(finished)


def test_killed_in_the_middle_of_everything(tmp_path: Path) -> None:
    moments = random.Random(8)
    prompts: dict[str, str] = {}  # by key: what was asked for, whether an answer came or not
    told: dict[str, str] = {}  # by key: the id that was answered

    for life in range(2):
        with running(tmp_path) as program:
            client = program.client
            for key in [key for key in prompts if key not in told]:  # ask again what was never answered
                if (id := submit(client, key, prompt=prompts[key], steps=3, num_images=2)) is not None:
                    told[key] = id

            def ask(life: int = life, client: httpx.Client = client) -> None:
                for number in range(60):
                    key = f"{life}-{number}"
                    prompts[key] = f"{key} delay=0.005"
                    id = submit(client, key, prompt=prompts[key], steps=3, num_images=2)
                    if id is None:
                        return
                    told[key] = id

            asking = threading.Thread(target=ask)
            asking.start()
            time.sleep(0.3 + moments.random())
            program.kill()
            asking.join()

    with running(tmp_path) as program:
        for key in [key for key in prompts if key not in told]:
            told[key] = submit(program.client, key, prompt=prompts[key], steps=3, num_images=2) or ""
        jobs = {job["id"]: job for job in ended(program.client)}
        assert len(jobs) == len(prompts) == len(set(told.values()))
        for key, id in told.items():
            assert jobs[id]["request"]["prompt"] == prompts[key]
            assert jobs[id]["state"] == "finished" or jobs[id]["error"]["kind"] == "worker_died"  # killed in it twice
        finished = [job for job in jobs.values() if job["state"] == "finished"]
        assert len(finished) > len(jobs) - 3
        check_pictures(program.client, tmp_path, finished)
        program.kill()
    assert not list(tmp_path.rglob(".tmp-*"))


def test_killed_in_the_middle_of_uploads(tmp_path: Path) -> None:
    kept: list[str] = []
    with running(tmp_path) as program:

        def send(first: int) -> None:
            for number in range(first, 10_000, 3):
                content = io.BytesIO()
                noise = random.Random(number).randbytes(400 * 300 * 3)
                Image.frombytes("RGB", (400, 300), noise).save(content, "PNG", compress_level=1)
                try:
                    answer = program.client.post("/api/images", files={"file": content.getvalue()})
                except httpx.TransportError:
                    return
                answer.raise_for_status()
                kept.append(answer.json()["id"])

        sending = [threading.Thread(target=send, args=(first,)) for first in range(3)]
        for thread in sending:
            thread.start()
        eventually(lambda: len(kept) > 3)
        program.kill()
        for thread in sending:
            thread.join()
    eventually(lambda: not list(_decoders(tmp_path)))  # a decoder may outlive its parent, but only for its one picture
    storage = Storage(tmp_path)
    assert storage.database.set_aside is None
    for reference in kept:
        with Image.open(storage.uploads.path(LOCAL, reference)) as picture:
            picture.load()
            assert picture.size == (400, 300)
    assert not list(tmp_path.rglob(".tmp-*"))
    files = {path.name for path in (tmp_path / "uploads").rglob("*") if path.is_file()}
    assert all(name.endswith(".png") for name in files)
    storage.close()


def _decoders(data_dir: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter(["cmdline"]):
        if any(str(data_dir) in part for part in process.info["cmdline"] or ()):
            yield process
