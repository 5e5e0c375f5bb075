"""What a field needs of a checkpoint is said in its declaration, and rules follow from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webui.capabilities import Capability, reason_without
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.family import Family
from webui.errors import InvalidRequest
from webui.requests import REQUESTS, to_dict
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.requests.field_types import Scope
from webui.requests.fields import fields_in, needs_of
from webui.rules.evaluate import inactive_fields
from webui.rules.sampling import check, facts_of
from webui.rules.table import rules_of

PICTURE = "sha256:" + "0" * 64
SETTLED = {"scheduler": "euler", "sigmas": "default", "steps": 4, "guidance_scale": 5.0, "seed": 1}
OTHER = {"negative_prompt": "fog", "tiling": "x", "clip_skip": 2, "guidance_start": 0.1, "guidance_end": 0.9,
         "guidance_rescale": 0.5, "variation_strength": 0.5, "mask": PICTURE, "outpaint_left": 8, "outpaint_right": 8,
         "outpaint_top": 8, "outpaint_bottom": 8}  # fmt: skip


def family_without(capability: Capability) -> Family:
    return replace(FAMILIES["sd15"], capabilities=frozenset(Capability) - {capability})


def inactive(request: TextToImage | ImageToImage, family: Family) -> dict[str, str]:
    return inactive_fields(rules_of(type(request)), to_dict(request), facts_of(family))


def test_every_capability_is_needed_by_a_field_or_a_choice() -> None:
    needed = {one for request in REQUESTS.values() for need in needs_of(request).values() for one in need.capabilities}
    # one of the resize modes, and what flows have to be shifted
    assert frozenset(Capability) - needed <= {Capability.LATENT_UPSCALE, Capability.FLOW}


@pytest.mark.parametrize("field", OTHER)
def test_what_a_family_lacks_is_refused_and_said_beforehand(field: str) -> None:
    (capability,) = needs_of(ImageToImage)[field].capabilities
    request = ImageToImage(init_image=PICTURE, variation_seed=1, **(SETTLED | {field: OTHER[field]}))
    check(request, FAMILIES["sd15"])
    with pytest.raises(InvalidRequest) as caught:
        check(request, family_without(capability))
    assert caught.value.details == {"field": field, "reason": reason_without(capability)}
    plain = ImageToImage(init_image=PICTURE, **SETTLED)
    assert inactive(plain, family_without(capability))[field] == reason_without(capability)


def test_what_is_let_be_is_inactive_and_no_error() -> None:
    family = family_without(Capability.PROMPT_SYNTAX)
    request = TextToImage(emphasis="no_norm", **SETTLED)
    check(request, family)
    assert {field for field, reason in inactive(request, family).items() if reason == "prompts_as_they_stand"} == {
        "prompt_dialect", "emphasis",
    }  # fmt: skip


def test_a_part_of_a_picture_needs_more_than_a_mask() -> None:
    family = family_without(Capability.SOFT_INPAINTING)
    asked = {"init_image": PICTURE, "soft_inpainting": True, **SETTLED}
    check(ImageToImage(**asked), family)  # nothing is masked: it says nothing
    with pytest.raises(InvalidRequest) as caught:
        check(ImageToImage(mask=PICTURE, **asked), family)
    assert caught.value.details["field"] == "soft_inpainting"


OF_PIPELINES = {Capability.INPAINTING, Capability.NEGATIVE_PROMPT, Capability.FLOW, Capability.EXACT_START}


def test_families_that_run_through_pipelines_can_what_those_take() -> None:
    for family in FAMILIES.values():
        if family.adapter is not None:
            assert family.capabilities <= OF_PIPELINES, family.id
            assert (Capability.EXACT_START in family.capabilities) == (
                Capability.FLOW in family.capabilities and family.image_pipeline is not None
            ), family.id
            assert (Capability.INPAINTING in family.capabilities) == (family.inpaint_pipeline is not None), family.id
    without = {family.id for family in FAMILIES.values() if Capability.NEGATIVE_PROMPT not in family.capabilities}
    assert without == {
        "FluxPipeline", "Flux2Pipeline", "Flux2KleinPipeline", "LatentConsistencyModelPipeline", "SanaSprintPipeline",
    }  # fmt: skip
    assert all(FAMILIES[id].capabilities == frozenset(Capability) - {Capability.FLOW} for id in ("sd15", "sd2", "sdxl"))


def test_what_branches_and_walks_may_differ_in_is_declared_with_the_field() -> None:
    of_an_image = {
        "prompt", "negative_prompt", "resolved_prompts", "seed", "variation_seed", "variation_strength", "num_images",
        "keep_best", "walk_to", "schema_version", "only_image", "looks", "look_texts", "resolved_from",
    }  # fmt: skip
    told = {"prompt_dialect", "emphasis", "clip_skip", "guidance_scale", "guidance_start", "guidance_end",
            "guidance_rescale", "stop_after", "branch_from", "decoder"}  # fmt: skip
    assert fields_in(TextToImage, Scope.IMAGE) == of_an_image
    assert fields_in(TextToImage, Scope.IMAGE, Scope.BRANCH) == of_an_image | told
    assert fields_in(ImageToImage, Scope.IMAGE, Scope.BRANCH) == (of_an_image | told) - {"walk_to"}
