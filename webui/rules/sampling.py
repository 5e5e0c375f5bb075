"""Which settings of a diffusion can go together: what a family or a scheduler cannot do is refused, never ignored.

Asked twice: when a request is submitted, so that nobody waits for a refusal, and by the engine, which trusts nobody.
`inactive_settings` says the same ahead of time, as data, so that the page does not offer what would be refused.
Knows no torch: what the classes behind the names can do is declared in `schedulers` and `families`, and tests hold
both to the classes.
"""

from __future__ import annotations

from webui.capabilities import reason_without
from webui.checkpoints.families import FLOW_SIGMAS, FLOW_SOLVERS, Family
from webui.errors import InvalidRequest
from webui.request_fields import needs_of
from webui.requests import Diffusion, ImageToImage, TextToImage
from webui.rules.branches import check_steps
from webui.rules.inactive_settings import InactiveSetting
from webui.rules.pictures import check_picture, inactive_for_pictures, refuse_what_it_lacks
from webui.schedulers import RANGED_SIGMAS, SCHEDULERS, SIGMAS, has_sigmas, scheduler_named

NO_GUIDANCE = 1.0  # a guidance scale up to this follows the prompt alone
_OF_GUIDANCE = ("guidance_rescale", "guidance_start", "guidance_end")
_WITHOUT_CONTROL = ("branch_from",)
_WITHOUT_RANGE = tuple(name for name in SIGMAS if name not in RANGED_SIGMAS)


def schedulers_for(family: Family) -> tuple[str, ...]:
    """The schedulers that checkpoints of `family` can be followed by, in the order of the control.

    A folder may bring a noise of its own that leaves fewer of them; then the engine says so.
    """
    if family.schedulers is not None:
        return family.schedulers
    return tuple(known.id for known in SCHEDULERS if known.id != "unmasking")


def sigmas_for(scheduler: str, family: Family) -> tuple[str, ...]:
    """The sigmas that `scheduler` can run on with checkpoints of `family`, in the order of the control."""
    if not has_sigmas(scheduler):
        return ("default",)
    if scheduler in FLOW_SOLVERS and family.schedulers is not None:
        return ("default",)
    if family.schedulers is not None:
        return FLOW_SIGMAS
    return tuple(name for name in SIGMAS if name != "ays" or family.align_your_steps is not None)


def inactive_settings(family: Family) -> tuple[InactiveSetting, ...]:
    """What does nothing with checkpoints of `family`, and when. The first that fits a field is the reason to give."""
    schedulers = schedulers_for(family)
    without_sigmas = tuple(name for name in schedulers if len(sigmas_for(name, family)) == 1)
    without_eta = tuple(name for name in schedulers if scheduler_named(name).eta is None)
    without_range = tuple(known.id for known in SCHEDULERS if not known.has_range)
    found = [InactiveSetting(field="scheduler", reason=_why_not(family))] if len(schedulers) == 1 else []
    found.append(InactiveSetting(field="sigmas", reason="scheduler_without_sigmas", when={"scheduler": without_sigmas}))
    found += [
        InactiveSetting(field=name, reason=reason_without(lacking))
        for name, needed in needs_of(ImageToImage).items()
        if name not in _WITHOUT_CONTROL and (lacking := family.lacks(needed))
    ]
    return (
        *found,
        InactiveSetting(field="sigma_range", reason="sigmas_without_range", when={"sigmas": _WITHOUT_RANGE}),
        InactiveSetting(field="sigma_range", reason="scheduler_without_range", when={"scheduler": without_range}),
        InactiveSetting(field="variation_seed", reason="variation_off", at_most={"variation_strength": 0.0}),
        *(
            InactiveSetting(field=name, reason="guidance_off", at_most={"guidance_scale": NO_GUIDANCE})
            for name in _OF_GUIDANCE
        ),
        InactiveSetting(field="eta", reason="scheduler_without_eta", when={"scheduler": without_eta}),
        InactiveSetting(field="emphasis", reason="emphasis_of_a1111", when={"prompt_dialect": ("compel",)}),
        *inactive_for_pictures(),
    )


def check(request: Diffusion, family: Family, clip_layers: int | None = None) -> None:
    """Raises InvalidRequest for a resolved request whose settings contradict each other or the family.

    `clip_layers`: how many the checkpoint's text encoder has, where that is known.
    """
    _check_scheduler(request, family)
    refused = [name for name, needed in needs_of(type(request)).items() if needed.is_refused]
    refuse_what_it_lacks(request, family, refused)
    if clip_layers is not None and request.clip_skip > clip_layers:
        raise InvalidRequest(field="clip_skip", reason="clip_skip_too_deep")
    if request.guidance_start >= request.guidance_end:
        raise InvalidRequest(field="guidance_start", reason="guidance_interval_empty")
    if request.keep_best:
        _check_best(request)
    if isinstance(request, TextToImage) and request.walk_to is not None:
        _check_walk(request)
    check_steps(request)
    if isinstance(request, ImageToImage):
        check_picture(request, family)


def _why_not(family: Family) -> str:
    match family.schedulers:
        case None:
            return "unmasking_not_here"
        case ("unmasking",):
            return "needs_unmasking"
        case ("euler",):
            return "flow_needs_euler"
        case _:
            return "flow_needs_multistep"


def _check_best(request: Diffusion) -> None:
    if request.keep_best >= request.num_images:
        raise InvalidRequest(field="keep_best", reason="keeps_all", limit=request.num_images - 1)
    if isinstance(request, TextToImage) and request.walk_to is not None:
        raise InvalidRequest(field="keep_best", reason="walk_keeps_all")


def _check_walk(request: TextToImage) -> None:
    if request.num_images < 2:
        raise InvalidRequest(field="walk_to", reason="walk_too_short")
    if (
        request.walk_to is not None
        and request.walk_to.variation_strength > 0
        and request.walk_to.variation_seed is None
    ):
        raise InvalidRequest(field="walk_to", reason="seed_open")


def _check_scheduler(request: Diffusion, family: Family) -> None:
    scheduler, sigmas = request.scheduler, request.sigmas
    if scheduler is None or sigmas is None:
        return
    if scheduler not in schedulers_for(family):
        raise InvalidRequest(field="scheduler", reason=_why_not(family))
    if sigmas not in sigmas_for(scheduler, family):
        is_ays = sigmas == "ays" and has_sigmas(scheduler)
        raise InvalidRequest(field="sigmas", reason="no_aligned_steps" if is_ays else "scheduler_without_sigmas")
    if request.eta is not None and scheduler_named(scheduler).eta is None:
        raise InvalidRequest(field="eta", reason="scheduler_without_eta")
