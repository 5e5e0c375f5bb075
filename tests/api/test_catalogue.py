"""What a request may name, the machine's state, and the documentation."""

from __future__ import annotations

import httpx

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
