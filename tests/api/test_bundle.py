"""Downloading many pictures over HTTP."""

from __future__ import annotations

import io
import json
import zipfile

import httpx
import pytest

from tests.api.conftest import Server
from tests.api.test_gallery import made
from webui.api.routes import bundle


def test_chosen_and_fetched(client: httpx.Client) -> None:
    ids = made(client, "zipped 1", "zipped 2")
    board = client.post("/api/boards", json={"name": "Zipped"}).json()["id"]
    client.post(f"/api/boards/{board}/pictures", json={"add": ids[:1]})
    chosen = client.post("/api/gallery/zip", json={"ids": [*ids, *ids, "other"], "format": "webp"}).json()
    assert chosen["count"] == 2
    for _ in range(2):  # a browser may try again
        answer = client.get(chosen["url"])
        assert answer.headers["content-type"] == "application/zip"
        assert answer.headers["content-disposition"].startswith('attachment; filename="darkroom-')
        assert "content-length" not in answer.headers, "it is made while it is sent"
        said = json.loads(zipfile.ZipFile(io.BytesIO(answer.content)).read("metadata.json"))
        assert [(one["id"], one["boards"]) for one in said] == [(ids[0], ["Zipped"]), (ids[1], [])]
    client.post("/api/gallery/delete", json={"ids": ids})
    assert client.get(chosen["url"]).status_code == 404


def test_what_is_too_much_is_said(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = made(client, "toomany 1", "toomany 2")
    monkeypatch.setattr(bundle, "MAX_PICTURES", 1)
    answer = client.post("/api/gallery/zip", json={"ids": ids})
    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == "You selected 2 pictures; one download can hold 1."
    monkeypatch.setattr(bundle, "MAX_PICTURES", 9)
    monkeypatch.setattr(bundle, "MAX_BYTES", 10)
    answer = client.post("/api/gallery/zip", json={"ids": ids}, headers={"Accept-Language": "zh-CN"})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (413, "bundle_too_large")
    for bad in (
        {"ids": []},
        {"ids": ["x"], "format": "gif"},
        {"ids": ["x"] * 20_001},
        {"ids": ["../../etc"] * 2, "x": 1},
    ):
        assert client.post("/api/gallery/zip", json=bad).status_code == 422
    assert client.post("/api/gallery/zip", json={"ids": ["../../etc/passwd"]}).status_code == 404
    assert client.get("/api/gallery/zip/guessed").status_code == 404


def test_nobody_fetches_anothers(guarded: Server) -> None:
    with guarded.client("anna") as anna, guarded.client("ben") as ben, guarded.client() as nobody:
        ids = made(anna, "hers")
        url = anna.post("/api/gallery/zip", json={"ids": ids}).json()["url"]
        assert ben.post("/api/gallery/zip", json={"ids": ids}).status_code == 404
        assert (ben.get(url).status_code, nobody.get(url).status_code, anna.get(url).status_code) == (404, 401, 200)
