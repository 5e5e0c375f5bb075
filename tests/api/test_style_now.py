"""`POST /api/style-transfer/now`: a picture as the answer, nothing kept of it, and whoever leaves stops it."""

from __future__ import annotations

import io
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.api.conftest import Server
from tests.fakes import UNLUCKY_SEED
from tests.jobs.conftest import eventually

PATH = "/api/style-transfer/now"


def png(colour: tuple[int, int, int]) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (80, 60), colour).save(file, "PNG")
    file.seek(0)
    return file


def stored(client: httpx.Client, colour: tuple[int, int, int] = (200, 30, 10)) -> str:
    reference: str = client.post("/api/images", files={"file": ("a.png", png(colour), "image/png")}).json()["id"]
    return reference


def body(client: httpx.Client, **values: Any) -> dict[str, Any]:
    picture = stored(client)
    return {"method": "instant", "content_image": picture, "style_image": picture, "size": 64} | values


def test_the_answer_is_the_picture_and_nothing_is_kept(server: Server) -> None:
    with server.client() as client:
        others = partial(client.get, "/api/jobs")  # of other tests, which leave some unfinished
        eventually(lambda: all(job["state"] not in ("waiting", "running") for job in others().json()))
        before = client.get("/api/jobs").json(), client.get("/api/gallery").json()
        answer = client.post(PATH, json=body(client))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "no-store"
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert max(picture.size) == 64
        assert (client.get("/api/jobs").json(), client.get("/api/gallery").json()) == before
    with sqlite3.connect(server.data_dir / "darkroom.sqlite3") as database:
        assert not database.execute("SELECT 1 FROM jobs WHERE owner LIKE '%passing%'").fetchall()


def test_somebody_elses_picture_is_none(guarded: Server) -> None:
    with guarded.client("anna") as anna, guarded.client("ben") as ben:
        theirs = body(anna)
        assert anna.post(PATH, json=theirs).status_code == 200
        assert ben.post(PATH, json=theirs).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"method": "optimised"}, "method"),
        ({"iterations": 20}, "iterations"),
        ({"layer_weights": {"conv1_1": 2.0}}, "layer_weights"),
        ({"stop_after": 3}, "stop_after"),
        ({"size": 2056}, "size"),
        ({"style_image_weight": 0.0}, "style_image_weight"),
        ({"style_strength": 1.5}, "style_strength"),
    ],
)
def test_what_it_would_ignore_is_refused(server: Server, change: dict[str, Any], field: str) -> None:
    with server.client() as client:
        answer = client.post(PATH, json=body(client, **change))
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"][-1] == field


def test_the_optimised_method_refuses_the_other_ones_strength(server: Server) -> None:
    with server.client() as client:
        asked = body(client, method="optimised", style_strength=0.5)
        answer = client.post("/api/style-transfer", json=asked)
        assert (answer.status_code, answer.json()["detail"][0]["loc"][-1]) == (422, "style_strength")
        assert "Instant" in answer.json()["detail"][0]["msg"]


def test_a_failure_is_worded(server: Server) -> None:
    with server.client(**{"Accept-Language": "zh-CN"}) as client:
        answer = client.post(PATH, json=body(client, seed=UNLUCKY_SEED))
        assert answer.status_code == 500
        error = answer.json()["error"]
        assert error["kind"] == "not_finite"
        assert "一" <= error["message"][0] <= "鿿"


def test_whoever_leaves_stops_it(server: Server) -> None:
    with server.client() as client:
        slow = client.post("/api/text-to-image", json={"prompt": "delay=0.1", "steps": 100, "seed": 1}).json()["id"]
        asked = body(client)
        with pytest.raises(httpx.ReadTimeout):
            client.post(PATH, json=asked, timeout=0.5)
        for _ in range(100):
            if client.get("/api/queue").json()["waiting"] == 0:
                break
            time.sleep(0.05)
        assert client.get("/api/queue").json()["waiting"] == 0
        client.delete(f"/api/jobs/{slow}")


def test_nobody_has_more_than_a_few_on_their_way(server: Server) -> None:
    with server.client() as client:
        slow = client.post("/api/text-to-image", json={"prompt": "delay=0.1", "steps": 100, "seed": 2}).json()["id"]
        asked = body(client)

        def ask(_turn: int) -> int:
            try:
                return client.post(PATH, json=asked, timeout=3).status_code
            except httpx.ReadTimeout:
                return 0

        with ThreadPoolExecutor(8) as pool:
            answers = [*pool.map(ask, range(8))]
        assert sorted(answers) == [0] * 4 + [429] * 4
        client.delete(f"/api/jobs/{slow}")
        for _ in range(100):
            answer = client.post(PATH, json=asked)
            if answer.status_code == 200:
                break
            time.sleep(0.05)
        assert answer.status_code == 200
