"""What a picture or a text says of how it was made, over HTTP."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.api.conftest import Server, follow, generate
from tests.metadata.files import chunk, png, png_with
from webui.settings import ROOT
from webui.texts import LANGUAGES, Texts

LINE = "a lake\nNegative prompt: fog\nSteps: 12, Sampler: Euler a, Seed: 5, Size: 64x128, Model: starter, VAE: mine"


def asked(client: httpx.Client, content: bytes) -> httpx.Response:
    return client.post("/api/inspect", files={"file": ("x.png", content, "image/png")})


def test_a_foreign_picture_and_its_text(client: httpx.Client) -> None:
    picture = asked(client, png_with(parameters=LINE, Title="mine")).json()
    assert picture["source"] == "a1111"
    assert picture["settings"] == {
        "task": "text_to_image", "prompt": "a lake", "negative_prompt": "fog", "steps": 12, "scheduler": "euler_a",
        "sigmas": "default", "seed": 5, "width": 64, "height": 128, "checkpoint": "starter",
        "noise_source": "nv",
    }  # fmt: skip
    assert picture["unknown"] == [{"name": "VAE", "text": "mine"}]
    assert "found by name only" in picture["notes"][0]
    assert picture["texts"] == [{"name": "parameters", "text": LINE}, {"name": "Title", "text": "mine"}]
    pasted = client.post("/api/inspect", json={"text": LINE}, headers={"Accept-Language": "zh-CN"}).json()
    assert (pasted["settings"], pasted["texts"]) == (picture["settings"], [])
    assert "模型" in pasted["notes"][0]


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_our_own_pictures_give_their_request_back(client: httpx.Client, form: str) -> None:
    job = generate(client, prompt="a calm lake", seed=11, num_images=2)
    follow(client, job)
    made = client.get(f"/api/jobs/{job}").json()
    content = client.get(made["images"][1]["url"], params={"format": form}).content
    found = asked(client, content).json()
    assert (found["source"], found["unknown"]) == ("darkroom", [])
    assert found["settings"].items() <= (made["request"] | {"seed": 12}).items()
    again = client.post("/api/text-to-image", json={k: v for k, v in found["settings"].items() if k != "task"})
    assert again.status_code == 202


def test_a_picture_that_is_not_ones_own_is_not_named(client: httpx.Client, guarded: Server, png: bytes) -> None:
    with guarded.client("anna") as anna, guarded.client("ben") as ben:
        init_image = anna.post("/api/images", files={"file": ("x.png", png, "image/png")}).json()["id"]
        text = f'{{"request": {{"task": "image_to_image", "init_image": "{init_image}"}}, "seed": 1}}'
        assert anna.post("/api/inspect", json={"text": text}).json()["settings"]["init_image"] == init_image
        assert "init_image" not in ben.post("/api/inspect", json={"text": text}).json()["settings"]
    with guarded.client() as nobody:
        assert nobody.post("/api/inspect", json={"text": LINE}).status_code == 401


def test_nothing_found_is_an_answer(client: httpx.Client, png: bytes) -> None:
    for answer in (asked(client, png), client.post("/api/inspect", json={"text": "a lake"})):
        assert answer.json() == {
            "source": "none",
            "settings": {},
            "unknown": [],
            "notes": [],
            "texts": [],
            "again": None,
        }


def test_what_a_newer_version_asked_for_is_named(client: httpx.Client) -> None:
    request = '{"task": "%s", "schema_version": 9, "prompt": "a lake", "steps": 3, "looks_of_2030": ["x"]}'
    for task, settings, unknown in (
        ("text_to_image", {"task": "text_to_image", "prompt": "a lake", "steps": 3}, "looks_of_2030"),
        ("text_to_video", {}, "task"),
    ):
        picture = png_with(darkroom=f'{{"request": {request % task}}}')
        for language, sentence in (("en", "newer version of Darkroom"), ("zh-CN", "更新版本的 Darkroom")):
            headers = {"Accept-Language": language}
            found = client.post("/api/inspect", files={"file": ("x.png", picture)}, headers=headers).json()
            assert found["settings"] == settings
            assert [one["name"] for one in found["unknown"]] == [unknown]
            assert [sentence in note for note in found["notes"]] == [True]


def test_what_is_neither_is_refused(client: httpx.Client, png: bytes) -> None:
    assert asked(client, b"<svg/>").json()["error"]["kind"] == "not_an_image"
    assert client.post("/api/inspect", content=png).status_code == 415
    assert client.post("/api/inspect", content=png, headers={"Content-Type": "text/plain"}).status_code == 415
    assert client.post("/api/inspect", files={"other": png}).status_code == 422
    assert client.post("/api/inspect", files=[("file", png), ("file", png)]).status_code == 422
    headers = {"Content-Type": "application/json"}
    for body in (
        b"",
        b"{",
        b"[" * 100_000,
        b'{"text": 1}',
        b'{"text": "a", "text": "b"}',
        b'{"text": "", "x": 1}',
        b"\xff",
    ):
        assert client.post("/api/inspect", content=body, headers=headers).status_code == 422, body[:20]
    long = b'{"text": "' + b"x" * 3 * 2**20 + b'"}'
    assert client.post("/api/inspect", content=long, headers=headers).status_code == 413
    assert client.post("/api/inspect", json={"text": "x" * 1_000_001}).status_code == 422
    assert asked(client, bytes(65 * 2**20)).status_code == 413


def test_a_large_foreign_chunk_hides_nothing(client: httpx.Client) -> None:
    content = png(chunk(b"prVt", bytes(50 * 2**20)), chunk(b"tEXt", b"parameters\0" + LINE.encode()))
    assert asked(client, content).json()["settings"]["seed"] == 5


def test_every_note_has_its_sentence() -> None:
    texts = Texts()
    code = "".join(path.read_text() for path in (ROOT / "webui" / "metadata").glob("*.py"))
    sentences = {key.removeprefix("inspect.") for key in texts.keys("en") if key.startswith("inspect.")}
    assert sentences
    assert set(re.findall(r'\.note\("(\w+)"', code)) == sentences
    for language in LANGUAGES:
        assert all(texts.text(f"inspect.{name}", language) for name in sentences)
