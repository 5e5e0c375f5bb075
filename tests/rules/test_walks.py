"""What a walk between two pictures asks for."""

from __future__ import annotations

import dataclasses

import pytest

from webui.errors import InvalidRequest
from webui.requests.diffusion import ResolvedPrompt, TextToImage, WalkEnd
from webui.requests.field_types import MAX_SEED
from webui.rules.walks import Image, walk_between

LAKE = TextToImage(prompt="a lake", negative_prompt="fog", seed=5, width=512, height=512, steps=20, num_images=2)
CITY = TextToImage(prompt="a city", seed=MAX_SEED, width=512, height=512, steps=20, num_images=4)


def test_a_walk_takes_each_images_own_seed_and_the_prompts_of_both() -> None:
    walk = walk_between(Image(request=LAKE, index=1), Image(request=CITY, index=3), 9)
    assert walk.differences == ()
    assert (walk.request.prompt, walk.request.negative_prompt, walk.request.seed) == ("a lake", "fog", 6)
    assert walk.request.walk_to == WalkEnd(prompt="a city", seed=2)
    assert walk.request.num_images == 9


def test_settings_of_the_second_picture_that_are_lost_are_named() -> None:
    other = dataclasses.replace(CITY, steps=30, scheduler="euler", width=768)
    walk = walk_between(Image(request=LAKE, index=0), Image(request=other, index=0), 3)
    assert walk.differences == ("scheduler", "steps", "width")
    assert (walk.request.scheduler, walk.request.steps, walk.request.width) == (LAKE.scheduler, 20, 512)


def test_wildcards_stay_what_they_became() -> None:
    settled = tuple(ResolvedPrompt(prompt=f"a {colour} lake") for colour in ("red", "blue"))
    template = dataclasses.replace(LAKE, prompt="a {red|blue} lake", resolved_prompts=settled)
    walk = walk_between(Image(request=CITY, index=0), Image(request=template, index=1), 2)
    assert walk.request.walk_to is not None
    assert walk.request.walk_to.prompt == "a blue lake"
    back = walk_between(Image(request=template, index=0), Image(request=CITY, index=0), 2)
    assert (back.request.prompt, back.request.resolved_prompts) == ("a red lake", None)


def test_variations_are_ends_as_they_were_varied() -> None:
    varied = dataclasses.replace(LAKE, variation_seed=70, variation_strength=0.2, num_images=4)
    walk = walk_between(Image(request=varied, index=3), Image(request=varied, index=0), 5)
    assert (walk.request.seed, walk.request.variation_seed, walk.request.variation_strength) == (5, 73, 0.2)
    assert walk.request.walk_to == WalkEnd(
        prompt="a lake", negative_prompt="fog", seed=5, variation_seed=70, variation_strength=0.2
    )


def test_the_ends_of_a_walk_are_pictures_like_others_but_not_its_middle() -> None:
    walked = dataclasses.replace(LAKE, walk_to=WalkEnd(prompt="a city", seed=9), num_images=5)
    city = Image(request=CITY, index=0)
    assert walk_between(Image(request=walked, index=4), city, 2).request.seed == 9
    assert walk_between(Image(request=walked, index=0), city, 2).request.seed == 5
    with pytest.raises(InvalidRequest) as caught:
        walk_between(Image(request=walked, index=2), city, 2)
    assert caught.value.details["reason"] == "walk_from_its_middle"
