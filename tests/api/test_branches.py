"""What a branch may have otherwise than its origin, and what is refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import Server, follow, generate
from webui.rules.branches import CHANGEABLE


def test_a_branch_takes_whatever_is_free(client: httpx.Client) -> None:
    origin = generate(client, steps=8, seed=5, negative_prompt="fog", looks=["watercolour"])
    follow(client, origin)
    free: dict[str, Any] = {
        "prompt": "a lake",
        "negative_prompt": "",
        "looks": ["ink"],
        "prompt_dialect": "compel",
        "emphasis": "no_norm",
        "clip_skip": 1,
        "guidance_scale": 3.0,
        "guidance_start": 0.1,
        "guidance_end": 0.9,
        "guidance_rescale": 0.2,
        "decoder": "full",
        "seed": 9,
        "num_images": 3,
        "keep_best": 0,
    }
    assert free.keys() == CHANGEABLE
    answer = client.post(f"/api/jobs/{origin}/branch", json={"step": 3, **free})
    assert answer.status_code == 202, answer.text
    asked = answer.json()["request"]
    assert {name: asked[name] for name in free} == free
    assert asked["branch_from"]["step"] == 3
    assert asked["branch_from"]["origin"]["prompt"].startswith("a lake, watercolour"), "what its looks made of it"


def test_a_branch_keeps_the_best_where_somebody_judges(guarded: Server) -> None:
    with guarded.client("anna") as anna:
        origin = generate(anna, steps=8, seed=5)
        asked = {"step": 3, "num_images": 4, "keep_best": 1}
        answer = anna.post(f"/api/jobs/{origin}/branch", json=asked)
        assert answer.status_code == 202, answer.text
        assert [image["kept"] for image in follow(anna, answer.json()["id"])[-1][2]["images"]].count(True) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"step": 3, "steps": 9}, "steps"),
        ({"step": 3, "width": 128}, "width"),
        ({"step": 3, "variation_strength": 0.5}, "variation_strength"),
        ({"step": 3, "seed": -2}, "seed"),
        ({"step": 3, "guidance_scale": 31}, "guidance_scale"),
        ({"step": 3, "looks": ["no such look"]}, "looks"),
        ({"step": 3, "num_images": 2, "keep_best": 3}, "keep_best"),
        ({"step": 0}, "step"),
        ({"step": "3"}, "step"),
        ({"step": 3, "image": -1}, "image"),
        ({}, "step"),
    ],
)
def test_a_branch_that_cannot_be_is_refused(client: httpx.Client, body: dict[str, Any], field: str) -> None:
    origin = generate(client, steps=8, seed=5)
    answer = client.post(f"/api/jobs/{origin}/branch", json=body)
    assert answer.status_code == 422, answer.text
    assert [item["loc"][1] for item in answer.json()["detail"]] == [field]


def test_nothing_branches_off_what_is_not_there(client: httpx.Client) -> None:
    answer = client.post("/api/jobs/gone/branch", json={"step": 3})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "job_not_found")
    assert answer.json()["error"]["message"] == "There is no such job."
