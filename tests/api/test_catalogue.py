"""What a request may name, the machine's state, and the documentation."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.checkpoints.test_addons import KOHYA
from tests.checkpoints.test_made_for import published
from tests.model_files import save
from webui.api.routes.catalogue import catalogue_routes
from webui.api.services import Services
from webui.checkpoints.addons import Addons
from webui.checkpoints.catalogue import Catalogue
from webui.schedulers import SCHEDULERS


def test_checkpoints(client: httpx.Client) -> None:
    found = client.get("/api/checkpoints").json()
    starter = next(checkpoint for checkpoint in found if checkpoint["id"] == "starter")
    told = {"id", "name", "family", "size_bytes", "clip_layers", "critic", "decoders", "is_introductory"}
    assert set(starter) == {*told, "defaults", "made_for", "quick_lora", "vocabulary"}
    assert (starter["is_introductory"], starter["made_for"]) == (True, None)
    assert starter["decoders"] == ["full"]  # its tiny decoder draws previews alone
    assert {"en", "zh", "plural", "measure_zh", "goes_with"} == set(starter["vocabulary"]["thing"][0])
    assert {"en": "lake", "zh": "湖泊"}.items() <= starter["vocabulary"]["place"][0].items()
    assert starter["clip_layers"] == 3
    assert {"width", "height", "steps", "guidance_scale", "scheduler", "sigmas"} <= set(starter["defaults"])


def test_the_list_waits_for_no_header_of_a_lora(tmp_path: Path, toy_models: Path) -> None:
    """On a processor, the first answer comes before they were read, and the next has what they say."""
    published(tmp_path, toy_models / "toy-sd15", "plain")
    save(tmp_path / "loras" / "sd15-lcm.safetensors", {KOHYA: (4, 32)}, {"ss_base_model_version": "sd_v1"})
    queue = SimpleNamespace(is_on_cpu=True)
    services = SimpleNamespace(catalogue=Catalogue(tmp_path), addons=Addons(tmp_path), queue=queue)
    app = FastAPI()
    app.include_router(catalogue_routes(cast(Services, services)))
    with TestClient(app) as client:
        found = [client.get("/api/checkpoints").json()[0]["quick_lora"] for _ in range(2)]
        assert found[0] is None
        assert (found[1]["name"], found[1]["made_for"]["kind"]) == ("sd15-lcm", "LCM")
        queue.is_on_cpu = False
        assert client.get("/api/checkpoints").json()[0]["quick_lora"] is None


def test_schedulers(client: httpx.Client) -> None:
    found = client.get("/api/schedulers").json()
    assert [scheduler["id"] for scheduler in found] == [scheduler.id for scheduler in SCHEDULERS]
    assert all(set(scheduler) == {"id", "name", "aliases"} for scheduler in found)


def test_the_queue_is_a_number(client: httpx.Client) -> None:
    found = client.get("/api/queue").json()
    assert set(found) == {"worker", "waiting", "running", "problem", "is_operator", "downloads"}
    assert (found["is_operator"], found["downloads"]) == (True, {})
    assert found["problem"] is None
    assert found["worker"]["state"] in ("starting", "ready", "busy")


def test_the_documentation_lists_every_route_and_field(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()
    for path in (
        "/api/text-to-image",
        "/api/image-to-image",
        "/api/style-transfer",
        "/api/jobs/{id}/events",
        "/healthz",
    ):
        assert path in schema["paths"]
    fields = schema["components"]["schemas"]["TextToImage"]["properties"]
    assert {"prompt", "negative_prompt", "checkpoint", "scheduler", "steps", "seed", "width", "num_images"} <= set(
        fields
    )
    page = client.get("/docs")
    assert page.status_code == 200
    for address in ("/docs/static/swagger-ui-bundle.js", "/docs/static/swagger-ui.css", "/docs/static/favicon.png"):
        assert address in page.text
        assert client.get(address).status_code == 200
