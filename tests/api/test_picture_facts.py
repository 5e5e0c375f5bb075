"""What follows from a picture for the next request: what makes it again, and the size that fits it."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.api.conftest import Server, follow, generate
from webui.jobs.resolve import fitted_size


def finished(client: httpx.Client, job: str) -> Any:
    """A job after its end."""
    assert follow(client, job)[-1][1] == "finished"
    return client.get(f"/api/jobs/{job}").json()


def posted(client: httpx.Client, request: dict[str, Any]) -> Any:
    """The ended job of a request that names its task."""
    answer = client.post(f"/api/{request['task'].replace('_', '-')}", json=request)
    assert answer.status_code == 202, answer.text
    return finished(client, answer.json()["id"])


def pixels(client: httpx.Client, image: dict[str, Any]) -> bytes:
    return Image.open(io.BytesIO(client.get(image["url"]).content)).tobytes()


def test_the_request_of_a_picture_makes_it_again(client: httpx.Client) -> None:
    made = finished(client, generate(client, prompt="a {calm|wild} lake", num_images=3, seed=5))
    for index, image in enumerate(made["images"]):
        again = client.get(f"{image['url']}/request").json()
        assert again == made["request"] | {"only_image": index}
        (picture,) = posted(client, again)["images"]
        assert picture["seed"] == image["seed"]
        assert pixels(client, picture) == pixels(client, image)


def test_a_style_transfer_is_made_again_by_its_own_request(client: httpx.Client, png: bytes) -> None:
    picture = client.post("/api/images", files={"file": ("a.png", png)}).json()["id"]
    asked = {"task": "style_transfer", "content_image": picture, "style_image": picture, "iterations": 3, "size": 64}
    made = posted(client, asked)
    assert client.get(f"{made['images'][0]['url']}/request").json() == made["request"]


def test_a_file_from_elsewhere_is_made_again_by_what_it_says(client: httpx.Client) -> None:
    made = finished(client, generate(client, num_images=2, seed=5))
    content = client.get(made["images"][1]["url"]).content
    found = client.post("/api/inspect", files={"file": ("x.png", content)}).json()
    assert found["again"] == made["request"] | {"only_image": 1}
    assert pixels(client, posted(client, found["again"])["images"][0]) == pixels(client, made["images"][1])


def test_nothing_is_made_again_of_pictures_that_are_not_here(guarded: Server, png: bytes) -> None:
    with guarded.client("anna") as anna, guarded.client("ben") as ben:
        picture = anna.post("/api/images", files={"file": ("a.png", png)}).json()["id"]
        said = {"request": {"task": "image_to_image", "init_image": picture, "seed": 1}, "seed": 1}
        answers = [one.post("/api/inspect", json={"text": json.dumps(said)}).json()["again"] for one in (anna, ben)]
        assert (answers[0]["init_image"], answers[1]) == (picture, None)


def test_only_its_owner_hears_of_a_picture(guarded: Server, png: bytes) -> None:
    with guarded.client("anna") as anna, guarded.client("ben") as ben:
        made = finished(anna, generate(anna))["images"][0]["id"]
        upload = anna.post("/api/images", files={"file": ("a.png", png)}).json()["id"]
        for path in (f"{made}/request", f"{made}/fitted-size", f"{upload}/fitted-size"):
            assert anna.get(f"/api/images/{path}").status_code == 200
            assert ben.get(f"/api/images/{path}").json()["error"]["kind"] == "picture_not_found"
        assert anna.get(f"/api/images/{upload}/request").status_code == 404


def test_what_another_version_asked_for_is_not_guessed(client: httpx.Client, server: Server) -> None:
    image = finished(client, generate(client))["images"][0]
    with closing(sqlite3.connect(server.data_dir / "darkroom.sqlite3")) as database, database:
        newer = json.dumps({"task": "text_to_image", "schema_version": 9})
        database.execute("UPDATE pictures SET request = ? WHERE id = ?", (newer, image["id"]))
    answer = client.get(f"{image['url']}/request")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (409, "job_unreadable")


@pytest.mark.parametrize("size", [(900, 400), (64, 48), (40, 700)])
def test_the_fitted_size_is_what_an_open_one_becomes(client: httpx.Client, size: tuple[int, int]) -> None:
    content = io.BytesIO()
    Image.new("RGB", size, "green").save(content, "PNG")
    picture = client.post("/api/images", files={"file": ("a.png", content.getvalue())}).json()["id"]
    said = client.get(f"/api/images/{picture}/fitted-size", params={"checkpoint": "starter"}).json()
    assert said == client.get(f"/api/images/{picture}/fitted-size").json()
    made = posted(client, {"task": "image_to_image", "init_image": picture, "checkpoint": "starter", "steps": 2})
    assert said == {name: made["request"][name] for name in ("width", "height")}
    (default,) = (one["defaults"] for one in client.get("/api/checkpoints").json() if one["id"] == "starter")
    assert tuple(said.values()) == fitted_size(size, default["width"] * default["height"])


def test_no_size_fits_a_checkpoint_that_is_not_there(client: httpx.Client) -> None:
    image = finished(client, generate(client))["images"][0]
    answer = client.get(f"{image['url']}/fitted-size", params={"checkpoint": "gone"})
    assert answer.json()["error"]["kind"] == "checkpoint_not_found"
