"""A call that is repeated after a lost connection makes no second job."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.bodies.test_slow_bodies import connect
from tests.api.conftest import Server, follow, generate, serving

LAKE = {"prompt": "a lake steps=1"}


def submit(client: httpx.Client, key: str, request: object = LAKE, path: str = "text-to-image") -> httpx.Response:
    return client.post(f"/api/{path}", json=request, headers={"Idempotency-Key": key})


def test_the_same_key_and_body_are_the_same_job(client: httpx.Client) -> None:
    before = len(client.get("/api/jobs", params={"limit": 200}).json())
    first = submit(client, "same")
    assert first.status_code == 202
    while client.get(f"/api/jobs/{first.json()['id']}").json()["state"] != "finished":
        time.sleep(0.02)
    again = submit(client, "same")
    assert again.status_code == 202
    assert again.json() == {**first.json(), "position": 0}
    assert again.json()["request"]["prompt"] == LAKE["prompt"]
    assert len(client.get("/api/jobs", params={"limit": 200}).json()) == before + 1


def test_another_body_with_the_key_is_refused(client: httpx.Client, png: bytes) -> None:
    first = submit(client, "other").json()["id"]
    stored = client.post("/api/images", files={"file": png}).json()["id"]
    for request, path in (({"prompt": "a hill"}, "text-to-image"), ({"init_image": stored}, "image-to-image")):
        answer = submit(client, "other", request, path)
        assert answer.status_code == 409
        assert answer.json()["error"]["kind"] == "key_reused"
        assert first in answer.json()["error"]["hint"]
    assert submit(client, "other").json()["id"] == first


Call = tuple[str, dict[str, object], dict[str, object]]


@pytest.fixture(params=["branch", "keep", "walk"])
def call(client: httpx.Client, request: pytest.FixtureRequest) -> Call:
    """A call that makes a job of what is there: its path, a body, and another body."""
    made = [generate(client, prompt=f"a lake number {number}", seed=number) for number in (1, 2)]
    first, second = (follow(client, job)[-1][2]["images"][0]["id"] for job in made)
    if request.param == "walk":
        ends = {"first": first, "second": second}
        return "walk", {**ends, "num_images": 2}, {**ends, "num_images": 3}
    return f"jobs/{made[0]}/{request.param}", {"step": 1}, {"step": 2}


def test_what_is_made_of_pictures_is_made_once(client: httpx.Client, call: Call) -> None:
    path, body, other = call
    key = f"made at {path}"
    first, again = (submit(client, key, body, path) for _ in range(2))
    assert first.status_code == again.status_code == 202, first.text
    assert first.json() | {"position": 0} == again.json() | {"position": 0}
    refused = submit(client, key, other, path)
    assert (refused.status_code, refused.json()["error"]["kind"]) == (409, "key_reused")
    assert submit(client, f"{key}, otherwise", body, path).json()["id"] != first.json()["id"]


def test_the_same_body_at_another_address_is_another_call(client: httpx.Client) -> None:
    origin = generate(client)
    assert submit(client, "address", {"step": 1}, f"jobs/{origin}/keep").status_code == 202
    answer = submit(client, "address", {"step": 1}, f"jobs/{origin}/branch")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (409, "key_reused")


def test_without_a_key_and_with_another_one_it_is_another_job(client: httpx.Client) -> None:
    ids = {submit(client, key).json()["id"] for key in ("a", "b", "A", "a b", "x" * 255)}
    ids |= {client.post("/api/text-to-image", json=LAKE).json()["id"] for _ in range(2)}
    assert len(ids) == 7


def test_a_key_belongs_to_its_owner(guarded: Server) -> None:
    with guarded.client("anna") as anna, guarded.client("ben") as ben:
        mine, theirs = submit(anna, "shared").json()["id"], submit(ben, "shared", {"prompt": "x steps=1"}).json()["id"]
        assert mine != theirs
        assert anna.get(f"/api/jobs/{theirs}").status_code == 404


@pytest.mark.parametrize("key", ["", "x" * 256, "é".encode().decode("latin-1"), "a\tb"])
def test_a_key_that_is_none_is_named(client: httpx.Client, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    answer = client.post("/api/text-to-image", json=LAKE, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["header", "Idempotency-Key"]


def test_many_at_the_same_moment_are_one(client: httpx.Client, png: bytes) -> None:
    picture = "data:image/png;base64," + base64.b64encode(png).decode()
    request = {"init_image": picture, "steps": 1}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: submit(client, "storm", request, "image-to-image"), range(4)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_refused_request_leaves_its_key_free(client: httpx.Client) -> None:
    assert submit(client, "free", {"checkpoint": "nowhere"}).status_code == 404
    assert submit(client, "free").status_code == 202


def test_whoever_never_heard_the_answer_may_ask_again(server: Server, client: httpx.Client) -> None:
    body = json.dumps({"prompt": "lost steps=1"}).encode()
    host = urlsplit(server.url).netloc.encode()
    call = (
        b"POST /api/text-to-image HTTP/1.1\r\nHost: %b\r\nContent-Type: application/json\r\nIdempotency-Key: lost\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (host, len(body), body)
    )
    with connect(server) as connection:
        connection.sendall(call)
    headers = {"Idempotency-Key": "lost", "Content-Type": "application/json"}
    client.post("/api/text-to-image", content=body, headers=headers).raise_for_status()
    jobs = client.get("/api/jobs", params={"limit": 200}).json()
    assert len([job for job in jobs if job["request"].get("prompt") == "lost steps=1"]) == 1


def test_a_key_outlives_the_program(tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.client() as client:
        first = submit(client, "kept").json()["id"]
    with serving(tmp_path) as server, server.client() as client:
        assert submit(client, "kept").json()["id"] == first
        assert submit(client, "kept", {"prompt": "x"}).status_code == 409
