"""The operator renames, deletes and brings back models, changes their defaults and adds folders; nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import LOGINS, Server, follow, generate, serving
from tests.model_files import LORA_SD15, save, with_starter


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    models = with_starter(tmp_path / "models")
    save(models / "loras" / "ink.safetensors", LORA_SD15)
    with serving(tmp_path / "data", models_dir=models, auth=LOGINS) as server:
        yield server


@pytest.fixture
def anna(server: Server) -> Iterator[httpx.Client]:
    """The operator."""
    with server.client("anna") as client:
        yield client


def kind_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["kind"]


def test_a_request_with_the_old_name_finds_the_renamed_checkpoint(anna: httpx.Client) -> None:
    first = anna.get(f"/api/jobs/{generate(anna, checkpoint='starter')}").json()
    follow(anna, first["id"])
    answer = anna.patch("/api/models/starter", json={"name": "paintings/mine"})
    assert (answer.status_code, answer.json()["id"]) == (200, "paintings/mine")
    again = anna.post("/api/text-to-image", json={**first["request"], "task": "text_to_image"})
    assert again.status_code == 202, again.text
    assert anna.get(f"/api/jobs/{again.json()['id']}").json()["request"]["checkpoint"] == "paintings/mine"


def test_defaults(anna: httpx.Client) -> None:
    answer = anna.patch("/api/models/starter", json={"defaults": {"steps": 7}})
    assert (answer.status_code, answer.json()["defaults"]["steps"]) == (200, 7)
    job = anna.post("/api/text-to-image", json={"prompt": "a lake"}).json()
    assert job["request"]["steps"] == 7
    for wrong in ({"steps": 0}, {"scheduler": "none"}, {"colour": "red"}, {"width": 100}):
        assert anna.patch("/api/models/starter", json={"defaults": wrong}).status_code == 422, wrong
    assert anna.patch("/api/models/loras/ink", json={"defaults": {"steps": 7}}).status_code == 422


def test_deleting_with_undo_and_a_trash(anna: httpx.Client) -> None:
    assert anna.delete("/api/models/loras/ink").json()["id"] == "loras/ink"
    assert anna.get("/api/models?kind=lora").json() == []
    assert kind_of(anna.delete("/api/models/loras/ink")) == (404, "model_not_found")
    places = anna.get("/api/model-places").json()
    (deleted,) = anna.get("/api/model-trash").json()
    assert (places["trash_count"], places["trash_bytes"]) == (1, deleted["size_bytes"])
    assert anna.post("/api/models/loras/ink/restore").json()["id"] == "loras/ink"
    anna.delete("/api/models/loras/ink")
    assert anna.delete("/api/model-trash").status_code == 204
    assert kind_of(anna.post("/api/models/loras/ink/restore")) == (404, "model_not_found")


def test_what_a_job_needs_stays(anna: httpx.Client) -> None:
    job = generate(anna, prompt="a lake <lora:ink:0.5> hang", checkpoint="starter")
    for id in ("starter", "loras/ink"):
        answer = anna.delete(f"/api/models/{id}")
        assert kind_of(answer) == (409, "model_in_use")
        assert "(1)" in answer.json()["error"]["message"]
        assert kind_of(anna.patch(f"/api/models/{id}", json={"name": "other"})) == (409, "model_in_use")
    assert anna.patch("/api/models/starter", json={"defaults": {"steps": 9}}).status_code == 200
    anna.delete(f"/api/jobs/{job}")


def test_a_hash_comes_when_it_is_asked_for(anna: httpx.Client) -> None:
    for id in ("starter", "loras/ink"):
        hash = anna.post(f"/api/models/{id}/hash").json()["hash"]
        assert len(hash) == 64
        assert {model["id"]: model["hash"] for model in anna.get("/api/models").json()}[id] == hash


def test_folders_of_other_programs(anna: httpx.Client, tmp_path: Path) -> None:
    theirs = save(tmp_path / "ComfyUI" / "models" / "vae" / "x.safetensors", {"decoder.conv_in.weight": (8, 4, 3, 3)})
    added = anna.post("/api/model-places", json={"path": str(tmp_path / "ComfyUI")})
    assert [(place["name"], place["is_there"]) for place in added.json()["places"]] == [("ComfyUI", True)]
    assert [model["id"] for model in anna.get("/api/models?kind=vae").json()] == ["ComfyUI:vae/x"]
    assert kind_of(anna.delete("/api/models/ComfyUI:vae/x")) == (409, "model_read_only")
    assert anna.post("/api/model-places", json={"path": str(tmp_path / "none")}).status_code == 422
    theirs.parent.parent.rename(tmp_path / "unplugged")
    (tmp_path / "ComfyUI").rmdir()
    assert anna.get("/api/model-places").json()["places"][0]["is_there"] is False
    assert anna.get("/api/models?kind=vae").json() == []
    assert anna.delete("/api/model-places/ComfyUI").json()["places"] == []


def test_a_list_of_folders_is_removed_as_it_was_added(anna: httpx.Client, tmp_path: Path) -> None:
    for name in ("big", "small"):
        save(tmp_path / name / "l" / "ink.safetensors", LORA_SD15)
    file = tmp_path / "extra_model_paths.yaml"
    sections = [f"{name}:\n  base_path: {tmp_path}/{name}\n  loras: l\n" for name in ("big", "small")]
    file.write_text("".join(sections))
    places = anna.post("/api/model-places", json={"path": str(file)}).json()["places"]
    assert [(place["name"], place["can_be_removed"]) for place in places] == [("big", True), ("small", True)]
    assert anna.delete("/api/model-places/small").json()["places"] == []
    assert [model["id"] for model in anna.get("/api/models?kind=lora").json()] == ["loras/ink"]
    assert (tmp_path / "small" / "l" / "ink.safetensors").exists()


def test_where_a_model_lies_is_shown_where_there_is_a_screen(anna: httpx.Client, server: Server) -> None:
    answer = anna.post("/api/models/loras/ink/show").json()
    assert answer == {"path": str(server.models_dir / "loras" / "ink.safetensors"), "shown": False}


def test_others_learn_no_paths_and_change_nothing(server: Server) -> None:
    with server.client("ben") as ben:
        places = ben.get("/api/model-places").json()
        assert (places["is_operator"], places["path"], places["noticed"]) == (False, None, [])
        assert kind_of(ben.patch("/api/models/starter", json={"name": "x"})) == (403, "operator_only")
        assert kind_of(ben.delete("/api/models/starter")) == (403, "operator_only")
