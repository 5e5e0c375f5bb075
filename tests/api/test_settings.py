"""`/api/settings`: the operator's alone, and no token ever comes back out."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.api.conftest import LOGINS, Server, follow, generate, serving
from tests.fakes import HELD
from tests.jobs.conftest import eventually

TOKEN = "hf_SecretSecretSecret"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT", "CIVITAI_API_TOKEN", "CIVITAI_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with serving(tmp_path / "data", auth=LOGINS, download_mb_per_second=3) as server:
        yield server


@pytest.fixture
def anna(server: Server) -> Iterator[httpx.Client]:
    """The operator."""
    with server.client("anna") as client:
        yield client


def test_each_setting_says_what_it_is(anna: httpx.Client) -> None:
    settings = anna.get("/api/settings").json()
    assert settings["idle_minutes"] == {
        "kind": "number", "value": 0, "default": 0, "is_set": False, "above": None,
        "limits": {"minimum": 0, "maximum": 10080}, "choices": [], "given": [],
        "otherwise": None, "mirror_with_token": None, "takes_effect": "at_once", "needs_restart": False,
    }  # fmt: skip
    assert settings["download_mb_per_second"]["above"] == {"kind": "flag", "name": "--download-mb-per-second"}
    assert settings["language"]["choices"] == ["auto", "en", "zh-CN"]
    assert {name for name, one in settings.items() if one["kind"] == "token"} == {"hub_token", "civitai_token"}


def test_changes_answer_with_all_of_it(anna: httpx.Client) -> None:
    answer = anna.patch("/api/settings", json={"mirror": "https://hf-mirror.com", "sound": True})
    assert answer.status_code == 200
    assert (answer.json()["mirror"]["value"], answer.json()["sound"]["value"]) == ("https://hf-mirror.com", True)
    assert anna.get("/api/settings").json() == answer.json()
    back = anna.patch("/api/settings", json={"mirror": None}).json()["mirror"]
    assert (back["value"], back["is_set"]) == (None, False)


def test_what_is_wrong_is_said_in_words(anna: httpx.Client) -> None:
    chinese = {"Accept-Language": "zh-CN"}
    for body, said in (
        ({"idle_minutes": -1}, "from 0 to 10080"),
        ({"model_memory_gb": 0}, "above 0, and at most 10000"),
        ({"language": "fr"}, "one of auto, en, zh-CN"),
        ({"mirror": "http://x.example"}, "an https address"),
        ({"download_mb_per_second": 2}, "it was set by --download-mb-per-second when Darkroom was started"),
        ({"no such": 1}, "no such setting"),
    ):
        (item,) = anna.patch("/api/settings", json=body).json()["detail"]
        assert item["loc"] == ["body", next(iter(body))]
        assert said in item["msg"]
    (item,) = anna.patch("/api/settings", json={"idle_minutes": -1}, headers=chinese).json()["detail"]
    assert "0 到 10080" in item["msg"]
    assert anna.patch("/api/settings", json=["mirror"]).status_code == 422


def test_a_token_never_comes_out_again(anna: httpx.Client, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bodies = [
        {"hub_token": TOKEN}, {"civitai_token": f"{TOKEN} {TOKEN}"}, {"civitai_token": [TOKEN]},
        {"civitai_token": {TOKEN: 1}},
        {"idle_minutes": TOKEN}, {"mirror": f"https://{TOKEN}@x.example"}, {"hub_token": TOKEN * 100}, [TOKEN], TOKEN,
    ]  # fmt: skip
    answers = [anna.patch("/api/settings", json=body) for body in bodies]
    answers += [
        anna.patch("/api/settings", content=f'{{"hub_token": "{TOKEN}', headers={"content-type": "application/json"})
    ]
    assert [answer.status_code for answer in answers] == [200, *[422] * 9]
    answers += [anna.get(path) for path in ("/api/settings", "/openapi.json", "/healthz", "/api/queue", "/", "/docs")]
    job = generate(anna)
    events = follow(anna, job)
    answers += [anna.get(f"/api/jobs/{job}"), anna.get("/api/models/downloads")]
    assert all(TOKEN not in answer.text + str(answer.headers) for answer in answers)
    assert TOKEN not in json.dumps(events)
    assert TOKEN not in caplog.text
    assert answers[0].json()["hub_token"]["is_set"] is True
    me = psutil.Process()
    lines = [one.cmdline() for one in (me, *me.children(recursive=True))]
    assert all(TOKEN not in part for line in lines for part in line)
    kept = {path.name for path in server.data_dir.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()}
    assert kept == {"settings.json"}


def test_the_worker_holds_checkpoints_as_it_says(anna: httpx.Client, server: Server) -> None:
    follow(anna, generate(anna))  # then the worker listens
    changes = {"idle_minutes": 2.5, "model_memory_gb": 4, "mirror": "https://hf-mirror.com"}
    anna.patch("/api/settings", json=changes)
    held = server.data_dir / HELD
    eventually(held.exists, 30)
    assert json.loads(held.read_text()) == changes


def test_others_are_not_told(server: Server) -> None:
    with server.client("ben") as ben:
        for answer in (ben.get("/api/settings"), ben.patch("/api/settings", json={"sound": True})):
            assert (answer.status_code, answer.json()["error"]["kind"]) == (403, "operator_only")


def test_the_page_learns_what_counts_where_nobody_chose(anna: httpx.Client) -> None:
    before = anna.get("/")
    anna.patch("/api/settings", json={"language": "zh-CN", "image_format": "webp", "sound": True})
    after = anna.get("/", headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert 'data-language="zh-CN" data-save-format="webp" data-sound="yes"' in after.text
    assert 'data-language="auto"' in before.text


def test_saved_pictures_are_called_after_the_pattern(anna: httpx.Client) -> None:
    job = generate(anna, prompt='../a "lake"\u202e 湖', seed=7)
    follow(anna, job)
    (picture,) = anna.get(f"/api/jobs/{job}").json()["images"]

    def name(**query: str) -> tuple[str, str]:
        headers = anna.get(picture["url"], params={"download": "1", **query}).headers
        return headers["content-disposition"], headers["cache-control"]

    assert name() == ('attachment; filename="darkroom-7.png"', "no-store")
    anna.patch("/api/settings", json={"file_names": "{prompt} {seed} {checkpoint}"})
    assert name(format="webp") == (
        "attachment; filename=\"a lake _ 7 starter.webp\"; filename*=UTF-8''a%20lake%20%E6%B9%96%207%20starter.webp",
        "no-store",
    )
    assert anna.get(picture["url"]).headers["content-disposition"].startswith('inline; filename="darkroom-')
