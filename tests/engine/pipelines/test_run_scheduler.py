"""The scheduler of one run, by the checkpoint's own and by what is asked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
)

from tests.engine.run_contexts import Recorder, sampling
from tests.settled_requests import settled
from tests.toy_families import save_flux
from webui.engine.engine import Engine
from webui.engine.pipelines.run_scheduler import scheduler_of_run
from webui.errors import InvalidRequest
from webui.metadata.reading import read_pasted
from webui.schedulers import FLOW_SOLVERS
from webui.settings import Settings
from webui.storage.metadata import infotext


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


DYNAMIC = {"use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 1.15}


def shifted(sigmas: np.ndarray, shift: float) -> np.ndarray:
    return shift * sigmas / (1 + (shift - 1) * sigmas)


@pytest.mark.parametrize("config", [{"shift": 3.0}, DYNAMIC], ids=["fixed", "dynamic"])
@pytest.mark.parametrize("shift", [1.0, 6.5])
def test_a_shift_moves_the_sigmas_of_a_flow_whatever_the_checkpoints_own(config: dict[str, Any], shift: float) -> None:
    made = scheduler_of_run(FlowMatchEulerDiscreteScheduler(**config), sampling(shift=shift), scales_input=False)
    plain = np.linspace(1.0, 0.25, 4)
    made.set_timesteps(sigmas=plain, mu=0.8)  # as pipelines do that know dynamic shifting
    assert np.allclose(made.sigmas[:-1].numpy(), shifted(plain, shift), atol=1e-6)


def test_without_a_shift_the_checkpoints_own_counts_dynamic_or_not() -> None:
    plain, mu = np.linspace(1.0, 0.25, 4), 0.8
    for config, own in (({"shift": 3.0}, 3.0), (DYNAMIC, math.exp(mu))):
        made = scheduler_of_run(FlowMatchEulerDiscreteScheduler(**config), sampling(), scales_input=False)
        made.set_timesteps(sigmas=plain, mu=mu)
        assert np.allclose(made.sigmas[:-1].numpy(), shifted(plain, own), atol=1e-6), config


@pytest.mark.parametrize("scheduler", FLOW_SOLVERS)
def test_a_shift_moves_the_sigmas_of_other_solvers_for_flows(scheduler: str) -> None:
    own = DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    plain, kept, moved = (
        scheduler_of_run(own, sampling(scheduler=scheduler, **asked), scales_input=False).sigmas[:-1].numpy()
        for asked in ({"shift": 1.0}, {}, {"shift": 6.5})
    )
    assert np.allclose(kept, shifted(plain, 3.0), atol=1e-5)
    assert np.allclose(moved, shifted(plain, 6.5), atol=1e-5)


def test_what_is_no_flow_has_no_shift() -> None:
    with pytest.raises(InvalidRequest) as caught:
        scheduler_of_run(DDPMScheduler(), sampling(scheduler="ddim", shift=3.0), scales_input=False)
    assert caught.value.details == {"field": "shift", "reason": "only_flow"}


def test_a_shift_changes_the_picture_of_a_flow_and_is_in_its_infotext(tmp_path: Path) -> None:
    save_flux(tmp_path / "toy")
    engine = Engine(Settings(models_dir=tmp_path, device="cpu", precision="fp32"))

    def draw(**values: Any) -> tuple[bytes, str]:
        request = settled(checkpoint="toy", guidance_scale=3.5, **values)
        (image,) = engine.run(request, Recorder().context())
        return image.rgb, infotext(request, image)

    (own, said), (moved, said_moved) = draw(), draw(shift=8.0)
    assert own != moved
    assert ("Shift: 8" in said_moved, "Shift" in said) == (True, False)
    assert read_pasted(said_moved, lambda hash, name: None).settings["shift"] == 8.0
