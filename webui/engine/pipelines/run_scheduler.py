"""The scheduler of one run: the request's update rule, on the noise that the checkpoint's own scheduler describes.

Knows no pipelines and no families.
"""

from __future__ import annotations

import copy
from typing import Any

from diffusers import FlowMatchEulerDiscreteScheduler

from webui.engine.sampling import Sampling
from webui.engine.schedulers.make import UPDATE_RULES, make_scheduler
from webui.errors import InvalidRequest
from webui.schedulers import FLOW_SIGMAS, FLOW_SOLVERS, scheduler_named

_FLOW_SIGMAS = {"karras": "use_karras_sigmas", "exponential": "use_exponential_sigmas", "beta": "use_beta_sigmas"}


def scheduler_of_run(original: Any, asked: Sampling, *, scales_input: bool) -> Any:
    """A new scheduler for this run. Raises InvalidRequest if it cannot be what was asked for; nothing is ignored.

    `scales_input`: whether the pipeline calls `scale_model_input`, which rules with sigmas need.
    """
    request, config = asked.request, dict(original.config)
    if scheduler_named(request.scheduler).is_own:
        raise InvalidRequest(field="scheduler", reason=f"{request.scheduler}_not_here")
    if isinstance(original, FlowMatchEulerDiscreteScheduler):
        if request.scheduler != "euler":
            raise InvalidRequest(field="scheduler", reason="flow_needs_euler")
        if request.sigmas not in FLOW_SIGMAS:
            raise InvalidRequest(field="sigmas", reason="no_aligned_steps")
        option = _FLOW_SIGMAS.get(request.sigmas)
        shifted = {} if request.shift is None else {"shift": request.shift, "use_dynamic_shifting": False}
        return type(original).from_config(config, **shifted, **({option: True} if option else {}))
    is_flow = config.get("prediction_type") == "flow_prediction"
    if request.shift is not None:
        if not is_flow:
            raise InvalidRequest(field="shift", reason="only_flow")
        config |= {"flow_shift": request.shift, "use_dynamic_shifting": False}
    if is_flow:
        if request.scheduler not in FLOW_SOLVERS:
            raise InvalidRequest(field="scheduler", reason="flow_needs_multistep")
        if request.sigmas != "default":
            raise InvalidRequest(field="sigmas", reason="scheduler_without_sigmas")
    if any(issubclass(rule.scheduler_class, type(original)) for rule in UPDATE_RULES.values()):
        made = make_scheduler(
            config,
            request.scheduler,
            request.sigmas,
            steps=request.steps,
            eta=request.eta,
            sigma_range=request.sigma_range,
        )
        if float(made.init_noise_sigma) != 1 and not scales_input:
            raise InvalidRequest(field="scheduler", reason="scheduler_not_here")
        return made
    return copy.deepcopy(original)
