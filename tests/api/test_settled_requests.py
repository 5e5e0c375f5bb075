"""What a job was settled as can be sent again as it is; a request of version 1 draws what it drew."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.jobs.conftest import eventually


def settled(client: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/api/text-to-image", json=body)
    assert answer.status_code == 202, answer.text
    job = f"/api/jobs/{answer.json()['id']}"
    request: dict[str, Any] = client.get(job).json()["request"]
    client.delete(job)
    eventually(lambda: client.get(job).json()["state"] in ("finished", "cancelled"), 20)
    return request


@pytest.mark.parametrize(
    "asked",
    [
        {"prompt": "a lake"},
        {"prompt": "a {red|blue|green} fox", "num_images": 3, "looks": ["ink", "Watercolour"]},
        {"prompt": "湖泊", "looks": ["水彩"], "scheduler": "Euler a", "sigmas": "Automatic"},
        {"prompt": "a", "variation_strength": 0.5, "width": 64},
    ],
)
def test_a_settled_request_is_taken_as_it_is(client: httpx.Client, asked: dict[str, Any]) -> None:
    request = settled(client, asked)
    assert request["seed"] is not None
    assert settled(client, request) == request


def test_a_settled_branch_is_taken_as_it_is(client: httpx.Client) -> None:
    origin = settled(client, {"prompt": "a {red|blue} fox", "looks": ["ink"], "steps": 4})
    request = settled(client, {"prompt": "a dog", "steps": 4, "branch_from": {"origin": origin, "step": 2}})
    assert "fox" in request["branch_from"]["origin"]["prompt"]
    assert settled(client, request) == request


def test_a_request_of_version_1_keeps_its_sigmas(client: httpx.Client) -> None:
    request = settled(client, {"schema_version": 1, "prompt": "a lake"})
    assert (request["schema_version"], request["sigma_range"]) == (2, "timesteps")
    assert settled(client, {"prompt": "a lake"})["sigma_range"] == "network"


def test_a_look_that_is_not_there_is_named(client: httpx.Client) -> None:
    for language, sentence in (("en", "there is no look called “x”"), ("zh-CN", "没有名为“x”的画风")):
        answer = client.post("/api/text-to-image", json={"looks": ["x"]}, headers={"Accept-Language": language})
        assert answer.status_code == 422, answer.text
        (said,) = answer.json()["detail"]
        assert said["loc"][-1] == "looks"
        assert sentence in said["msg"]


def test_no_more_than_eight_looks(client: httpx.Client) -> None:
    answer = client.post("/api/text-to-image", json={"looks": ["ink"] * 9})
    assert answer.status_code == 422
    assert settled(client, {"prompt": "a", "looks": ["ink"] * 8})["looks"] == ["ink"] * 8
