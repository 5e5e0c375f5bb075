"""The loop of ours against diffusers' own pipelines, and what only ours promises."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DiffusionPipeline,
    EulerDiscreteScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
)
from diffusers.schedulers import AysSchedules
from PIL import Image

from tests.engine.run_contexts import Recorder, bench_for, sampling
from tests.toys import save_sd2, save_sd15, save_sdxl
from webui.engine.pictures.images import crop_and_resize, to_tensor
from webui.engine.schedulers.make import UPDATE_RULES, make_scheduler
from webui.engine.unet import diffusion
from webui.errors import Cancelled, NotFinite
from webui.schedulers import scheduler_named

# Ours keeps latents in fp32 as the toys do, so that only the order of additions differs: a level or two of 255.
TOLERANCE = 2


@pytest.fixture(scope="module")
def sd15(tmp_path_factory: pytest.TempPathFactory) -> StableDiffusionPipeline:
    return _quiet(DiffusionPipeline.from_pretrained(save_sd15(tmp_path_factory.mktemp("sd15"))))


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> StableDiffusionXLPipeline:
    return _quiet(DiffusionPipeline.from_pretrained(save_sdxl(tmp_path_factory.mktemp("sdxl"))))


@pytest.fixture(scope="module")
def inpainting(tmp_path_factory: pytest.TempPathFactory) -> DiffusionPipeline:
    folder = save_sd15(tmp_path_factory.mktemp("inpainting"), is_inpainting=True)
    return _quiet(DiffusionPipeline.from_pretrained(folder))


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((96, 80), Image.Resampling.BICUBIC)


def _quiet(pipeline: Any) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _pixels(image: Any) -> np.ndarray:
    return np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3).astype(int)


def _theirs(pipeline: Any, scheduler: Any, **arguments: Any) -> np.ndarray:
    original, pipeline.scheduler = pipeline.scheduler, scheduler
    try:
        steps = {} if "sigmas" in arguments else {"num_inference_steps": 4}
        arguments.setdefault("eta", getattr(scheduler, "eta", 0.0))  # which pipelines pass on where a rule takes it
        (picture,) = pipeline("a red cat", guidance_scale=5.0, output_type="np", **steps, **arguments).images
    finally:
        pipeline.scheduler = original
    return np.asarray((picture * 255).round(), dtype=int)


def _generator() -> torch.Generator:
    return torch.Generator("cpu").manual_seed(7)


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("scheduler", list(UPDATE_RULES))
def test_text_to_image_agrees_with_diffusers(sd15: Any, scheduler: str, prediction_type: str) -> None:
    recorder = Recorder()
    with bench_for(sd15, recorder, prediction_type=prediction_type) as run_context:
        (ours,) = diffusion.text_to_image(sampling(scheduler=scheduler), run_context, [0])
    same = make_scheduler(sd15.scheduler.config, scheduler, steps=4, prediction_type=prediction_type)
    theirs = _theirs(sd15, same, generator=_generator(), width=64, height=64)
    assert np.abs(_pixels(ours) - theirs).max() <= TOLERANCE
    assert [(s.index, s.total) for s in recorder.steps if s.phase == "denoise"] == [(i, 4) for i in range(1, 5)]


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("scheduler", list(UPDATE_RULES))
def test_image_to_image_agrees_with_diffusers(
    sd15: Any, photo: Image.Image, scheduler: str, prediction_type: str
) -> None:
    recorder = Recorder()
    asked = sampling(task="image_to_image", scheduler=scheduler, denoising_strength=0.5)
    with bench_for(sd15, recorder, prediction_type=prediction_type) as run_context:
        (ours,) = diffusion.image_to_image(asked, run_context, [0], photo)
    pipeline = _quiet(StableDiffusionImg2ImgPipeline(**sd15.components, requires_safety_checker=False))
    same = make_scheduler(sd15.scheduler.config, scheduler, steps=4, prediction_type=prediction_type)
    image = to_tensor(crop_and_resize(photo, 64, 64)) / 2 + 0.5
    theirs = _theirs(pipeline, same, image=image, strength=0.5, generator=_generator())
    assert np.abs(_pixels(ours) - theirs).max() <= TOLERANCE
    assert [(s.index, s.total) for s in recorder.steps if s.phase == "denoise"] == [(1, 2), (2, 2)]


@pytest.mark.parametrize("sigmas", ["karras", "exponential", "beta"])
def test_other_sigmas_agree_with_diffusers(sd15: Any, sigmas: str) -> None:
    with bench_for(sd15, Recorder()) as run_context:
        (ours,) = diffusion.text_to_image(sampling(scheduler="dpmpp_2m", sigmas=sigmas), run_context, [0])
    same = make_scheduler(sd15.scheduler.config, "dpmpp_2m", sigmas, steps=4)
    assert np.abs(_pixels(ours) - _theirs(sd15, same, generator=_generator(), width=64, height=64)).max() <= TOLERANCE


@pytest.mark.parametrize("scheduler", ["euler", "euler_a", "dpm2_a", "dpmpp_2m", "unipc", "deis"])
@pytest.mark.parametrize("sigmas", ["simple", "sgm_uniform", "ays"])
def test_sigmas_of_ours_make_another_picture(sd15: Any, photo: Image.Image, scheduler: str, sigmas: str) -> None:
    with bench_for(sd15, Recorder()) as run_context:
        (default,) = diffusion.text_to_image(sampling(scheduler=scheduler), run_context, [0])
        (drawn,) = diffusion.text_to_image(sampling(scheduler=scheduler, sigmas=sigmas), run_context, [0])
        asked = sampling(task="image_to_image", scheduler=scheduler, sigmas=sigmas, denoising_strength=0.5)
        (redrawn,) = diffusion.image_to_image(asked, run_context, [0], photo)
    assert np.abs(_pixels(drawn) - _pixels(default)).max() > TOLERANCE
    assert redrawn.info["steps"] == 2


def test_aligned_steps_agree_with_diffusers(sd15: Any) -> None:
    with bench_for(sd15, Recorder()) as run_context:
        (ours,) = diffusion.text_to_image(sampling(sigmas="ays", steps=10), run_context, [0])
    euler = EulerDiscreteScheduler.from_config(sd15.scheduler.config)
    arguments = {"sigmas": AysSchedules["StableDiffusionSigmas"], "width": 64, "height": 64}
    theirs = _theirs(sd15, euler, generator=_generator(), **arguments)
    assert np.abs(_pixels(ours) - theirs).max() <= TOLERANCE


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("scheduler", ["ddim", "tcd"])
def test_eta_agrees_with_diffusers(sd15: Any, scheduler: str, eta: float) -> None:
    with bench_for(sd15, Recorder()) as run_context:
        (ours,) = diffusion.text_to_image(sampling(scheduler=scheduler, eta=eta), run_context, [0])
    same = make_scheduler(sd15.scheduler.config, scheduler, steps=4)
    theirs = _theirs(sd15, same, generator=_generator(), width=64, height=64, eta=eta)
    assert np.abs(_pixels(ours) - theirs).max() <= TOLERANCE


@pytest.mark.parametrize("scheduler", ["euler_a", "dpm2_a", "ddim", "tcd"])
def test_eta_changes_the_picture_and_its_own_one_does_not(sd15: Any, scheduler: str) -> None:
    own = scheduler_named(scheduler).eta
    with bench_for(sd15, Recorder()) as run_context:
        pictures = [
            diffusion.text_to_image(sampling(scheduler=scheduler, eta=eta), run_context, [0])[0]
            for eta in (None, own, 0.5)
        ]
    assert pictures[0].rgb == pictures[1].rgb
    assert np.abs(_pixels(pictures[0]) - _pixels(pictures[2])).max() > TOLERANCE


def test_sdxl_agrees_with_diffusers(sdxl: Any, photo: Image.Image) -> None:
    with bench_for(sdxl, Recorder(), family="sdxl") as run_context:
        (text,) = diffusion.text_to_image(sampling(), run_context, [0])
        asked = sampling(task="image_to_image", denoising_strength=0.75)
        (image,) = diffusion.image_to_image(asked, run_context, [0], photo)

    def same() -> Any:
        return make_scheduler(sdxl.scheduler.config, "euler", steps=4)

    assert np.abs(_pixels(text) - _theirs(sdxl, same(), generator=_generator(), width=64, height=64)).max() <= TOLERANCE
    pipeline = _quiet(StableDiffusionXLImg2ImgPipeline(**sdxl.components, add_watermarker=False))
    tensor = to_tensor(crop_and_resize(photo, 64, 64)) / 2 + 0.5
    theirs = _theirs(pipeline, same(), image=tensor, strength=0.75, generator=_generator())
    assert np.abs(_pixels(image) - theirs).max() <= TOLERANCE


def test_no_guidance_is_one_pass_a_step(sd15: Any) -> None:
    rows: list[int] = []
    handle = sd15.unet.register_forward_pre_hook(lambda _module, inputs: rows.append(len(inputs[0])))
    try:
        with bench_for(sd15, Recorder()) as run_context:
            diffusion.text_to_image(sampling(guidance_scale=1.0), run_context, [0])
            diffusion.text_to_image(sampling(guidance_scale=1.1), run_context, [0])
    finally:
        handle.remove()
    assert rows == [1] * 4 + [2] * 4


def test_v_prediction_is_read_off_the_checkpoint(tmp_path: Path) -> None:
    pipeline = _quiet(DiffusionPipeline.from_pretrained(save_sd2(tmp_path)))
    with bench_for(pipeline, Recorder(), family="sd2") as run_context:
        (ours,) = diffusion.text_to_image(sampling(scheduler="ddim"), run_context, [0])
    theirs = _theirs(pipeline, type(pipeline.scheduler).from_config(pipeline.scheduler.config), generator=_generator())
    assert pipeline.scheduler.config.prediction_type == "v_prediction"
    assert np.abs(_pixels(ours) - theirs).max() <= TOLERANCE


@pytest.mark.parametrize("scheduler", ["euler", "euler_a", "dpmpp_2m_sde"])
def test_an_image_in_a_batch_is_the_one_made_alone(sd15: Any, scheduler: str) -> None:
    with bench_for(sd15, Recorder()) as run_context:
        together = diffusion.text_to_image(sampling(scheduler=scheduler, num_images=3), run_context, [0, 1, 2])
        (alone,) = diffusion.text_to_image(sampling(scheduler=scheduler, seed=9), run_context, [0])
    assert [image.seed for image in together] == [7, 8, 9]
    assert np.abs(_pixels(together[2]) - _pixels(alone)).max() <= TOLERANCE
    assert np.abs(_pixels(together[1]) - _pixels(alone)).max() > TOLERANCE


def test_seeds_go_round_at_their_end(sd15: Any) -> None:
    with bench_for(sd15, Recorder()) as run_context:
        (image,) = diffusion.text_to_image(sampling(seed=2**32 - 1, num_images=2), run_context, [1])
    assert image.seed == 0


@pytest.mark.parametrize("size", [(64, 64), (72, 64), (64, 136), (104, 88)])
@pytest.mark.parametrize("has_deep_vae", [False, True])
def test_the_size_asked_is_the_size_given(
    sd15: Any, photo: Image.Image, size: tuple[int, int], has_deep_vae: bool
) -> None:
    width, height = size
    vae = _deep_vae() if has_deep_vae else sd15.vae
    pipeline = _quiet(StableDiffusionPipeline(**sd15.components | {"vae": vae}, requires_safety_checker=False))
    recorder = Recorder()
    with bench_for(pipeline, recorder) as run_context:
        asked = sampling(width=width, height=height, steps=2)
        pictures = diffusion.text_to_image(asked, run_context, [0])
        asked = sampling(task="image_to_image", width=width, height=height, steps=2, denoising_strength=0.5)
        pictures += diffusion.image_to_image(asked, run_context, [0], photo)
    assert [(p.width, p.height, len(p.rgb)) for p in pictures] == [(width, height, 3 * width * height)] * 2


def _deep_vae() -> AutoencoderKL:
    torch.manual_seed(0)
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8, 16),
        norm_num_groups=4,
        layers_per_block=1,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 5,
        up_block_types=("UpDecoderBlock2D",) * 5,
    ).eval()


def test_strength_zero_keeps_the_picture(sd15: Any, photo: Image.Image) -> None:
    recorder = Recorder()
    asked = sampling(task="image_to_image", denoising_strength=0.0)
    with bench_for(sd15, recorder) as run_context:
        (kept,) = diffusion.image_to_image(asked, run_context, [0], photo)
    assert kept.rgb == crop_and_resize(photo, 64, 64).tobytes()
    assert kept.info["steps"] == 0
    assert [step.phase for step in recorder.steps] == ["encode"]


def test_strength_one_ignores_the_picture(sd15: Any, photo: Image.Image) -> None:
    with bench_for(sd15, Recorder()) as run_context:
        asked = sampling(task="image_to_image", denoising_strength=1.0)
        (redrawn,) = diffusion.image_to_image(asked, run_context, [0], photo)
        (drawn,) = diffusion.text_to_image(sampling(), run_context, [0])
    assert redrawn.rgb == drawn.rgb


def test_a_weak_strength_still_runs_a_step(sd15: Any, photo: Image.Image) -> None:
    recorder = Recorder()
    asked = sampling(task="image_to_image", denoising_strength=0.01)
    with bench_for(sd15, recorder) as run_context:
        (image,) = diffusion.image_to_image(asked, run_context, [0], photo)
    assert [(s.phase, s.index, s.total) for s in recorder.steps] == [
        ("encode", 1, 1),
        ("denoise", 1, 1),
        ("decode", 1, 1),
    ]
    assert image.info["steps"] == 1


def test_an_inpainting_checkpoint_draws_and_redraws(inpainting: Any, photo: Image.Image) -> None:
    with bench_for(inpainting, Recorder()) as run_context:
        (drawn,) = diffusion.text_to_image(sampling(), run_context, [0])
        asked = sampling(task="image_to_image", denoising_strength=0.5)
        (redrawn,) = diffusion.image_to_image(asked, run_context, [0], photo)
    # what the U-Net is told of the picture around the mask makes the difference to diffusers' own
    blank = Image.new("RGB", (64, 64), (128, 128, 128))
    mask = Image.new("L", (64, 64), 255)
    original = inpainting.scheduler
    inpainting.scheduler = make_scheduler(original.config, "euler", steps=4)
    try:
        output = inpainting(
            "a red cat",
            image=blank,
            mask_image=mask,
            width=64,
            height=64,
            strength=1.0,
            num_inference_steps=4,
            guidance_scale=5.0,
            generator=_generator(),
            output_type="np",
        )
    finally:
        inpainting.scheduler = original
    theirs = np.asarray((output.images[0] * 255).round(), dtype=int)
    assert np.abs(_pixels(drawn) - theirs).mean() < 8  # theirs draws from the masked picture's posterior, ours its mean
    assert redrawn.rgb != drawn.rgb


def test_previews_are_of_the_denoised_estimate(sd15: Any) -> None:
    recorder = Recorder(is_watched=False)
    with bench_for(sd15, recorder) as run_context:
        diffusion.text_to_image(sampling(steps=12), run_context, [0])
    denoise = [step for step in recorder.steps if step.phase == "denoise"]
    assert [step.index for step in denoise if step.preview] == [3, 6, 9, 12]
    assert len({step.preview for step in denoise if step.preview}) >= 3
    assert all(step.seconds > 0 for step in denoise)


@pytest.mark.parametrize("network", ["unet", "vae", "text_encoder"])
def test_stopping_inside_a_network_leaves_no_hook(sd15: Any, network: str) -> None:
    parts = set(getattr(sd15, network).modules()) - {getattr(sd15, network)}
    stopped: list[bool] = []

    def stop_inside() -> None:
        frame = inspect.currentframe()
        while frame is not None and not stopped:
            if frame.f_locals.get("_module") in parts:  # called from a hook on one of its blocks
                stopped.append(True)
                raise Cancelled
            frame = frame.f_back

    with pytest.raises(Cancelled), bench_for(sd15, Recorder(check=stop_inside)) as run_context:
        diffusion.text_to_image(sampling(), run_context, [0])
    assert stopped
    for component in (sd15.unet, sd15.vae, sd15.text_encoder):
        assert not any(module._forward_pre_hooks for module in component.modules())


def test_numbers_that_run_away_are_an_error(sd15: Any) -> None:
    broken: Callable[..., Any] = lambda _m, _i, output: tuple(x * float("nan") for x in output)  # noqa: E731
    handle = sd15.unet.register_forward_hook(broken)
    try:
        with pytest.raises(NotFinite) as caught, bench_for(sd15, Recorder()) as run_context:
            diffusion.text_to_image(sampling(), run_context, [0])
    finally:
        handle.remove()
    assert caught.value.details == {"phase": "denoise"}
