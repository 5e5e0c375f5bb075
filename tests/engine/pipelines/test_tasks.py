"""A family that is no U-Net, through diffusers' own pipeline: a flow transformer of toy size."""

from __future__ import annotations

import inspect
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DiffusionPipeline,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    StableDiffusion3Img2ImgPipeline,
)
from PIL import Image

from tests.engine.run_contexts import Recorder, bench_for, sampling
from tests.toys import save_sd3
from webui.checkpoints.family import Family
from webui.checkpoints.pipeline_families import PIPELINE_FAMILIES
from webui.engine.pipelines import tasks as pipelines
from webui.engine.schedulers.make import UPDATE_RULES
from webui.errors import Cancelled, InvalidRequest

FAMILY = "StableDiffusion3Pipeline"


@pytest.fixture(scope="module")
def sd3(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = save_sd3(tmp_path_factory.mktemp("sd3"))
    pipeline = DiffusionPipeline.from_pretrained(folder, text_encoder_3=None, tokenizer_3=None)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def sd3_image(sd3: Any) -> Any:
    return StableDiffusion3Img2ImgPipeline(**sd3.components)


def test_text_to_image_is_the_pipeline_s_own(sd3: Any) -> None:
    recorder = Recorder()
    scheduler = sd3.scheduler
    with bench_for(sd3, recorder, family=FAMILY) as run_context:
        (image,) = pipelines.text_to_image(sampling(), run_context, [0], sd3)
    theirs = sd3(
        "a red cat",
        width=64,
        height=64,
        num_inference_steps=4,
        guidance_scale=5.0,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="np",
    ).images[0]
    ours = np.frombuffer(image.rgb, np.uint8).reshape(64, 64, 3)
    assert np.abs(ours - (theirs * 255).round()).max() <= 1
    steps = [step for step in recorder.steps if step.phase == "denoise"]
    assert [(step.index, step.total) for step in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len({step.preview for step in steps} - {None}) == 4
    assert sd3.scheduler is scheduler


@pytest.mark.parametrize("size", [(64, 64), (72, 104)])
def test_image_to_image_gives_the_size_asked(sd3: Any, sd3_image: Any, size: tuple[int, int]) -> None:
    recorder = Recorder()
    picture = Image.new("RGB", (100, 90), (180, 40, 40))
    asked = sampling(task="image_to_image", width=size[0], height=size[1], denoising_strength=0.5)
    with bench_for(sd3, recorder, family=FAMILY) as run_context:
        (image,) = pipelines.image_to_image(asked, run_context, [0], sd3_image, picture)
    assert (image.width, image.height) == size
    assert [(s.index, s.total) for s in recorder.steps if s.phase == "denoise"] == [(1, 2), (2, 2)]


def test_strength_zero_keeps_and_a_weak_one_still_runs(sd3: Any, sd3_image: Any) -> None:
    picture = Image.new("RGB", (64, 64), (180, 40, 40))
    with bench_for(sd3, Recorder(), family=FAMILY) as run_context:
        asked = sampling(task="image_to_image", denoising_strength=0.0)
        (kept,) = pipelines.image_to_image(asked, run_context, [0], sd3_image, picture)
        asked = sampling(task="image_to_image", denoising_strength=0.01)
        (weak,) = pipelines.image_to_image(asked, run_context, [0], sd3_image, picture)
    assert kept.rgb == picture.tobytes()
    assert weak.info["steps"] in (1, 2)  # pipelines round differently


@pytest.mark.parametrize("choice", [{"scheduler": "dpmpp_2m"}, {"scheduler": "ddim"}])
def test_no_setting_is_ignored(sd3: Any, choice: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest), bench_for(sd3, Recorder(), family=FAMILY) as run_context:
        pipelines.text_to_image(sampling(**choice), run_context, [0], sd3)


def test_other_sigmas_change_the_picture(sd3: Any) -> None:
    with bench_for(sd3, Recorder(), family=FAMILY) as run_context:
        (plain,) = pipelines.text_to_image(sampling(), run_context, [0], sd3)
        (karras,) = pipelines.text_to_image(sampling(sigmas="karras"), run_context, [0], sd3)
    assert plain.rgb != karras.rgb


def test_stop_unwinds_the_pipeline_and_its_hooks(sd3: Any) -> None:
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 30:
            raise Cancelled

    scheduler = sd3.scheduler
    with pytest.raises(Cancelled), bench_for(sd3, Recorder(check=check), family=FAMILY) as run_context:
        pipelines.text_to_image(sampling(), run_context, [0], sd3)
    assert sd3.scheduler is scheduler
    assert not any(module._forward_pre_hooks for module in sd3.transformer.modules())


class Told:
    """How a pipeline's `__call__` may look, as far as guidance goes."""

    @staticmethod
    def qwen(
        prompt: str, negative_prompt: str, true_cfg_scale: float = 4.0, guidance_scale: float | None = None
    ) -> None:
        """Guided by `true_cfg_scale`."""

    @staticmethod
    def flux(prompt: str, negative_prompt: str, true_cfg_scale: float = 1.0, guidance_scale: float = 3.5) -> None:
        """Distilled."""

    @staticmethod
    def flux2(prompt: str, guidance_scale: float = 4.0) -> None:
        """Distilled, and nothing else."""

    @staticmethod
    def sd3(prompt: str, negative_prompt: str, guidance_scale: float = 7.0) -> None:
        """Classifier-free guidance."""


def told(pipeline: Any, **asked: Any) -> dict[str, Any]:
    return pipelines._guidance(sampling(**asked), inspect.signature(pipeline).parameters)


def test_guidance_is_told_as_each_pipeline_wants_it() -> None:
    assert told(Told.qwen) == {"guidance_scale": None, "true_cfg_scale": 5.0, "negative_prompt": " "}
    assert told(Told.qwen, negative_prompt="blur")["negative_prompt"] == "blur"
    for pipeline in (Told.flux, Told.flux2, Told.sd3):
        assert told(pipeline) == {}
    assert told(Told.sd3, negative_prompt="blur") == {}


def test_where_guidance_is_no_input_any_more_it_is_classifier_free() -> None:
    """FLUX.1 schnell."""
    accepted = inspect.signature(Told.flux).parameters
    told = pipelines._guidance(sampling(guidance_scale=3.0, negative_prompt="blur"), accepted, is_told=False)
    assert told == {"true_cfg_scale": 3.0, "negative_prompt": "blur"}


@pytest.mark.parametrize("pipeline", [Told.flux, Told.flux2])
def test_a_negative_prompt_is_refused_where_it_would_be_ignored(pipeline: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        told(pipeline, negative_prompt="blur")
    assert caught.value.details["field"] == "negative_prompt"


def test_flows_of_other_solvers_take_the_rules_that_know_them() -> None:
    sana = DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True)
    made = pipelines._make_scheduler(sana, sampling(scheduler="dpmpp_2m"))
    assert made.config.prediction_type == "flow_prediction"
    with pytest.raises(InvalidRequest):
        pipelines._make_scheduler(sana, sampling(scheduler="euler"))
    with pytest.raises(InvalidRequest) as caught:  # its class would take Karras' sigmas for those of noise
        pipelines._make_scheduler(sana, sampling(scheduler="dpmpp_2m", sigmas="karras"))
    assert caught.value.details["field"] == "sigmas"


def test_a_pipeline_that_does_not_scale_its_input_takes_no_sigmas() -> None:
    made = pipelines._make_scheduler(DDPMScheduler(), sampling(scheduler="ddim"), scales_input=False)
    assert isinstance(made, DDIMScheduler)
    with pytest.raises(InvalidRequest):
        pipelines._make_scheduler(DDPMScheduler(), sampling(scheduler="euler"), scales_input=False)


@pytest.mark.parametrize("family", PIPELINE_FAMILIES, ids=lambda family: family.id)
def test_every_family_s_own_scheduler_is_one_that_its_pipeline_can_follow(family: Family) -> None:
    source = inspect.getsource(getattr(diffusers, family.pipeline or ""))
    if family.schedulers == ("unmasking",):
        assert "AmusedScheduler" in source
        return
    made = UPDATE_RULES[family.defaults.scheduler].scheduler_class()
    assert "scale_model_input" in source or float(made.init_noise_sigma) == 1 or "FlowMatch" in source
    if "original_inference_steps" in source:
        assert family.defaults.scheduler == "lcm"


def test_steps_are_counted_where_a_pipeline_does_not_call_back(sd3: Any) -> None:
    class Silent:
        """The part of PixArt's pipelines that the watcher sees: no callback, no number of timesteps."""

        scheduler = EulerDiscreteScheduler()

        def __call__(self, prompt: str) -> None:
            self.scheduler.set_timesteps(3)
            latents = torch.randn(1, 4, 8, 8)
            for t in self.scheduler.timesteps:
                latents = self.scheduler.step(torch.zeros_like(latents), t, latents).prev_sample

    seen = []
    silent = Silent()
    with bench_for(sd3, Recorder(), family=FAMILY) as run_context:
        pipelines._Watcher(
            silent, run_context, (64, 64), lambda done, total, _seconds, _make: seen.append((done, total))
        )
        silent("a cat")
    assert seen == [(1, 3), (2, 3), (3, 3)]
