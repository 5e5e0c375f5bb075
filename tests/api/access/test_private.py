"""Private mode over HTTP: nothing of it on the disk or in the log, and nobody else's."""

from __future__ import annotations

import io
import logging
import os
import random
import tempfile
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.api.conftest import Server, follow, generate
from webui.api.bodies import decode

SECRET = "zyxwprivate"  # a word that stands nowhere else
CHINESE = "隐秘之词"


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


def test_nothing_touches_the_disk(
    server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    before = files_below(server.data_dir)

    def no_files(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file")

    with server.client() as client:
        assert client.get("/api/private").json()["private"] is False
        assert client.post("/api/private").json()["private"] is True
        assert client.post("/api/private").json()["private"] is True
        monkeypatch.setattr(tempfile, "TemporaryFile", no_files)
        monkeypatch.setattr(tempfile, "TemporaryDirectory", no_files)
        monkeypatch.setattr(decode.tempfile, "TemporaryDirectory", no_files)
        upload = client.post("/api/images", files={"file": ("x.png", large_png(), "image/png")})
        assert upload.status_code == 201, upload.text
        picture = upload.json()["id"]
        assert client.post("/api/inspect", files={"file": ("x.png", large_png(), "image/png")}).status_code == 200
        for size in ("", "?size=128"):
            answer = client.get(f"/api/images/{picture}{size}")
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        prompt = f"{SECRET} {CHINESE} delay=0"
        jobs = [generate(client, prompt=prompt, num_images=2)]
        body = {"prompt": prompt, "init_image": picture, "steps": 2}
        jobs.append(client.post("/api/image-to-image", json=body).json()["id"])
        inline = {"content_image": picture, "style_image": picture, "iterations": 2, "size": 64}
        jobs.append(client.post("/api/style-transfer", json=inline).json()["id"])
        jobs.append(generate(client, prompt=f"{prompt} fail"))
        ends = [follow(client, job)[-1][1] for job in jobs]
        assert ends == ["finished", "finished", "finished", "failed"]
        found = client.get("/api/gallery", params={"q": CHINESE[:1]}).json()
        assert found["total"] == 3
        for one in found["pictures"]:
            assert client.get(one["thumbnail_url"]).headers["cache-control"] == "no-store"
            for form in ("png", "jpeg", "webp"):
                answer = client.get(one["url"], params={"format": form})
                assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        ids = [one["id"] for one in found["pictures"]]
        client.post("/api/gallery/star", json={"ids": ids})
        board = client.post("/api/boards", json={"name": SECRET}).json()["id"]
        assert client.post(f"/api/boards/{board}/pictures", json={"add": ids}).json()["count"] == 3
        bundle = client.post("/api/gallery/zip", json={"ids": ids}).json()
        assert SECRET.encode() in client.get(bundle["url"]).content
        assert client.get("/api/private").json()["megabytes"] > 0
        new = files_below(server.data_dir) - before
        assert new == set()
        assert_nothing_of_it(server, caplog)
        assert len(client.get("/api/jobs").json()) == 4
        assert client.delete("/api/private").json()["private"] is False
        assert client.get(found["pictures"][0]["url"]).status_code == 404
        assert found["pictures"][0]["id"] not in client.get("/api/gallery").text
    assert_nothing_of_it(server, caplog)


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
        for path, body in (("/api/text-to-image", {"prompt": "x"}), ("/api/gallery/star", {"ids": ["x"]})):
            answer = client.post(path, json=body, headers={"Darkroom-Private": "yes"})
            assert (answer.status_code, answer.json()["error"]["kind"]) == (409, "private_over")


@pytest.mark.parametrize("cookie", ["", "short", "x" * 65, "a b" * 10, "../../../../../../../etc", '"' + "x" * 30])
def test_a_cookie_that_is_none_of_ours_means_nothing(server: Server, cookie: str) -> None:
    with server.client() as client:
        headers = {"Cookie": f"darkroom-private-7860={cookie}"}
        assert client.get("/api/private", headers=headers).json()["private"] is False


def test_it_has_no_file_of_its_own(server: Server) -> None:
    assert not Path(":memory:").exists()
    assert not any(":memory:" in name for name in os.listdir(server.data_dir))
