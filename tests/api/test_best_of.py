"""Best of several over HTTP: who can judge, what is refused, what the pictures say, and keeping one later."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from tests.api.conftest import Server, follow, generate
from tests.judged_models import CRITIC

BEST = {"prompt": "a lake scores=0.1,0.4,0.2,0.3 delay=0", "num_images": 4, "keep_best": 2, "steps": 1}


@pytest.fixture
def anna(guarded: Server) -> Iterator[httpx.Client]:
    with guarded.client("anna") as client:
        yield client


def test_the_best_are_kept_and_the_rest_is_there_too(anna: httpx.Client) -> None:
    assert anna.get("/api/checkpoints").json()[0]["critic"] == CRITIC
    job = generate(anna, **BEST)
    events = follow(anna, job)
    assert [data["image"] for _, name, data in events if name == "step" and data["phase"] == "score"] == [0, 1, 2, 3]
    images = events[-1][2]["images"]
    assert [(image["score"], image["rank"], image["kept"]) for image in images] == [
        (0.1, 4, False),
        (0.4, 1, True),
        (0.2, 3, False),
        (0.3, 2, True),
    ]
    assert anna.get(f"/api/jobs/{job}").json()["images"] == images
    gallery = {picture["id"]: picture for picture in anna.get("/api/gallery").json()["pictures"]}
    for image in images:
        assert image.items() <= gallery[image["id"]].items()
        with Image.open(io.BytesIO(anna.get(image["url"]).content)) as picture:
            info = json.loads(picture.text["darkroom"])["info"]  # type: ignore[attr-defined]
        assert {name: info[name] for name in ("score", "rank", "kept", "critic")} == {
            name: image[name] for name in ("score", "rank", "kept", "critic")
        }


def test_one_more_is_kept_and_put_back(anna: httpx.Client, guarded: Server) -> None:
    job = generate(anna, **BEST)
    images = follow(anna, job)[-1][2]["images"]
    third = images[2]["id"]

    def kept() -> tuple[list[bool], ...]:
        one = anna.get(f"/api/jobs/{job}").json()["images"]
        listed = next(found["images"] for found in anna.get("/api/jobs").json() if found["id"] == job)
        gallery = {picture["id"]: picture["kept"] for picture in anna.get("/api/gallery").json()["pictures"]}
        return ([i["kept"] for i in one], [i["kept"] for i in listed], [gallery[i["id"]] for i in images])

    for _ in range(2):
        answer = anna.post(f"/api/images/{third}/keep")
        assert (answer.status_code, answer.json()) == (202, {"id": third, "kept": True})
        assert kept() == ([False, True, True, True],) * 3
    with guarded.client("ben") as ben:
        for method in ("POST", "DELETE"):
            refused = ben.request(method, f"/api/images/{third}/keep")
            assert (refused.status_code, refused.json()["error"]["kind"]) == (404, "picture_not_found")
    assert anna.delete(f"/api/images/{third}/keep").json() == {"id": third, "kept": False}
    assert kept() == ([False, True, False, True],) * 3


def test_what_nobody_judged_is_kept(anna: httpx.Client) -> None:
    (image,) = follow(anna, generate(anna, prompt="x delay=0", steps=1))[-1][2]["images"]
    assert (image["score"], image["rank"], image["critic"], image["kept"]) == (None, None, None, True)
    assert anna.delete(f"/api/images/{image['id']}/keep").json()["kept"] is True


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"keep_best": 4}, "smaller than the number of images: 3 at most"),
        ({"keep_best": 1, "num_images": 1}, "or 0 to keep all"),
        ({"prompt": ", # a lake"}, "no words that a picture could match"),
        ({"walk_to": {"prompt": "a hill", "seed": 7}}, "belong together"),
        ({"keep_best": 17}, "less than or equal to 16"),
        ({"keep_best": True}, "valid integer"),
    ],
)
def test_what_means_nothing_is_refused(anna: httpx.Client, changes: dict[str, object], sentence: str) -> None:
    answer = anna.post("/api/text-to-image", json=BEST | changes)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"][0]["loc"] == ["body", "keep_best"]
    assert sentence in answer.json()["detail"][0]["msg"]


def test_without_a_critic_it_is_refused_and_says_what_goes_where(anna: httpx.Client, guarded: Server) -> None:
    before = anna.get("/api/jobs").json()
    away = guarded.models_dir / "elsewhere"
    shutil.move(guarded.models_dir / CRITIC, away)
    try:
        assert anna.get("/api/checkpoints").json()[0]["critic"] is None
        answer = anna.post("/api/text-to-image", json=BEST)
        assert answer.status_code == 409
        error = answer.json()["error"]
        assert (error["kind"], "models/clip/" in error["hint"]) == ("critic_missing", True)
        chinese = anna.post("/api/text-to-image", json=BEST, headers={"Accept-Language": "zh-CN"})
        assert "评判模型" in chinese.json()["error"]["message"]
        assert anna.get("/api/jobs").json() == before
        generate(anna, prompt="x", keep_best=0, num_images=2, steps=1)
    finally:
        shutil.move(away, guarded.models_dir / CRITIC)
