"""Requests for a step and for a branch, made of the request of a job."""

from __future__ import annotations

import pytest

from webui.capabilities import Capability
from webui.errors import InvalidRequest
from webui.requests.diffusion import MAX_BRANCHES, ImageToImage, ResolvedPrompt, TextToImage, WalkEnd
from webui.requests.field_types import MAX_SEED
from webui.requests.style_transfer import StyleTransfer
from webui.rules.branches import branched, can_branch, count_steps, digest_of, image_alone, seed_alone, step_kept

LAKE = TextToImage(prompt="a lake", seed=MAX_SEED, width=64, height=64, steps=20, num_images=3, checkpoint="x")
WALK = TextToImage(prompt="a", seed=3, walk_to=WalkEnd(prompt="b", seed=9), num_images=4, steps=10)


def test_an_image_alone_keeps_its_place_and_so_its_seed() -> None:
    alone = image_alone(LAKE, 2)
    assert (alone.only_image, alone.num_images, alone.seed, seed_alone(alone)) == (2, 3, MAX_SEED, 1)
    assert image_alone(alone, 0) == alone
    assert digest_of(alone) == digest_of(step_kept(LAKE, 2, 5))  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest):
        image_alone(alone, 1)


def test_wildcards_stay_what_they_became() -> None:
    settled = tuple(ResolvedPrompt(prompt=f"a {colour} lake") for colour in ("red", "blue"))
    template = TextToImage(prompt="a {red|blue} lake", resolved_prompts=settled, seed=1, num_images=2)
    assert (image_alone(template, 1).prompt, image_alone(template, 1).resolved_prompts) == ("a blue lake", None)


def test_the_seeds_of_a_walk_are_those_of_its_ends() -> None:
    assert [seed_alone(image_alone(WALK, image)) for image in range(4)] == [3, 3, 3, 9]


def test_a_branch_is_one_plain_image_with_its_origin_whole() -> None:
    branch = branched(WALK, 3, 4, {"prompt": "c"})
    assert (branch.prompt, branch.seed, branch.num_images, branch.only_image, branch.walk_to) == ("c", 9, 1, None, None)  # type: ignore[union-attr]
    assert branch.branch_from is not None  # type: ignore[union-attr]
    assert branch.branch_from.origin == image_alone(WALK, 3)  # type: ignore[union-attr]
    with pytest.raises(TypeError):
        branched(WALK, 3, 4, {"steps": 30})


def test_branches_come_off_one_another_so_far_and_no_further() -> None:
    request = LAKE
    for _ in range(MAX_BRANCHES):
        request = branched(request, 0, 4, {})  # type: ignore[assignment]
    with pytest.raises(InvalidRequest) as caught:
        branched(request, 0, 4, {})
    assert caught.value.details["reason"] == "branch_too_deep"


def test_a_job_may_branch_where_its_checkpoint_can_and_it_has_not_too_often() -> None:
    able, unable = [Capability.BRANCHES], [Capability.WALKS]
    request = TextToImage(prompt="a lake", seed=7, steps=20)
    for step in range(MAX_BRANCHES):
        assert (can_branch(request, able), can_branch(request, unable)) == (True, False), step
        request = branched(request, 0, 1, {"seed": step})
    assert not can_branch(request, able)
    picture = "sha256:" + "0" * 64
    assert not can_branch(StyleTransfer(content_image=picture, style_image=picture), able)


def test_steps_are_those_that_run() -> None:
    over = ImageToImage(init_image="sha256:" + "0" * 64, denoising_strength=0.3, steps=10)
    assert count_steps(over) == 3
    assert count_steps(LAKE) == 20
    with pytest.raises(InvalidRequest):
        step_kept(over, 0, 4)
    with pytest.raises(InvalidRequest):
        branched(over, 0, 3, {})
