"""A file of this computer over HTTP: what it is, where it went, refusals in words, and the operator's alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.conftest import LOGINS, Server, serving
from tests.downloads.conftest import lora
from tests.model_files import VAE, save

FILES = "/api/models/files"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("files")
    (home / "models").mkdir()
    with serving(home / "data", models_dir=home / "models", auth=LOGINS) as server:
        yield server


def test_it_is_looked_at_taken_and_listed(shop: Server, tmp_path: Path) -> None:
    path = save(tmp_path / "sharp.safetensors", VAE)
    with shop.client("anna") as anna:
        looked = anna.post(f"{FILES}/look", json={"path": str(path)})
        assert looked.status_code == 200
        assert looked.json() == {
            "name": "sharp.safetensors", "kind": "vae", "family": None, "family_name": None,
            "size_bytes": path.stat().st_size, "converts": False,
        }  # fmt: skip
        taken = anna.post(FILES, json={"path": str(path), "way": "move"})
        assert (taken.status_code, taken.json()) == (201, {"id": "vae/sharp", "kind": "vae", "how": "moved"})
        assert [model["id"] for model in anna.get("/api/models?kind=vae").json()] == ["vae/sharp"]
    assert not path.exists()
    assert (shop.models_dir / "vae" / "sharp.safetensors").is_file()


def test_refusals_in_words(shop: Server, tmp_path: Path) -> None:
    (tmp_path / "text.safetensors").write_text("text")
    with shop.client("anna") as anna:
        for path, said in (
            ("/dev/zero", "not an ordinary file"),
            (f"{tmp_path}/text.safetensors", "not a safetensors"),
        ):
            answer = anna.post(FILES, json={"path": path})
            assert (answer.status_code, answer.json()["error"]["kind"]) == (409, "file_refused")
            assert said in answer.json()["error"]["message"]
        chinese = anna.post(f"{FILES}/look", json={"path": "x"}, headers={"Accept-Language": "zh-CN"})
        assert "完整路径" in chinese.json()["error"]["message"]
        for body in ({}, {"path": ""}, {"path": "/x", "way": "steal"}, {"path": "/x", "to": "/etc"}):
            assert anna.post(FILES, json=body).status_code == 422


def test_others_than_the_operator_learn_nothing_of_the_disk(shop: Server, tmp_path: Path) -> None:
    path = tmp_path / "ink.safetensors"
    path.write_bytes(lora())
    with shop.client("ben") as ben:
        for address in (FILES, f"{FILES}/look"):
            answer = ben.post(address, json={"path": str(path)})
            assert (answer.status_code, answer.json()["error"]["kind"]) == (403, "operator_only")
    assert path.exists()
