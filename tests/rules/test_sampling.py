"""What cannot go together is refused with the name of the field and a reason that has a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from webui.checkpoints.families import FAMILIES
from webui.errors import InvalidRequest
from webui.requests import REQUESTS, to_dict
from webui.requests.diffusion import TextToImage, WalkEnd
from webui.rules.evaluate import inactive_fields
from webui.rules.sampling import check, facts_of, schedulers_for, sigmas_for
from webui.rules.table import rules_of
from webui.schedulers import SCHEDULERS, SIGMAS
from webui.texts import Texts

RESOLVED: dict[str, Any] = {"scheduler": "dpmpp_2m", "sigmas": "karras", "steps": 20, "guidance_scale": 7.0, "seed": 1}
FLOW: dict[str, Any] = {"scheduler": "euler", "sigmas": "default"}


@pytest.mark.parametrize(
    ("family", "values", "field"),
    [
        ("sd15", {"scheduler": "ddim"}, "sigmas"),
        ("FluxPipeline", {"scheduler": "euler", "sigmas": "ays"}, "sigmas"),
        ("sd15", {"eta": 0.5}, "eta"),
        ("sd15", {"scheduler": "unmasking", "sigmas": "default"}, "scheduler"),
        ("sd15", {"scheduler": "scm", "sigmas": "default"}, "scheduler"),
        ("SanaSprintPipeline", {"scheduler": "euler", "sigmas": "default"}, "scheduler"),
        ("AmusedPipeline", FLOW, "scheduler"),
        ("FluxPipeline", FLOW | {"scheduler": "heun"}, "scheduler"),
        ("SanaPipeline", FLOW | {"scheduler": "ddim"}, "scheduler"),
        ("SanaPipeline", FLOW | {"scheduler": "unipc", "sigmas": "karras"}, "sigmas"),
        ("FluxPipeline", FLOW | {"negative_prompt": "blur"}, "negative_prompt"),
        ("sd15", {"guidance_start": 0.5, "guidance_end": 0.5}, "guidance_start"),
        ("sd15", {"walk_to": WalkEnd(seed=1)}, "walk_to"),
        ("sd15", {"walk_to": WalkEnd(seed=1, variation_strength=0.5), "num_images": 2}, "walk_to"),
        ("FluxPipeline", FLOW | {"walk_to": WalkEnd(seed=1), "num_images": 2}, "walk_to"),
        ("FluxPipeline", FLOW | {"tiling": "x"}, "tiling"),
        ("FluxPipeline", FLOW | {"clip_skip": 2}, "clip_skip"),
        ("FluxPipeline", FLOW | {"guidance_end": 0.5}, "guidance_end"),
        ("FluxPipeline", FLOW | {"guidance_rescale": 0.5}, "guidance_rescale"),
        ("FluxPipeline", FLOW | {"variation_strength": 0.5}, "variation_strength"),
    ],
)
def test_what_cannot_be_is_refused(family: str, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check(TextToImage(**RESOLVED | values), FAMILIES[family])
    assert caught.value.details["field"] == field
    assert f"reason.{caught.value.details['reason']}" in Texts().keys("en")


@pytest.mark.parametrize(
    ("family", "values"),
    [
        ("sd15", {}),
        ("sd2", {"sigmas": "ays"}),
        ("sdxl", {"scheduler": "euler_a", "sigmas": "ays", "eta": 0.5}),
        ("sd15", {"scheduler": "ddim", "sigmas": "default", "eta": 1.0}),
        ("sd15", {"walk_to": WalkEnd(seed=1), "num_images": 2, "tiling": "both", "clip_skip": 2}),
        ("sd15", {"scheduler": "euler_a", "walk_to": WalkEnd(seed=1), "num_images": 2}),
        ("FluxPipeline", FLOW),
    ],
)
def test_what_can_be_is_let_through(family: str, values: dict[str, Any]) -> None:
    check(TextToImage(**RESOLVED | values), FAMILIES[family])


def test_the_table_of_sigmas() -> None:
    for known in SCHEDULERS:
        assert (known.id in schedulers_for(FAMILIES["sd15"])) == (not known.is_own)
        assert sigmas_for(known.id, FAMILIES["sd15"]) == (SIGMAS if known.has_sigmas else ("default",))
    assert "ays" not in sigmas_for("euler", FAMILIES["FluxPipeline"])


# A value that is not the field's own default, for each that the page may grey out.
OTHER_VALUES: dict[str, Any] = {
    "negative_prompt": "fog", "eta": 0.5, "clip_skip": 2, "variation_strength": 0.5, "guidance_rescale": 0.5,
    "guidance_start": 0.5, "guidance_end": 0.5, "tiling": "x", "emphasis": "no_norm", "prompt_dialect": "compel",
    "vae": "vae/sharp",
}  # fmt: skip


def is_inactive(field: str, request: TextToImage, family: str) -> bool:
    return field in inactive_fields(rules_of(TextToImage), to_dict(request), facts_of(FAMILIES[family]))


def refused_field(request: TextToImage, family: str) -> str | None:
    try:
        check(request, FAMILIES[family])
    except InvalidRequest as error:
        return str(error.details["field"])
    return None


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_refused_is_said_ahead(family: str) -> None:
    for scheduler in schedulers_for(FAMILIES[family]):
        plain = TextToImage(**RESOLVED | {"scheduler": scheduler, "sigmas": "default"})
        assert refused_field(plain, family) is None
        for field, value in OTHER_VALUES.items():
            request = TextToImage(**RESOLVED | {"scheduler": scheduler, "sigmas": "default", field: value})
            if refused_field(request, family) is not None:
                assert refused_field(request, family) == field
                assert is_inactive(field, plain, family), (scheduler, field)


@pytest.mark.parametrize("family", FAMILIES)
def test_sigmas_that_are_offered_are_taken_and_a_single_choice_is_none(family: str) -> None:
    for scheduler in schedulers_for(FAMILIES[family]):
        offered = sigmas_for(scheduler, FAMILIES[family])
        requests = [TextToImage(**RESOLVED | {"scheduler": scheduler, "sigmas": sigmas}) for sigmas in SIGMAS]
        taken = {request.sigmas for request in requests if refused_field(request, family) is None}
        assert taken == set(offered)
        assert is_inactive("sigmas", requests[0], family) == (len(offered) == 1)
    only_one = len(schedulers_for(FAMILIES[family])) == 1
    assert is_inactive("scheduler", requests[0], family) == only_one


def test_every_reason_has_a_sentence() -> None:
    reasons = {f"reason.{rule.reason}" for request in REQUESTS.values() for rule in rules_of(request)}
    assert reasons <= Texts().keys("en")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("eta", {"scheduler": "euler"}),
        ("sigmas", {"scheduler": "ddim", "sigmas": "default"}),
        ("variation_seed", {"variation_strength": 0.0}),
        ("guidance_rescale", {"guidance_scale": 1.0}),
        ("emphasis", {"prompt_dialect": "compel"}),
    ],
)
def test_inactive_beside_another_setting_and_active_without_it(field: str, values: dict[str, Any]) -> None:
    active = {"scheduler": "euler_a", "variation_strength": 0.5, "guidance_scale": 7.0, "prompt_dialect": "a1111"}
    assert not is_inactive(field, TextToImage(**RESOLVED | active), "sd15")
    assert is_inactive(field, TextToImage(**RESOLVED | active | values), "sd15")


def test_more_layers_than_there_are_cannot_be_skipped() -> None:
    check(TextToImage(**RESOLVED | {"clip_skip": 3}), FAMILIES["sd15"], clip_layers=3)
    with pytest.raises(InvalidRequest) as caught:
        check(TextToImage(**RESOLVED | {"clip_skip": 4}), FAMILIES["sd15"], clip_layers=3)
    assert caught.value.details == {"field": "clip_skip", "reason": "clip_skip_too_deep"}
