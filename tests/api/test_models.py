"""The list of models: of every kind, for everybody, with what is wrong with one in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import LOGINS, Server, follow, generate, serving
from tests.model_files import EMBEDDING, LORA_SD15, LORA_SDXL, VAE, save, with_starter

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("models")
    models = with_starter(folder / "models")
    save(models / "loras" / "ink wash.safetensors", LORA_SD15, {"modelspec.trigger_phrase": "inkwash"})
    (models / "loras" / "ink wash.png").write_bytes(PNG)
    save(models / "loras" / "xl.safetensors", {**LORA_SDXL, "lora_unet_a.dora_scale": (4,)})
    (models / "loras" / "xl.png").write_bytes(b"<svg/>")
    save(models / "embeddings" / "bad.safetensors", EMBEDDING)
    save(folder / "theirs" / "vae" / "sharp.safetensors", VAE)
    with serving(folder / "data", models_dir=models, extra_models_dir=[folder / "theirs"], auth=LOGINS) as server:
        yield server


@pytest.fixture
def ben(server: Server) -> Iterator[httpx.Client]:
    """Who is not the operator."""
    with server.client("ben") as client:
        yield client


def test_everything_is_listed(ben: httpx.Client) -> None:
    found = {model["id"]: model for model in ben.get("/api/models").json()}
    assert set(found) == {"starter", "loras/ink wash", "loras/xl", "embeddings/bad", "theirs:vae/sharp"}
    lora = found["loras/ink wash"]
    assert (lora["kind"], lora["family"], lora["trigger_words"]) == ("lora", "sd15", ["inkwash"])
    assert (lora["prompt_name"], lora["dtype"], lora["hash"], lora["fits"]) == ("ink wash", "fp16", None, None)
    assert (found["theirs:vae/sharp"]["place"], found["theirs:vae/sharp"]["read_only"]) == ("theirs", True)
    assert found["starter"]["defaults"]["steps"] == 20
    assert str(Path.home()) not in ben.get("/api/models").text


def test_one_kind(ben: httpx.Client) -> None:
    assert {model["kind"] for model in ben.get("/api/models?kind=lora").json()} == {"lora"}
    assert ben.get("/api/models?kind=detector").json() == []
    assert ben.get("/api/models?kind=nonsense").status_code == 422


def test_what_cannot_be_used_is_said_in_the_callers_language(ben: httpx.Client) -> None:
    def problem(**headers: str) -> str:
        (found,) = [one for one in ben.get("/api/models", headers=headers).json() if one["id"] == "loras/xl"]
        return str(found["problem"]["message"])

    assert "DoRA" in problem()
    assert "DoRA" in problem(**{"Accept-Language": "zh"})
    assert problem() != problem(**{"Accept-Language": "zh"})


def test_what_fits_a_checkpoint(ben: httpx.Client) -> None:
    found = ben.get("/api/models", params={"checkpoint": "starter"}).json()
    assert {model["id"] for model in found if model["fits"]} == {"starter"}
    (vae,) = [model for model in found if model["kind"] == "vae"]
    assert "another kind of checkpoint" in vae["problem"]["message"]
    assert ben.get("/api/models", params={"checkpoint": "none"}).status_code == 404


def test_pictures_that_came_with_them(ben: httpx.Client) -> None:
    urls = {model["id"]: model["preview_url"] for model in ben.get("/api/models?kind=lora").json()}
    answer = ben.get(urls["loras/ink wash"])
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")
    assert ben.get(urls["loras/xl"]).status_code == 404  # what calls itself a picture and is none
    assert ben.get("/api/model-previews/starter").status_code == 404


def test_the_callers_own_first_picture(server: Server, ben: httpx.Client) -> None:
    with server.client("anna") as anna:
        (before,) = anna.get("/api/models?kind=checkpoint").json()
        assert before["picture_url"] is None
        for seed in (1, 2):
            follow(anna, generate(anna, seed=seed))
        first = anna.get("/api/gallery").json()["pictures"][-1]
        (after,) = anna.get("/api/models?kind=checkpoint").json()
        assert after["picture_url"] == first["thumbnail_url"]
    assert ben.get("/api/models?kind=checkpoint").json()[0]["picture_url"] is None


def test_a_vae_that_a_text_names_is_found_by_its_files_name(ben: httpx.Client) -> None:
    text = "a lake\nSteps: 12, Sampler: Euler a, Seed: 5, VAE: Sharp.safetensors"
    assert ben.post("/api/inspect", json={"text": text}).json()["settings"]["vae"] == "theirs:vae/sharp"


def test_a_vae_that_is_not_here_or_does_not_fit_is_refused_at_once(ben: httpx.Client) -> None:
    def refusal(vae: str) -> str:
        answer = ben.post("/api/text-to-image", json={"prompt": "a lake", "checkpoint": "starter", "vae": vae})
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "vae"])
        return str(answer.json()["detail"][0]["ctx"]["reason"])

    assert refusal("vae/none") == "there is no VAE called “vae/none”"
    assert refusal("theirs:vae/sharp") == "it is made for another kind of checkpoint"


def test_without_a_vae_beside_the_checkpoint_automatic_is_its_own(ben: httpx.Client) -> None:
    job = ben.post("/api/text-to-image", json={"prompt": "a lake", "checkpoint": "starter", "vae": "automatic"}).json()
    assert job["request"]["vae"] is None
