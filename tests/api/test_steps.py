"""Keeping a step and branching off at one, through the queue, with the owner's rights and in words."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.api.conftest import Server, follow, generate


def job(client: httpx.Client, id: str) -> Any:
    return client.get(f"/api/jobs/{id}").json()


def made(client: httpx.Client, id: str) -> Any:
    """The one picture of an ended job, and what its file says."""
    assert follow(client, id)[-1][1] == "finished"
    (image,) = job(client, id)["images"]
    with Image.open(io.BytesIO(client.get(image["url"]).content)) as picture:
        texts: dict[str, str] = picture.text  # type: ignore[attr-defined]
        return image, json.loads(texts["darkroom"]), texts["parameters"]


def test_a_step_becomes_a_picture_with_its_true_step_count(client: httpx.Client) -> None:
    origin = generate(client, steps=8, seed=5, num_images=2)
    follow(client, origin)
    answer = client.post(f"/api/jobs/{origin}/keep", json={"image": 1, "step": 3})
    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert said["request"]["stop_after"] == 3
    _, ours, infotext = made(client, said["id"])
    assert ours["request"] == {**job(client, origin)["request"], "only_image": 1, "stop_after": 3}
    assert ours["info"]["steps"] == 3
    assert "Steps: 8," in infotext
    assert "Steps run: 3" in infotext


def test_a_stopped_job_s_steps_can_be_kept(client: httpx.Client) -> None:
    origin = generate(client, prompt="a lake wait=never", steps=8, seed=5)
    client.delete(f"/api/jobs/{origin}")
    assert follow(client, origin)[-1][1] == "cancelled"
    kept = client.post(f"/api/jobs/{origin}/keep", json={"step": 1}).json()
    assert made(client, kept["id"])[1]["info"]["steps"] == 1


def test_a_tiny_decoder_s_picture_is_finished_sharp(guarded: Server) -> None:
    with guarded.client("anna") as client:
        origin = generate(client, steps=4, seed=5, num_images=2, decoder="tiny")
        follow(client, origin)
        answer = client.post(f"/api/jobs/{origin}/keep", json={"image": 1})
        assert answer.status_code == 202, answer.text
        sharp = answer.json()["id"]
        _, ours, infotext = made(client, sharp)
        assert ours["request"] == {**job(client, origin)["request"], "only_image": 1, "decoder": "full"}
        assert "VAE Decoder" not in infotext
        again = client.post(f"/api/jobs/{sharp}/keep", json={})
        assert again.status_code == 422
        assert "decoded in full already" in again.json()["detail"][0]["msg"]
        assert client.post(f"/api/jobs/{origin}/keep", json={"image": 2}).status_code == 422


def test_a_tiny_decoder_that_is_not_here_is_refused_before_the_job(client: httpx.Client) -> None:
    answer = client.post("/api/text-to-image", json={"prompt": "a lake", "decoder": "tiny"})
    assert answer.status_code == 422
    (found,) = answer.json()["detail"]
    assert found["loc"] == ["body", "decoder"]
    assert "no tiny decoder is here" in found["msg"]


def test_a_branch_carries_all_that_it_came_from(client: httpx.Client) -> None:
    origin = generate(client, steps=8, seed=5, guidance_scale=4.0)
    follow(client, origin)
    answer = client.post(
        f"/api/jobs/{origin}/branch", json={"step": 3, "prompt": "a lake in winter", "guidance_scale": 2.5, "seed": 9}
    )
    assert answer.status_code == 202, answer.text
    _, ours, infotext = made(client, answer.json()["id"])
    asked = ours["request"]
    assert (asked["prompt"], asked["guidance_scale"], asked["seed"], asked["steps"]) == ("a lake in winter", 2.5, 9, 8)
    assert asked["branch_from"] == {"origin": job(client, origin)["request"], "step": 3}
    assert 'Branch: "step 3 of 8, seed 5"' in infotext
    again = client.post("/api/text-to-image", json=asked)
    assert again.status_code == 202, again.text
    assert job(client, again.json()["id"])["request"] == asked


def test_without_changes_a_branch_is_its_origin(client: httpx.Client) -> None:
    origin = generate(client, prompt="a {red|blue} lake", steps=8, seed=5, num_images=2)
    follow(client, origin)
    settled = job(client, origin)["request"]
    asked = client.post(f"/api/jobs/{origin}/branch", json={"image": 1, "step": 3}).json()["request"]
    assert (asked["prompt"], asked["seed"]) == (settled["resolved_prompts"][1]["prompt"], 6)
    assert asked["branch_from"]["origin"]["only_image"] == 1


def test_a_seed_of_minus_one_is_a_random_one(client: httpx.Client) -> None:
    origin = generate(client, steps=8, seed=5)
    asked = client.post(f"/api/jobs/{origin}/branch", json={"step": 3, "seed": -1}).json()["request"]
    assert asked["seed"] >= 0
    assert asked["branch_from"]["origin"]["seed"] == 5


@pytest.mark.parametrize(
    ("call", "body", "said"),
    [
        ("keep", {"step": 9}, "there is no such step; it has 8"),
        ("keep", {"step": 1000}, "there is no such step; it has 8"),
        ("keep", {"step": 2, "image": 1}, "the job has no such image"),
        ("branch", {"step": 151}, "no step follows that one; the last step to branch from is 7"),
        ("branch", {"step": 8}, "no step follows that one; the last step to branch from is 7"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(
    client: httpx.Client, call: str, body: dict[str, Any], said: str
) -> None:
    origin = generate(client, steps=8, seed=5)
    answer = client.post(f"/api/jobs/{origin}/{call}", json=body)
    assert answer.status_code == 422
    assert said in answer.json()["detail"][0]["msg"]


def test_a_branch_keeps_its_origin_s_course(client: httpx.Client) -> None:
    origin = generate(client, steps=8, seed=5)
    asked = client.post(f"/api/jobs/{origin}/branch", json={"step": 3}).json()["request"]
    for field, value in (("steps", 9), ("width", 128), ("scheduler", "heun"), ("tiling", "x")):
        answer = client.post("/api/text-to-image", json={**asked, field: value, "sigmas": None})
        assert answer.status_code == 422, field
        assert answer.json()["detail"][0]["loc"] == ["body", field]
    left_open = {name: asked[name] for name in ("prompt", "seed", "branch_from")}
    answer = client.post("/api/text-to-image", json=left_open)
    assert answer.status_code == 202
    assert job(client, answer.json()["id"])["request"] == asked
    open_seed = {
        **left_open,
        "branch_from": {**asked["branch_from"], "origin": {"prompt": "a lake", "task": "text_to_image"}},
    }
    answer = client.post("/api/text-to-image", json=open_seed)
    assert answer.status_code == 422


def test_branches_end_somewhere(client: httpx.Client) -> None:
    request: dict[str, Any] = {"prompt": "a lake", "seed": 1, "steps": 8, "task": "text_to_image"}
    for _ in range(200):
        request = {"task": "text_to_image", "seed": 1, "branch_from": {"origin": request, "step": 2}}
    assert client.post("/api/text-to-image", json=request).status_code == 422


def test_pictures_of_others_are_nobody_s(guarded: Server) -> None:
    with guarded.client("anna") as anna, guarded.client("ben") as ben:
        origin = generate(anna, steps=4, seed=5)
        for call in ("keep", "branch"):
            assert ben.post(f"/api/jobs/{origin}/{call}", json={"step": 2}).status_code == 404
            assert anna.post(f"/api/jobs/{origin}/{call}", json={"step": 2}).status_code == 202


def test_the_job_says_what_is_still_in_memory(client: httpx.Client) -> None:
    origin = generate(client, steps=4, seed=5, num_images=2)
    follow(client, origin)
    follow(client, generate(client))  # by now the worker has said what it keeps of the first
    assert job(client, origin)["steps_kept"] == [0, 1]
    follow(client, generate(client, prompt="forget"))
    follow(client, generate(client, prompt="forget"))
    assert job(client, origin)["steps_kept"] == []


def test_the_strip_is_an_animated_webp(client: httpx.Client) -> None:
    origin = generate(client, steps=8, seed=5, num_images=2, width=128, height=64)
    follow(client, origin)
    answer = client.get(f"/api/jobs/{origin}/strip", params={"image": 1})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["content-disposition"].startswith("attachment")
    with Image.open(io.BytesIO(answer.content)) as strip:
        assert (strip.format, strip.size) == ("WEBP", (128, 64))
        assert strip.n_frames >= 4  # type: ignore[attr-defined]
        assert "trainedAlgorithmicMedia" in strip.info["xmp"].decode()


def test_a_strip_that_is_gone_and_one_of_another_person(client: httpx.Client, guarded: Server) -> None:
    refused = generate(client, prompt="fail")
    follow(client, refused)
    answer = client.get(f"/api/jobs/{refused}/strip")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "strip_gone")
    with guarded.client("anna") as anna, guarded.client("ben") as ben:
        origin = generate(anna)
        follow(anna, origin)
        assert ben.get(f"/api/jobs/{origin}/strip").json()["error"]["kind"] == "job_not_found"


def test_an_iteration_of_a_style_transfer_is_kept_and_what_is_not_there_is_said(
    client: httpx.Client, png: bytes
) -> None:
    picture = client.post("/api/images", files={"file": ("x.png", png, "image/png")}).json()["id"]
    body = {"content_image": picture, "style_image": picture, "iterations": 12, "size": 64, "keep_colours": "coral"}
    origin = client.post("/api/style-transfer", json=body).json()["id"]
    follow(client, origin)
    kept = client.post(f"/api/jobs/{origin}/keep", json={"step": 5})
    assert kept.status_code == 202, kept.text
    _, ours, infotext = made(client, kept.json()["id"])
    assert ours["request"] == {**job(client, origin)["request"], "stop_after": 5}
    assert "Keep colours: coral" in infotext
    for asked, said in (({"step": 13}, "it has 12"), ({"step": 2, "image": 1}, "no such image")):
        answer = client.post(f"/api/jobs/{origin}/keep", json=asked)
        assert (answer.status_code, said in answer.text) == (422, True)
    deep = client.post("/api/style-transfer", json=body | {"layer_weights": {"conv5_1": 2.0}})
    assert (deep.status_code, "models/vgg19" in deep.text) == (422, True)


def test_a_job_says_whether_it_may_branch(client: httpx.Client) -> None:
    origin = generate(client, steps=3, seed=5)
    follow(client, origin)
    assert job(client, origin)["can_branch"] is True
    for step in range(8):
        listed = {one["id"]: one["can_branch"] for one in client.get("/api/jobs").json()}
        assert listed[origin] is True, step
        origin = client.post(f"/api/jobs/{origin}/branch", json={"step": 1, "seed": 6 + step}).json()["id"]
        follow(client, origin)
    assert job(client, origin)["can_branch"] is False
    assert client.post(f"/api/jobs/{origin}/branch", json={"step": 1}).status_code == 422


def test_a_style_transfer_does_not_branch(client: httpx.Client, png: bytes) -> None:
    picture = client.post("/api/images", files={"file": ("a.png", png)}).json()["id"]
    asked = {"content_image": picture, "style_image": picture, "iterations": 3, "size": 64}
    styled = client.post("/api/style-transfer", json=asked).json()["id"]
    assert job(client, styled)["can_branch"] is False
