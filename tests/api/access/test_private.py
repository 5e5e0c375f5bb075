"""Private mode over HTTP: nothing of it on the disk or in the log, and nobody else's."""

from __future__ import annotations

import io
import logging
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.api.conftest import Server, follow, generate
from webui.api.bodies import decode

SECRET = "zyxwprivate"  # a word that stands nowhere else
CHINESE = "隐秘之词"
PROMPT = f"{SECRET} {CHINESE} delay=0"


def large_png() -> bytes:
    """Over a megabyte: what a form would put on the disk."""
    content = io.BytesIO()
    Image.frombytes("RGB", (800, 600), random.Random(1).randbytes(800 * 600 * 3)).save(content, "PNG")
    return content.getvalue()


def files_below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def assert_nothing_of_it(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    for path in files_below(server.data_dir):
        content = path.read_bytes()
        for word in (SECRET, CHINESE):
            assert word.encode() not in content, path
    for word in (SECRET, CHINESE):
        assert word not in caplog.text


def no_files(*_: object, **__: object) -> None:
    raise AssertionError("a temporary file")


@pytest.fixture
def private(
    server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[httpx.Client]:
    """A browser in private mode; afterwards nothing of it may be found anywhere."""
    caplog.set_level(logging.DEBUG)
    before = files_below(server.data_dir)
    with server.client() as client:
        assert client.get("/api/private").json()["private"] is False
        for _ in range(2):
            assert client.post("/api/private").json()["private"] is True
        monkeypatch.setattr(tempfile, "TemporaryFile", no_files)
        monkeypatch.setattr(tempfile, "TemporaryDirectory", no_files)
        monkeypatch.setattr(decode.tempfile, "TemporaryDirectory", no_files)
        yield client
        assert files_below(server.data_dir) == before
        assert_nothing_of_it(server, caplog)
        assert client.delete("/api/private").json()["private"] is False
    assert_nothing_of_it(server, caplog)


def upload(client: httpx.Client) -> str:
    answer = client.post("/api/images", files={"file": ("x.png", large_png(), "image/png")})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def assert_kept_by_no_cache(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


def test_an_upload_touches_no_disk(private: httpx.Client) -> None:
    picture = upload(private)
    assert private.post("/api/inspect", files={"file": ("x.png", large_png(), "image/png")}).status_code == 200
    for size in ("", "?size=128"):
        assert_kept_by_no_cache(private.get(f"/api/images/{picture}{size}"))
    assert private.get("/api/private").json()["megabytes"] > 0


def test_jobs_of_every_kind_touch_no_disk(private: httpx.Client) -> None:
    picture = upload(private)
    jobs = [generate(private, prompt=PROMPT, num_images=2)]
    body = {"prompt": PROMPT, "init_image": picture, "steps": 2}
    jobs.append(private.post("/api/image-to-image", json=body).json()["id"])
    inline = {"content_image": picture, "style_image": picture, "iterations": 2, "size": 64}
    jobs.append(private.post("/api/style-transfer", json=inline).json()["id"])
    jobs.append(generate(private, prompt=f"{PROMPT} fail"))
    ends = [follow(private, job)[-1][1] for job in jobs]
    assert ends == ["finished", "finished", "finished", "failed"]
    assert private.get("/api/gallery", params={"q": CHINESE[:1]}).json()["total"] == 3
    assert len(private.get("/api/jobs").json()) == 4


def test_a_gallery_touches_no_disk(private: httpx.Client) -> None:
    follow(private, generate(private, prompt=PROMPT, num_images=2))
    found = private.get("/api/gallery").json()["pictures"]
    for one in found:
        assert_kept_by_no_cache(private.get(one["thumbnail_url"]))
        for form in ("png", "jpeg", "webp"):
            assert_kept_by_no_cache(private.get(one["url"], params={"format": form}))
    ids = [one["id"] for one in found]
    private.post("/api/gallery/star", json={"ids": ids})
    board = private.post("/api/boards", json={"name": SECRET}).json()["id"]
    assert private.post(f"/api/boards/{board}/pictures", json={"add": ids}).json()["count"] == 2
    bundle = private.post("/api/gallery/zip", json={"ids": ids}).json()
    assert SECRET.encode() in private.get(bundle["url"]).content


def test_with_private_mode_its_pictures_end(private: httpx.Client) -> None:
    follow(private, generate(private, prompt=PROMPT))
    (picture,) = private.get("/api/gallery").json()["pictures"]
    assert private.delete("/api/private").json()["private"] is False
    assert private.get(picture["url"]).status_code == 404
    assert picture["id"] not in private.get("/api/gallery").text


def test_a_session_is_nobody_elses(guarded: Server) -> None:
    with guarded.client("anna") as anna, guarded.client("anna") as elsewhere, guarded.client("ben") as ben:
        anna.post("/api/private")
        job = generate(anna, prompt="hers delay=0", steps=1)
        follow(anna, job)
        picture = anna.get(f"/api/jobs/{job}").json()["images"][0]["url"]
        assert anna.get(picture).status_code == 200
        for other in (elsewhere, ben):
            assert other.get(picture).status_code == 404
            assert other.get(f"/api/jobs/{job}").status_code == 404
            assert other.delete(f"/api/jobs/{job}").status_code == 404
        ben.cookies.update(dict(anna.cookies))
        assert ben.get(picture).status_code == 404, "her cookie with his login is somebody else"
        assert ben.get("/api/private").json()["megabytes"] == 0
    with guarded.client() as nobody:
        nobody.cookies.update(dict(anna.cookies))
        for call in (nobody.get, nobody.post, nobody.delete):
            assert call("/api/private").status_code == 401
        assert nobody.get(picture).status_code == 401


def test_leaving_stops_what_runs(server: Server) -> None:
    with server.client() as client:
        client.post("/api/private")
        cookies = dict(client.cookies)
        running = generate(client, prompt="runs steps=400 delay=0.05")
        waiting = generate(client, prompt="waits steps=400 delay=0.05")
        client.delete("/api/private")
        deadline = time.monotonic() + 20
        while (queue := client.get("/api/queue").json())["running"] or queue["waiting"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        client.cookies.update(cookies)
        for job in (running, waiting):
            assert client.get(f"/api/jobs/{job}").status_code == 404
        assert client.get("/api/gallery").json()["pictures"] == []


def test_a_page_that_believes_it_is_private_is_not_made_public(server: Server) -> None:
    with server.client() as client:
        origin = generate(client)
        before = [job["id"] for job in client.get("/api/jobs").json()]
        for path, body in (
            ("/api/text-to-image", {"prompt": "x"}),
            (f"/api/jobs/{origin}/branch", {"step": 1}),
            (f"/api/jobs/{origin}/keep", {"step": 1}),
            ("/api/walk", {"first": "x", "second": "x"}),
            ("/api/gallery/star", {"ids": ["x"]}),
        ):
            answer = client.post(path, json=body, headers={"Darkroom-Private": "yes"})
            assert (answer.status_code, answer.json()["error"]["kind"]) == (409, "private_over")
        assert [job["id"] for job in client.get("/api/jobs").json()] == before


@pytest.mark.parametrize("cookie", ["", "short", "x" * 65, "a b" * 10, "../../../../../../../etc", '"' + "x" * 30])
def test_a_cookie_that_is_none_of_ours_means_nothing(server: Server, cookie: str) -> None:
    with server.client() as client:
        headers = {"Cookie": f"darkroom-private-7860={cookie}"}
        assert client.get("/api/private", headers=headers).json()["private"] is False


def test_it_has_no_file_of_its_own(server: Server) -> None:
    assert not Path(":memory:").exists()
    assert not any(":memory:" in name for name in os.listdir(server.data_dir))
