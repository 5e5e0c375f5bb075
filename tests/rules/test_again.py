"""The request that makes one picture again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from webui.errors import InvalidRequest
from webui.requests import Request
from webui.requests.diffusion import ResolvedPrompt, TextToImage, WalkEnd
from webui.requests.field_types import MAX_SEED
from webui.requests.style_transfer import StyleTransfer
from webui.rules.again import image_of, made_again

PICTURE = "sha256:" + "0" * 64
LAKE = TextToImage(prompt="a lake", seed=7, steps=20)
SEVERAL = replace(LAKE, num_images=4, keep_best=2)
WALK = replace(LAKE, num_images=5, walk_to=WalkEnd(prompt="a hill", seed=99))
VARIED = replace(LAKE, num_images=3, variation_seed=MAX_SEED, variation_strength=0.2)
STYLED = StyleTransfer(content_image=PICTURE, style_image=PICTURE, seed=3)


def test_one_of_several_keeps_its_place_and_its_prompts() -> None:
    prompts = tuple(ResolvedPrompt(prompt=f"{n} lakes") for n in range(4))
    asked = replace(SEVERAL, resolved_prompts=prompts, resolved_from="x")
    assert made_again(asked, 2) == replace(asked, only_image=2, keep_best=0)


@pytest.mark.parametrize("request_", [LAKE, STYLED])
def test_what_makes_one_picture_is_its_own_request(request_: Request) -> None:
    assert made_again(request_, 0) == request_


def test_made_again_twice_is_the_same() -> None:
    once = made_again(SEVERAL, 3)
    assert made_again(once, 3) == once


@pytest.mark.parametrize("image", [-1, 4])
def test_an_image_that_is_not_made_is_refused(image: int) -> None:
    with pytest.raises(InvalidRequest):
        made_again(SEVERAL, image)


@pytest.mark.parametrize(
    ("request_", "seed", "info", "image"),
    [
        (SEVERAL, 7, {}, 0),
        (SEVERAL, 10, {"rank": 1}, 3),
        (SEVERAL, 11, {}, None),
        (SEVERAL, 6, {}, None),
        (replace(SEVERAL, seed=MAX_SEED), 1, {}, 2),
        (replace(SEVERAL, seed=None), 1, {}, None),
        (replace(SEVERAL, seed=-1), 1, {}, None),
        (replace(SEVERAL, only_image=2, keep_best=0), 9, {}, 2),
        (replace(SEVERAL, only_image=9, keep_best=0), 9, {}, None),
        (WALK, 7, {"walked": 0.75}, 3),
        (WALK, 99, {"walked": 1}, 4),
        (WALK, 7, {"walked": "far"}, None),
        (WALK, 7, {"walked": float("nan")}, None),
        (WALK, 7, {}, None),
        (VARIED, 7, {"variation_seed": 1}, 2),
        (VARIED, 7, {"variation_seed": None}, None),
        (VARIED, 7, {}, None),
        (STYLED, 3, {}, 0),
    ],
)
def test_a_picture_says_which_image_it_is(
    request_: Request, seed: int, info: dict[str, Any], image: int | None
) -> None:
    assert image_of(request_, seed, info) == image
