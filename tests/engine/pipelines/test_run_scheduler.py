"""The scheduler of one run, by the checkpoint's own and by what is asked."""

from __future__ import annotations

import pytest
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
)

from tests.engine.run_contexts import sampling
from webui.engine.pipelines.run_scheduler import scheduler_of_run
from webui.errors import InvalidRequest


def test_flows_of_other_solvers_take_the_rules_that_know_them() -> None:
    sana = DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True)
    made = scheduler_of_run(sana, sampling(scheduler="dpmpp_2m"), scales_input=False)
    assert made.config.prediction_type == "flow_prediction"
    with pytest.raises(InvalidRequest):
        scheduler_of_run(sana, sampling(scheduler="euler"), scales_input=False)
    with pytest.raises(InvalidRequest) as caught:  # its class would take Karras' sigmas for those of noise
        scheduler_of_run(sana, sampling(scheduler="dpmpp_2m", sigmas="karras"), scales_input=False)
    assert caught.value.details["field"] == "sigmas"


def test_a_flow_is_a_new_one_with_the_sigmas_asked_for() -> None:
    own = FlowMatchEulerDiscreteScheduler(shift=3.0)
    made = scheduler_of_run(own, sampling(sigmas="karras"), scales_input=False)
    assert made is not own
    assert (made.config.shift, made.config.use_karras_sigmas, own.config.use_karras_sigmas) == (3.0, True, False)
    with pytest.raises(InvalidRequest) as caught:
        scheduler_of_run(own, sampling(sigmas="ays"), scales_input=False)
    assert caught.value.details == {"field": "sigmas", "reason": "no_aligned_steps"}


def test_a_pipeline_that_does_not_scale_its_input_takes_no_sigmas() -> None:
    made = scheduler_of_run(DDPMScheduler(), sampling(scheduler="ddim"), scales_input=False)
    assert isinstance(made, DDIMScheduler)
    made = scheduler_of_run(DDPMScheduler(), sampling(scheduler="euler"), scales_input=True)
    assert isinstance(made, EulerDiscreteScheduler)
    with pytest.raises(InvalidRequest):
        scheduler_of_run(DDPMScheduler(), sampling(scheduler="euler"), scales_input=False)


@pytest.mark.parametrize("own", [DDIMScheduler, DDPMScheduler, EulerAncestralDiscreteScheduler])
def test_the_rule_asked_for_replaces_the_checkpoint_s_own(own: type) -> None:
    made = scheduler_of_run(own(), sampling(scheduler="dpmpp_2m"), scales_input=True)
    assert isinstance(made, DPMSolverMultistepScheduler)


def test_tokens_are_no_noise() -> None:
    with pytest.raises(InvalidRequest) as caught:
        scheduler_of_run(DDPMScheduler(), sampling(scheduler="unmasking"), scales_input=True)
    assert caught.value.details == {"field": "scheduler", "reason": "unmasking_not_here"}
