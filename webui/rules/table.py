"""The rules between several fields of a request, as data; rules about a single field are in its declaration.

The tables are applied in the order below, and within each the first rule that refuses gives the reason. Knows no family
and no evaluator.
"""

from __future__ import annotations

from webui.capabilities import Capability, reason_without
from webui.requests.diffusion import ImageToImage
from webui.requests.field_rules import (
    Rule,
    about,
    above,
    all_of,
    any_of,
    at_least,
    at_most,
    error,
    inactive,
    is_set,
    lacks,
    negated,
    not_offered,
    offers_only,
    one_choice,
    one_of,
    refused,
)
from webui.requests.field_types import SIDES
from webui.requests.fields import declared_rules, needs_of
from webui.requests.style_transfer import StyleTransfer
from webui.rules.pictures import MAX_DRAWN, OF_A_PART
from webui.schedulers import SCHEDULERS

LARGEST_INSTANT = 2048  # pixels: the network sees the picture as a whole

_WITHOUT_SIGMAS = tuple(known.id for known in SCHEDULERS if not known.has_sigmas)
_WITHOUT_ETA = tuple(known.id for known in SCHEDULERS if known.eta is None)
_ANY_NOISE = offers_only("scheduler", *(known.id for known in SCHEDULERS if not known.is_own))
_FLOW_EULER = offers_only("scheduler", "euler")
_OWN = tuple(known.id for known in SCHEDULERS if known.is_own)
_OTHER_SCHEDULER = not_offered("scheduler")
SCHEDULING = (
    *about(
        "scheduler",
        *(inactive(f"needs_{own}", offers_only("scheduler", own)) for own in _OWN),
        inactive("flow_needs_euler", _FLOW_EULER),
        *(error(f"needs_{own}", _OTHER_SCHEDULER, offers_only("scheduler", own)) for own in _OWN),
        error("flow_needs_euler", _OTHER_SCHEDULER, _FLOW_EULER),
        *(error(f"{own}_not_here", _OTHER_SCHEDULER, _ANY_NOISE, one_of("scheduler", own)) for own in _OWN),
        error("flow_needs_multistep", _OTHER_SCHEDULER),
    ),
    *about(
        "sigmas",
        inactive("scheduler_without_sigmas", one_choice("sigmas", "scheduler")),
        error(
            "no_aligned_steps",
            not_offered("sigmas", "scheduler"),
            one_of("sigmas", "ays"),
            negated(one_of("scheduler", *_WITHOUT_SIGMAS)),
        ),
        error("scheduler_without_sigmas", not_offered("sigmas", "scheduler")),
    ),
    *about("eta", refused("scheduler_without_eta", one_of("scheduler", *_WITHOUT_ETA))),
)
TOGETHER = (
    *about("clip_skip", error("clip_skip_too_deep", above("clip_skip", "clip_layers"))),
    *about("guidance_start", error("guidance_interval_empty", at_least("guidance_start", "guidance_end"))),
    *about(
        "keep_best",
        error("keeps_all", above("keep_best", ("num_images", -1)), limit=("num_images", -1)),
        error("walk_keeps_all", is_set("keep_best"), is_set("walk_to")),
    ),
    *about(
        "walk_to",
        error("walk_too_short", is_set("walk_to"), at_most("num_images", 1)),
        error("seed_open", above("walk_to.variation_strength", 0), negated(at_least("walk_to.variation_seed", 0))),
    ),
)
STEPS = (
    *about("only_image", error("no_such_image", at_least("only_image", "num_images"))),
    *about("keep_best", error("one_is_no_choice", is_set("keep_best"), at_least("only_image", 0))),
)
BRANCHES = (
    *about("variation_strength", refused("branch_without_variation", is_set("branch_from"))),
    *about("walk_to", refused("branch_without_walk", is_set("branch_from"))),
)
_IS_A_PART = is_set("mask", *SIDES)
_TOO_LARGE = all_of(
    negated(one_of("inpaint_area", "only_masked")),
    is_set("width"),
    is_set("height"),
    any_of(
        above(("width", "outpaint_left", "outpaint_right"), MAX_DRAWN),
        above(("height", "outpaint_top", "outpaint_bottom"), MAX_DRAWN),
    ),
)
PICTURES = (
    *about("resize_mode", error(reason_without(Capability.LATENT_UPSCALE), not_offered("resize_mode"))),
    *(
        rule
        for name in OF_A_PART
        for capability in needs_of(ImageToImage)[name].capabilities
        if capability is not Capability.INPAINTING  # without which neither mask nor sides come this far
        for rule in about(name, refused(reason_without(capability), lacks(capability), _IS_A_PART))
    ),
    *(
        rule
        for side in SIDES
        for rule in about(side, error("outpaint_too_large", is_set(side), _TOO_LARGE, limit=MAX_DRAWN))
    ),
)
STYLES = (
    *about(
        "size",
        error("instant_size", one_of("method", "instant"), above("size", LARGEST_INSTANT), limit=LARGEST_INSTANT),
    ),
    *about("style_image_weight", error("no_style_counts", at_most(("style_image_weight", "style_images.weight"), 0))),
    *about("stop_after", error("no_such_step", above("stop_after", "iterations"), limit="iterations")),
)


def rules_of(request: type) -> tuple[Rule, ...]:
    """All rules about a request's own fields, in the order in which they are applied."""
    if request is StyleTransfer:
        return (*declared_rules(request), *STYLES)
    everything = (*SCHEDULING, *declared_rules(request), *TOGETHER, *STEPS, *BRANCHES, *PICTURES)
    return tuple(rule for rule in everything if rule.field in request.__dataclass_fields__)  # type: ignore[attr-defined]
