"""Which settings of a diffusion go together: what a family or a scheduler cannot do is refused, never ignored.

Checked twice: when a request is submitted, so that nobody waits for a refusal, and by the engine, which trusts nobody.
The rules are those of `table.py` and of the declarations; the page has the same ones, so that it offers nothing that
would be refused. Knows no torch: what the classes behind the names can do is declared in `schedulers` and `families`,
and tests compare both with the classes.
"""

from __future__ import annotations

from webui.capabilities import Capability
from webui.checkpoints.family import Family
from webui.requests.diffusion import Diffusion
from webui.requests.fields import declared_rules
from webui.rules.branches import check_steps
from webui.rules.evaluate import CheckpointFacts, refuse
from webui.rules.pictures import resize_modes_for
from webui.rules.table import PICTURES, SCHEDULING, TOGETHER
from webui.schedulers import FLOW_SIGMAS, FLOW_SOLVERS, SCHEDULERS, SIGMAS, has_sigmas


def schedulers_for(family: Family) -> tuple[str, ...]:
    """The schedulers that work with checkpoints of `family`, in the order of the control.

    A folder may have noise of its own that allows fewer of them; the engine then says so.
    """
    if family.schedulers is not None:
        return family.schedulers
    return tuple(known.id for known in SCHEDULERS if not known.is_own)


def sigmas_for(scheduler: str, family: Family) -> tuple[str, ...]:
    """The sigmas that work with `scheduler` and checkpoints of `family`, in the order of the control."""
    if not has_sigmas(scheduler):
        return ("default",)
    if scheduler in FLOW_SOLVERS and family.schedulers is not None:
        return ("default",)
    if family.schedulers is not None:
        return FLOW_SIGMAS
    return tuple(name for name in SIGMAS if name != "ays" or family.align_your_steps is not None)


def facts_of(
    family: Family, clip_layers: int | None = None, decoders: tuple[str, ...] | None = None
) -> CheckpointFacts:
    """What rules may ask about a checkpoint of `family` whose text encoder has `clip_layers` layers and whose latents
    `decoders` can draw (None: unknown).
    """
    schedulers = schedulers_for(family)
    return CheckpointFacts(
        lacking=tuple(capability for capability in Capability if capability not in family.capabilities),
        choices={
            "scheduler": schedulers,
            "sigmas": {scheduler: sigmas_for(scheduler, family) for scheduler in schedulers},
            "resize_mode": resize_modes_for(family),
            **({} if decoders is None else {"decoder": decoders}),
        },
        clip_layers=clip_layers,
    )


def check(
    request: Diffusion, family: Family, clip_layers: int | None = None, decoders: tuple[str, ...] | None = None
) -> None:
    """Raises InvalidRequest for a settled request whose settings contradict each other or the family.

    `clip_layers` and `decoders` are the checkpoint's own, if known; see `facts_of`.
    """
    facts = facts_of(family, clip_layers, decoders)
    refuse(request, (*SCHEDULING, *declared_rules(type(request)), *TOGETHER), facts)
    check_steps(request)
    refuse(request, PICTURES, facts)
