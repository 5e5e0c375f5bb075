"""Civitai's versions by their id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.downloads.conftest import Make, finished, lora, weights
from tests.downloads.small_hub import SmallHub, small_hub
from webui.downloads.sources import Asked
from webui.errors import DarkroomError


@pytest.fixture
def civitai() -> Iterator[SmallHub]:
    with small_hub() as server:
        yield server


def version(server: SmallHub, content: bytes, **changes: Any) -> dict[str, Any]:
    """As `GET /api/v1/model-versions/7` answers, in what is read of it."""
    file = {
        "name": "ink style.safetensors",
        "sizeKB": len(content) / 1024,
        "primary": True,
        "hashes": {"SHA256": hashlib.sha256(content).hexdigest().upper()},
        "downloadUrl": f"{server.url}/api/download/models/7",
    }
    pickle = {**file, "name": "old.ckpt", "primary": False}
    model = {"name": "Ink", "type": "LORA"}
    return {"id": 7, "name": "v2", "model": model, "trainedWords": ["inkstyle"], "files": [pickle, file | changes]}


@pytest.mark.parametrize(
    "path",
    [
        "/models/1?modelVersionId=7",
        "/models/1/ink?modelVersionId=7",
        "/api/download/models/7",
        "/models/1?modelVersionId=7&token=SECRET",
    ],
)
def test_a_version_is_fetched_by_its_id(
    make: Make, civitai: SmallHub, hub: SmallHub, tmp_path: Path, path: str
) -> None:
    content = lora()
    civitai.civitai[7], civitai.civitai_files[7] = version(civitai, content, sizeKB=0.1), content
    downloads = make(civitai=civitai.url, civitai_token="civ", loopback=(hub.url, civitai.url))
    view = finished(downloads, url=f"{civitai.url}{path}")
    assert (view.name, view.places) == ("Ink v2", ("loras/ink style.safetensors",))
    assert "SECRET" not in json.dumps(view.source) + "".join(
        path.read_text() for path in (tmp_path / "data/downloads").glob("*.json")
    )
    assert (tmp_path / "models" / view.places[0]).read_bytes() == content
    note = json.loads((tmp_path / "models/loras/ink style.json").read_text())
    assert (note["trained_words"], note["source"]) == (["inkstyle"], {"civitai_version": 7})
    assert {request.headers.get("Authorization") for request in civitai.requests} == {"Bearer civ"}
    assert "civ" not in "".join(request.path.partition("?")[2] for request in civitai.requests)


@pytest.mark.parametrize(
    ("changes", "status", "expected"),
    [
        ({"name": "a.ckpt"}, None, ("nothing_to_download", "pickles_only")),
        ({"name": "../../a.safetensors"}, None, ("nothing_to_download", "file_name")),
        ({"hashes": {}}, None, ("source_unreachable", "source_not_understood")),
        ({"sizeKB": "x"}, None, ("source_unreachable", "source_not_understood")),
        ({"downloadUrl": "https://evil.example/x"}, None, ("address_refused", "address_not_known")),
        ({}, 401, ("source_login", None)),
        ({}, 404, ("nothing_to_download", "file_missing")),
    ],
)
def test_what_cannot_be_had(
    make: Make, civitai: SmallHub, hub: SmallHub, changes: dict[str, Any], status: int | None, expected: tuple[str, Any]
) -> None:
    civitai.civitai[7], civitai.civitai_files[7] = version(civitai, weights(), **changes), weights()
    civitai.behaviour.status = status
    downloads = make(civitai=civitai.url, loopback=(hub.url, civitai.url))
    with pytest.raises(DarkroomError) as caught:
        downloads.ask(Asked(url=f"{civitai.url}/models/1?modelVersionId=7"))
    assert (caught.value.kind, caught.value.details.get("reason")) == expected


def test_a_version_that_is_not_there(make: Make, civitai: SmallHub, hub: SmallHub) -> None:
    downloads = make(civitai=civitai.url, loopback=(hub.url, civitai.url))
    with pytest.raises(DarkroomError) as caught:
        downloads.ask(Asked(url=f"{civitai.url}/models/1?modelVersionId=9"))
    assert caught.value.details["reason"] == "version_missing"


def test_a_files_own_header_says_what_it_is(make: Make, civitai: SmallHub, hub: SmallHub) -> None:
    said = version(civitai, lora())
    said["model"]["type"] = "Checkpoint"
    civitai.civitai[7], civitai.civitai_files[7] = said, lora()
    downloads = make(civitai=civitai.url, loopback=(hub.url, civitai.url))
    view = finished(downloads, url=f"{civitai.url}/models/1?modelVersionId=7")
    assert view.places == ("loras/ink style.safetensors",)
