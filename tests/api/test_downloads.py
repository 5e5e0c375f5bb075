"""Downloads over HTTP: what a page shows of them, refusals in words, and the operator's alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.conftest import LOGINS, Server, serving
from tests.downloads.conftest import folder, weights
from tests.downloads.small_hub import REVISION, Repo, SmallHub, small_hub
from tests.jobs.conftest import eventually
from webui.downloads.options import DownloadOptions

DOWNLOADS = "/api/models/downloads"
OFFERS = "/api/models/offers"


@pytest.fixture(scope="module")
def hub() -> Iterator[SmallHub]:
    with small_hub() as hub:
        yield hub


@pytest.fixture(scope="module")
def shop(hub: SmallHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An app with logins, an empty models folder, and the small Hub."""
    home = tmp_path_factory.mktemp("shop")
    (home / "models").mkdir()
    options = DownloadOptions(hub=hub.url, hub_token="hf_right", loopback=(hub.url,))
    settings: dict[str, Any] = {"models_dir": home / "models", "auth": LOGINS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("webui.downloads.space.SPARE_BYTES", 0)
        patch.setattr("webui.downloads.space.SPARE_SHARE", 0)
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "cache"))
        with serving(home / "data", download_options=options, **settings) as server:
            yield server


@pytest.fixture
def anna(shop: Server) -> Iterator[httpx.Client]:
    """The operator."""
    with shop.client("anna") as client:
        yield client


def ended(client: httpx.Client, id: str) -> dict[str, Any]:
    eventually(lambda: client.get(f"{DOWNLOADS}/{id}").json()["state"] in ("finished", "failed"), 30)
    found: dict[str, Any] = client.get(f"{DOWNLOADS}/{id}").json()
    return found


def test_a_model_is_asked_for_and_comes(anna: httpx.Client, hub: SmallHub, shop: Server) -> None:
    hub.repos["anna/sd"] = Repo(folder(), license="openrail")
    planned = anna.post(f"{DOWNLOADS}/plan", json={"repository": "anna/sd"}).json()
    assert planned["fits"] is True
    assert (planned["license"], planned["gated"], planned["revision"]) == ("openrail", False, REVISION)
    assert planned["size_bytes"] == planned["bytes_to_fetch"] == sum(file["size_bytes"] for file in planned["files"])
    answer = anna.post(DOWNLOADS, json={"repository": "anna/sd"})
    assert answer.status_code == 202
    assert answer.json().keys() == {"id", "state", "position"}
    found = ended(anna, answer.json()["id"])
    assert (found["state"], found["places"], found["error"], found["problem"]) == ("finished", ["sd"], None, None)
    assert found["bytes_done"] == found["bytes_total"] == planned["size_bytes"]
    assert found["source"] == {"repository": "anna/sd"}
    assert found["id"] in [entry["id"] for entry in anna.get(DOWNLOADS).json()]
    assert (shop.models_dir / "sd" / "model_index.json").is_file()


def test_it_is_paused_resumed_and_taken_back(anna: httpx.Client, hub: SmallHub, shop: Server) -> None:
    hub.repos["anna/slow"] = Repo({"slow.safetensors": weights(300_000, 3)})
    hub.behaviour.bytes_per_second = 100_000
    id = anna.post(DOWNLOADS, json={"url": f"{hub.url}/anna/slow/blob/main/slow.safetensors"}).json()["id"]
    eventually(lambda: anna.get(f"{DOWNLOADS}/{id}").json()["bytes_done"] > 1000)
    assert anna.post(f"{DOWNLOADS}/{id}/pause").json() == {"id": id, "state": "paused", "position": 0}
    assert anna.get("/api/queue").json()["downloads"] == {"paused": 1}
    with shop.client("ben") as ben:
        assert ben.get("/api/queue").json()["downloads"] is None
    assert anna.post(f"{DOWNLOADS}/{id}/resume").json()["state"] in ("waiting", "running")
    assert anna.delete(f"{DOWNLOADS}/{id}").status_code == 202
    assert anna.get(f"{DOWNLOADS}/{id}").json()["state"] == "cancelled"
    assert anna.get("/api/queue").json()["downloads"] == {}
    assert anna.post(f"{DOWNLOADS}/{id}/resume").status_code == 409
    assert anna.delete(f"{DOWNLOADS}/{id}").status_code == 202
    for answer in (
        anna.get(f"{DOWNLOADS}/{id}"),
        anna.post(f"{DOWNLOADS}/{id}/pause"),
        anna.delete(f"{DOWNLOADS}/{id}"),
    ):
        assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "download_not_found")
    assert not list(Path(shop.models_dir, ".downloads").iterdir())
    hub.behaviour.bytes_per_second = None


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"repository": "anna/none"}, 404, "does not exist"),
        ({"repository": "anna/pickles"}, 409, "pickled files"),
        ({"offer": "none"}, 404, "no offer"),
        ({"url": "https://evil.example/x"}, 422, "neither the Hugging Face Hub"),
        ({}, 422, "one of an offer"),
        ({"repository": "anna/sd", "url": "https://huggingface.co/anna/sd"}, 422, "one of an offer"),
        ({"repository": ["anna/sd"]}, 422, "string"),
        ({"repository": "anna/sd", "path": "/etc"}, 422, "path"),
    ],
)
def test_refusals_in_words(anna: httpx.Client, hub: SmallHub, asked: dict[str, Any], status: int, said: str) -> None:
    hub.repos["anna/pickles"] = Repo({"a.bin": b"pickle"})
    answer = anna.post(DOWNLOADS, json=asked)
    assert answer.status_code == status
    assert said in answer.text


def test_a_failure_is_worded_in_the_callers_language(anna: httpx.Client, hub: SmallHub) -> None:
    hub.repos["anna/lies"] = Repo({"l.safetensors": weights()}, lies={"l.safetensors": {"sha256": "0" * 64}})
    found = ended(anna, anna.post(DOWNLOADS, json={"repository": "anna/lies"}).json()["id"])
    assert found["error"]["kind"] == "download_damaged"
    assert "has another hash" in found["error"]["message"]
    chinese = anna.get(f"{DOWNLOADS}/{found['id']}", headers={"Accept-Language": "zh-CN"}).json()
    assert "哈希值不同" in chinese["error"]["message"]


def test_a_source_that_is_silent_is_a_matter_of_time(anna: httpx.Client, hub: SmallHub) -> None:
    hub.repos["anna/gated"] = Repo({"g.safetensors": weights()}, gated=True)
    hub.behaviour.busy = 1
    answer = anna.post(DOWNLOADS, json={"repository": "anna/gated"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_no_answer_shows_a_token_or_the_address_of_a_file(anna: httpx.Client, hub: SmallHub) -> None:
    hub.repos["anna/shown"] = Repo({"shown.safetensors": weights(seed=11)})
    ended(anna, anna.post(DOWNLOADS, json={"repository": "anna/shown"}).json()["id"])
    text = anna.get(DOWNLOADS).text
    assert "anna/shown" in text
    assert "hf_right" not in text
    assert "/resolve/" not in text


def test_others_than_the_operator_see_none_of_it(shop: Server) -> None:
    with shop.client("ben") as ben:
        for answer in (ben.get(DOWNLOADS), ben.post(DOWNLOADS, json={"repository": "anna/sd"})):
            assert (answer.status_code, answer.json()["error"]["kind"]) == (403, "operator_only")


def test_offers_are_shown_to_everybody_and_measured_for_this_machine(shop: Server) -> None:
    with shop.client("ben") as ben:
        first = ben.get(OFFERS).json()
        assert {(entry["size_bytes"], entry["must_agree"], entry["read"]) for entry in first} == {(None, None, None)}
        eventually(lambda: ben.get(OFFERS).json()[0]["seconds_here"] is not None, 30)
        found = {entry["id"]: entry for entry in ben.get(OFFERS).json()}
        assert found["sd-turbo"]["recommended"] == ["quick"]
        assert (found["qwen-image"]["slow"], found["qwen-image"]["fits"]) == (True, False)
        assert found["sd15-lcm"]["prompt_suffix"] == " <lora:lcm-lora-sdv1-5:1>"
        assert found["sd15-lcm"]["settings"]["steps"] == 4
        chinese = ben.get(OFFERS, headers={"Accept-Language": "zh-CN"}).json()
        assert "一步出图" in chinese[0]["purpose"]
        assert ben.post(f"{OFFERS}/read").status_code == 403


def test_the_hub_is_asked_about_offers_when_the_operator_wants_it(anna: httpx.Client, hub: SmallHub) -> None:
    hub.repos["stabilityai/sd-turbo"] = Repo(folder(), license="other")
    tiny = {"config.json": b"{}", "diffusion_pytorch_model.safetensors": weights(4000)}
    hub.repos["madebyollin/taesd"] = Repo(tiny, license="mit")
    found = {entry["id"]: entry for entry in anna.post(f"{OFFERS}/read").json()}
    turbo = found["sd-turbo"]
    assert turbo["size_bytes"] > 200_000
    assert (turbo["license"], turbo["must_agree"], turbo["state"]) == ("other", False, None)
    assert found["sdxl"]["size_bytes"] is None
    id = anna.post(DOWNLOADS, json={"offer": "sd-turbo"}).json()["id"]
    assert ended(anna, id)["places"] == ["sd-turbo"]
    shown = next(entry for entry in anna.get(OFFERS).json() if entry["id"] == "sd-turbo")
    assert (shown["download"], shown["state"], shown["places"]) == (id, "finished", ["sd-turbo"])
    assert anna.delete(f"{DOWNLOADS}/{id}").status_code == 202
    assert id not in [entry["id"] for entry in anna.get(DOWNLOADS).json()]
    assert anna.get(f"{DOWNLOADS}/{id}").json()["state"] == "finished"
    shown = next(entry for entry in anna.get(OFFERS).json() if entry["id"] == "sd-turbo")
    assert (shown["state"], shown["places"]) == ("finished", ["sd-turbo"]), "it can be used"
