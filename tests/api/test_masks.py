"""Masks over HTTP: stored, checked, kept from others, and gone through to the job's request."""

from __future__ import annotations

import io

import httpx
from PIL import Image

from tests.api.conftest import Server, follow


def stored(client: httpx.Client, width: int, height: int, colour: str = "white") -> str:
    content = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(content, "PNG")
    return str(client.post("/api/images", files={"file": ("m.png", content.getvalue(), "image/png")}).json()["id"])


def test_a_mask_goes_with_its_picture_into_the_job(client: httpx.Client) -> None:
    request = {
        "init_image": stored(client, 96, 64, "red"),
        "mask": stored(client, 48, 32),
        "mask_mode": "not_masked",
        "inpaint_area": "only_masked",
        "outpaint_left": 32,
        "soft_inpainting": True,
        "steps": 2,
    }
    answer = client.post("/api/image-to-image", json=request)
    assert answer.status_code == 202
    follow(client, answer.json()["id"])
    said = client.get(f"/api/jobs/{answer.json()['id']}").json()["request"]
    assert {name: said[name] for name in request} == request


def test_a_mask_of_another_shape_is_refused_with_a_sentence(client: httpx.Client) -> None:
    request = {"init_image": stored(client, 96, 64, "red"), "mask": stored(client, 64, 64)}
    answer = client.post("/api/image-to-image", json=request)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "mask"]
    assert "proportions" in answer.json()["detail"][0]["msg"]


def test_values_that_cannot_be_are_refused(client: httpx.Client) -> None:
    picture = stored(client, 64, 64)
    for wrong in (
        {"mask": "http://127.0.0.1/mask.png"},
        {"mask": ""},
        {"mask_blur": 65},
        {"mask_blur": 1.5},
        {"outpaint_left": 12},
        {"outpaint_top": -8},
        {"outpaint_right": 1032},
        {"masked_content": "lama"},
        {"resize_mode": 1},
        {"soft_inpainting": "yes"},
        {"outpaint_left": 1024, "outpaint_right": 1024},
    ):
        assert client.post("/api/image-to-image", json={"init_image": picture} | wrong).status_code == 422, wrong


def test_nobody_uses_another_s_mask(guarded: Server) -> None:
    with guarded.client("anna") as anna, guarded.client("ben") as ben:
        mask = stored(anna, 64, 64)
        request = {"init_image": stored(ben, 64, 64, "red"), "mask": mask}
        answer = ben.post("/api/image-to-image", json=request)
        assert answer.status_code == 404
        assert answer.json()["error"]["kind"] == "picture_not_found"
