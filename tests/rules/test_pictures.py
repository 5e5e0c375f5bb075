"""What a picture's settings can be together, what is refused, and what has nothing to say."""

from __future__ import annotations

from typing import Any

import pytest

from webui.checkpoints.families import FAMILIES
from webui.errors import InvalidRequest
from webui.requests import to_dict
from webui.requests.diffusion import ImageToImage
from webui.requests.field_types import SIDES
from webui.rules.evaluate import inactive_fields
from webui.rules.pictures import is_alike, resize_modes_for
from webui.rules.sampling import check, facts_of
from webui.rules.table import rules_of
from webui.texts import Texts

PICTURE = "sha256:" + "0f" * 32
RESOLVED: dict[str, Any] = {"init_image": PICTURE, "steps": 20, "seed": 1, "width": 512, "height": 512}


@pytest.mark.parametrize(
    ("family", "values", "field"),
    [
        ("LatentConsistencyModelPipeline", {"mask": PICTURE}, "mask"),
        ("LatentConsistencyModelPipeline", {"outpaint_top": 8}, "outpaint_top"),
        ("FluxPipeline", {"resize_mode": "latent_upscale"}, "resize_mode"),
        ("FluxPipeline", {"mask": PICTURE, "soft_inpainting": True}, "soft_inpainting"),
        ("FluxPipeline", {"mask": PICTURE, "masked_content": "fill"}, "masked_content"),
        ("sd15", {"outpaint_left": 1024, "outpaint_right": 520}, "outpaint_left"),
        ("sd15", {"outpaint_bottom": 1024, "height": 1032}, "outpaint_bottom"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(family: str, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check(ImageToImage(**RESOLVED | values), FAMILIES[family])
    assert caught.value.details["field"] == field
    assert f"reason.{caught.value.details['reason']}" in Texts().keys("en")


@pytest.mark.parametrize(
    ("family", "values"),
    [
        ("sd15", {"mask": PICTURE, "soft_inpainting": True, "masked_content": "latent_noise"}),
        ("sdxl", {"resize_mode": "latent_upscale", "outpaint_left": 1024, "outpaint_right": 512}),
        ("sd15", {"outpaint_left": 1024, "width": 2048, "inpaint_area": "only_masked"}),
        ("FluxPipeline", {"mask": PICTURE, "inpaint_area": "only_masked"}),
        ("AmusedPipeline", {"outpaint_left": 64}),
        ("LatentConsistencyModelPipeline", {"mask_blur": 9, "masked_content": "fill"}),  # which say nothing there
    ],
)
def test_what_goes_together_does(family: str, values: dict[str, Any]) -> None:
    check(ImageToImage(**RESOLVED | values), FAMILIES[family])


def reason(family: str, field: str, **values: Any) -> str | None:
    """Why a field has no say, as the page works it out."""
    request = ImageToImage(**RESOLVED | values)
    return inactive_fields(rules_of(ImageToImage), to_dict(request), facts_of(FAMILIES[family])).get(field)


def test_what_is_about_a_part_waits_for_one() -> None:
    for field in ("mask_blur", "masked_content", "inpaint_area", "soft_inpainting", "mask_mode", "inpaint_padding"):
        assert reason("sd15", field) == "nothing_masked"
    for field in ("mask_blur", "masked_content", "inpaint_area", "soft_inpainting", "mask_mode"):
        assert reason("sd15", field, mask=PICTURE) is None
    assert reason("sd15", "mask_blur", outpaint_top=64) is None
    assert reason("sd15", "mask_mode", outpaint_top=64) == "nothing_masked"


def test_what_has_no_say_beside_the_others() -> None:
    masked = {"mask": PICTURE}
    assert reason("sd15", "denoising_strength", outpaint_left=64) == "from_noise"
    assert reason("sd15", "denoising_strength", outpaint_left=64, **masked) is None
    assert reason("sd15", "masked_content", outpaint_left=64) == "from_noise"
    assert reason("sd15", "masked_content", denoising_strength=1.0, **masked) == "full_strength"
    assert reason("sd15", "inpaint_padding", **masked) == "whole_picture"
    assert reason("sd15", "inpaint_padding", inpaint_area="only_masked", **masked) is None
    assert reason("sd15", "resize_mode", inpaint_area="only_masked", **masked) == "own_size"
    assert reason("sd15", "resize_mode", inpaint_area="only_masked") is None


def test_families_have_what_they_can() -> None:
    assert reason("FluxPipeline", "masked_content", mask=PICTURE) == "only_unet"
    assert reason("FluxPipeline", "mask") is None
    for field in ("mask", *SIDES):
        assert reason("LatentConsistencyModelPipeline", field, mask=PICTURE, outpaint_left=8) == "no_inpainting"
    assert "latent_upscale" in resize_modes_for(FAMILIES["sdxl"])
    assert "latent_upscale" not in resize_modes_for(FAMILIES["FluxPipeline"])


@pytest.mark.parametrize("picture", [(4000, 3000), (333, 77), (64, 64), (1, 900)])
def test_a_smaller_copy_of_a_picture_is_alike_and_another_shape_is_not(picture: tuple[int, int]) -> None:
    for share in (1.0, 0.51, 0.173, 2.0):
        assert is_alike((max(1, round(picture[0] * share)), max(1, round(picture[1] * share))), picture)
    if min(picture) > 70:
        assert not is_alike((picture[1], picture[0]), picture)
        assert not is_alike((picture[0], picture[1] // 2), picture)
