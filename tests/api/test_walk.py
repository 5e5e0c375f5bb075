"""The pictures between two, over HTTP."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import Server, follow, generate


def made(client: httpx.Client, **request: object) -> dict[str, object]:
    """The last picture of a finished job."""
    picture: dict[str, object] = follow(client, generate(client, **request))[-1][2]["images"][-1]
    return picture


def test_a_walk_is_one_job_from_the_first_picture_to_the_second(client: httpx.Client) -> None:
    first = made(client, prompt="a lake", seed=3, num_images=2, steps=4)
    second = made(client, prompt="a city", seed=8, steps=6)
    asked = {"first": first["id"], "second": second["id"], "num_images": 3}
    answer = client.post("/api/walk", json=asked)
    assert answer.status_code == 202
    assert answer.json()["differences"] == ["steps"]
    assert len(follow(client, answer.json()["id"])[-1][2]["images"]) == 3
    request = client.get(f"/api/jobs/{answer.json()['id']}").json()["request"]
    assert request == answer.json()["request"]
    assert (request["prompt"], request["seed"], request["steps"]) == ("a lake", 4, 4)
    assert (request["walk_to"]["prompt"], request["walk_to"]["seed"]) == ("a city", 8)


@pytest.mark.parametrize("num_images", [1, 17, 2.5, "3"])
def test_a_walk_has_from_two_to_sixteen_pictures(client: httpx.Client, num_images: object) -> None:
    picture = made(client, prompt="a lake")
    asked = {"first": picture["id"], "second": picture["id"], "num_images": num_images}
    assert client.post("/api/walk", json=asked).status_code == 422


def test_pictures_that_no_text_made_and_pictures_of_others_are_no_ends(
    client: httpx.Client, guarded: Server, png: bytes
) -> None:
    lake = made(client, prompt="a lake")
    upload = client.post("/api/images", files={"file": ("a.png", png, "image/png")}).json()["id"]
    job = client.post("/api/image-to-image", json={"prompt": "a lake", "init_image": upload}).json()["id"]
    redrawn = follow(client, job)[-1][2]["images"][0]
    refused = client.post("/api/walk", json={"first": lake["id"], "second": redrawn["id"]})
    assert refused.status_code == 422
    assert "made from text" in refused.json()["detail"][0]["msg"]
    with guarded.client("anna") as anna, guarded.client("ben") as ben:
        own, foreign = made(anna, prompt="a lake"), made(ben, prompt="a city")
        assert anna.post("/api/walk", json={"first": own["id"], "second": foreign["id"]}).status_code == 404
