"""Inpainting, outpainting and soft inpainting with our own loop: against diffusers' pipelines, and exactly."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline, StableDiffusionInpaintPipeline
from PIL import Image

from tests.engine.run_contexts import Recorder, bench_for, sampling
from tests.settling import SettlingEngine
from tests.toys import save_sd15, save_sd15_file, save_sdxl
from webui.engine.context import Context
from webui.engine.engine import Engine
from webui.engine.pictures.intake import take_in
from webui.engine.pictures.latents import Canvas
from webui.engine.pictures.redraw import Redraw, Sides
from webui.engine.schedulers.make import UPDATE_RULES, make_scheduler
from webui.engine.unet import diffusion, inpainting
from webui.requests.diffusion import Branch, ImageToImage
from webui.settings import Settings

TOLERANCE = 2  # of 255; the order of additions differs


@pytest.fixture(scope="module")
def sd15(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return DiffusionPipeline.from_pretrained(save_sd15(tmp_path_factory.mktemp("sd15")))


@pytest.fixture(scope="module")
def made_for_it(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = save_sd15(tmp_path_factory.mktemp("inpainting"), is_inpainting=True)
    return DiffusionPipeline.from_pretrained(folder)


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((64, 64), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def mask() -> np.ndarray:
    """The right half, in whole latents."""
    found = np.zeros((64, 64), np.float32)
    found[:, 32:] = 1
    return found


def asked(strength: float = 0.5, **redraw: Any) -> Any:
    own = {name: redraw.pop(name) for name in ("scheduler", "num_images", "seed") if name in redraw}
    values = {"has_mask": True, "mask_blur": 0, **redraw}
    return sampling(task="image_to_image", denoising_strength=strength, redraw=Redraw(**values), **own)


def pixels_of(image: Any) -> np.ndarray:
    return np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3).astype(int)


def draw(pipeline: Any, asked: Any, photo: Image.Image, mask: np.ndarray | None, **run_context: Any) -> np.ndarray:
    with bench_for(pipeline, Recorder(), **run_context) as made:
        (image,) = diffusion.image_to_image(asked, made, [0], photo, mask)
    return pixels_of(image)


@pytest.mark.parametrize(("scheduler", "strength"), [*((name, 0.5) for name in UPDATE_RULES), ("pndm", 1.0)])
def test_every_scheduler_draws_what_is_masked_and_leaves_the_rest(
    sd15: Any, photo: Image.Image, mask: np.ndarray, scheduler: str, strength: float
) -> None:
    found = draw(sd15, asked(strength, scheduler=scheduler), photo, mask)
    assert np.array_equal(found[:, :32], np.asarray(photo)[:, :32])
    assert np.abs(found[:, 32:] - np.asarray(photo, int)[:, 32:]).mean() > 5


@pytest.mark.parametrize("scheduler", ["euler", "dpmpp_2m", "ddim", "unipc"])
def test_what_is_drawn_agrees_with_diffusers(sd15: Any, photo: Image.Image, mask: np.ndarray, scheduler: str) -> None:
    """Schedulers that draw no noise of their own: diffusers' pipeline spends some on what it does not use."""
    ours = draw(sd15, asked(0.5, scheduler=scheduler), photo, mask)
    pipeline = StableDiffusionInpaintPipeline(**sd15.components, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    original = pipeline.scheduler
    pipeline.scheduler = make_scheduler(original.config, scheduler, steps=4)
    try:
        (theirs,) = pipeline(
            "a red cat",
            image=photo,
            mask_image=Image.fromarray((mask * 255).astype(np.uint8)),
            width=64,
            height=64,
            strength=0.5,
            num_inference_steps=4,
            guidance_scale=5.0,
            generator=torch.Generator("cpu").manual_seed(7),
            output_type="np",
        ).images
    finally:
        pipeline.scheduler = original
    away = np.abs(ours - np.asarray((theirs * 255).round(), dtype=int))[:, 32:]
    assert away.max() <= TOLERANCE


def test_a_place_moves_from_the_step_on_that_its_strength_says() -> None:
    strength = torch.tensor([0.0, 0.01, 0.3, 0.6, 1.0])
    assert inpainting.start_of(strength, 20).tolist() == [20, 19, 14, 8, 0]


def test_soft_places_follow_the_picture_longer(sd15: Any, photo: Image.Image) -> None:
    """A grey mask over all of it is a weaker denoising strength, step for step."""
    grey = np.full((64, 64), 0.5, np.float32)
    soft = draw(sd15, asked(1.0, is_soft=True), photo, grey)
    plain = sampling(task="image_to_image", denoising_strength=0.5)
    weaker = draw(sd15, plain, photo, None)
    hard = draw(sd15, asked(1.0), photo, grey)
    shown = np.asarray(photo, int) + (weaker - np.asarray(photo, int)) * (1 - 0.5**4)
    assert np.abs(soft - shown).max() <= TOLERANCE
    assert np.abs(soft - hard).mean() > 1


def test_soft_and_hard_differ_and_both_keep_what_is_not_masked(sd15: Any, photo: Image.Image) -> None:
    ramp = np.tile(np.linspace(-0.2, 1, 64, dtype=np.float32).clip(0, 1), (64, 1))
    soft, hard = (draw(sd15, asked(0.75, is_soft=is_soft), photo, ramp) for is_soft in (True, False))
    for found in (soft, hard):
        assert np.array_equal(found[ramp == 0], np.asarray(photo)[ramp == 0])
    assert np.abs(soft - hard).mean() > 1


@pytest.mark.parametrize("content", ["fill", "original", "latent_noise", "latent_nothing"])
def test_what_masked_places_start_from_matters(sd15: Any, photo: Image.Image, mask: np.ndarray, content: str) -> None:
    found = draw(sd15, asked(0.5, masked_content=content), photo, mask)
    assert np.array_equal(found[:, :32], np.asarray(photo)[:, :32])
    if content != "original":
        assert np.abs(found - draw(sd15, asked(0.5), photo, mask))[:, 32:].mean() > 1
    at_full = draw(sd15, asked(1.0, masked_content=content), photo, mask)
    if content != "fill":  # which also changes what lies around in latents, by their size
        assert np.array_equal(at_full, draw(sd15, asked(1.0), photo, mask))


def test_outpainting_keeps_the_picture_and_ignores_the_strength(sd15: Any, photo: Image.Image) -> None:
    sides = Sides(left=16, bottom=8)
    pictures = []
    for strength in (0.0, 0.5):
        wider = replace(asked(strength, has_mask=False, sides=sides), width=80, height=72)
        pictures.append(draw(sd15, wider, photo, None))
    assert pictures[0].shape == (72, 80, 3)
    assert np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0][:64, 16:], np.asarray(photo))
    assert pictures[0][:, :16].std() > 1


def test_only_masked_draws_the_place_alone_at_the_whole_size(sd15: Any, mask: np.ndarray) -> None:
    large = Image.fromarray(np.random.default_rng(1).integers(0, 256, (150, 200, 3), dtype=np.uint8))
    small = np.zeros((150, 200), np.float32)
    small[60:80, 90:120] = 1
    found = draw(sd15, asked(0.75, is_only_masked=True, padding=8), large, small)
    assert found.shape == (150, 200, 3)
    assert np.array_equal(found[small == 0], np.asarray(large)[small == 0])
    assert np.abs(found - np.asarray(large, int))[small == 1].mean() > 5


def test_strength_zero_gives_the_picture_back(sd15: Any, photo: Image.Image, mask: np.ndarray) -> None:
    assert np.array_equal(draw(sd15, asked(0.0), photo, mask), np.asarray(photo))


def test_latents_are_enlarged_instead_of_pixels(sd15: Any, photo: Image.Image) -> None:
    larger = replace(sampling(task="image_to_image", denoising_strength=0.25), width=128, height=96)
    pixels, latents = (
        draw(sd15, replace(larger, redraw=Redraw(resize_mode=mode)), photo, None)
        for mode in ("just_resize", "latent_upscale")
    )
    assert pixels.shape == latents.shape == (96, 128, 3)
    assert np.abs(pixels - latents).mean() > 1


@pytest.mark.parametrize("count", [1, 3])
def test_an_image_in_a_batch_is_the_one_made_alone(sd15: Any, photo: Image.Image, mask: np.ndarray, count: int) -> None:
    many = asked(0.5, num_images=3)
    with bench_for(sd15, Recorder()) as run_context:
        together = diffusion.image_to_image(many, run_context, [0, 1, 2], photo, mask)
    alone = draw(sd15, asked(0.5, seed=7 + count - 1), photo, mask)
    assert np.abs(pixels_of(together[count - 1]) - alone).max() <= TOLERANCE


def test_a_checkpoint_made_for_it_is_told_what_diffusers_tells_it(
    made_for_it: Any, photo: Image.Image, mask: np.ndarray
) -> None:
    canvas = Canvas.of(64, 64, made_for_it.vae)
    found = take_in(photo, mask, Redraw(has_mask=True, mask_blur=0), 64, 64)
    with torch.inference_mode():
        told = inpainting.told_of_mask(made_for_it.vae, found, canvas)
        white = torch.from_numpy(mask)[None, None]
        pixels = torch.from_numpy(np.array(photo)).permute(2, 0, 1)[None] / 127.5 - 1
        theirs = made_for_it.vae.encode(pixels * (white < 0.5)).latent_dist.mean * made_for_it.vae.config.scaling_factor
    assert told.shape == (1, 5, 8, 8)
    assert torch.equal(told[0, 0], torch.nn.functional.interpolate(white, size=(8, 8))[0, 0])
    assert torch.allclose(told[:, 1:], theirs, atol=1e-5)


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_a_checkpoint_made_for_it_redraws_what_is_masked(
    made_for_it: Any, photo: Image.Image, mask: np.ndarray, strength: float
) -> None:
    seen: list[torch.Tensor] = []
    handle = made_for_it.unet.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    try:
        found = draw(made_for_it, asked(strength), photo, mask)
    finally:
        handle.remove()
    assert np.array_equal(found[:, :32], np.asarray(photo)[:, :32])
    assert np.abs(found - np.asarray(photo, int))[:, 32:].mean() > 5
    assert {rows.shape[1] for rows in seen} == {9}
    assert {tuple(rows[0, 4].unique().tolist()) for rows in seen} == {(0.0, 1.0)}
    without = sampling(task="image_to_image", denoising_strength=strength)
    assert np.abs(found - draw(made_for_it, without, photo, None))[:, 32:].mean() > 0


def test_sdxl_redraws_what_is_masked(tmp_path: Path, photo: Image.Image, mask: np.ndarray) -> None:
    pipeline = DiffusionPipeline.from_pretrained(save_sdxl(tmp_path, is_inpainting=True))
    found = draw(pipeline, asked(0.5), photo, mask, family="sdxl")
    assert np.array_equal(found[:, :32], np.asarray(photo)[:, :32])
    assert np.abs(found - np.asarray(photo, int))[:, 32:].mean() > 5


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    models = tmp_path_factory.mktemp("models")
    save_sd15(models / "plain")
    save_sd15_file(models / "made-for-it.safetensors", is_inpainting=True)
    return SettlingEngine(
        Settings(models_dir=models, data_dir=tmp_path_factory.mktemp("data"), device="cpu", precision="fp32")
    )


def stored(picture: Image.Image | np.ndarray) -> tuple[str, bytes]:
    """A picture or a mask as the engine gets it: its reference, and a PNG."""
    picture = Image.fromarray((picture * 255).astype(np.uint8)) if isinstance(picture, np.ndarray) else picture
    content = io.BytesIO()
    picture.save(content, "PNG")
    return f"sha256:{hashlib.sha256(content.getvalue()).hexdigest()}", content.getvalue()


def asking(photo: Image.Image, mask: np.ndarray, **values: Any) -> ImageToImage:
    fields = {"prompt": "a red cat", "seed": 7, "steps": 4, "width": 64, "height": 64, "mask_blur": 0}
    return ImageToImage(init_image=stored(photo)[0], **fields | {"mask": stored(mask)[0]} | values)


def run(engine: Engine, photo: Image.Image, mask: np.ndarray, **values: Any) -> np.ndarray:
    """One image through the whole engine, from stored pictures."""
    pictures = dict([stored(photo), stored(mask)])
    context = Context(lambda _event: None, lambda: None, lambda: False, pictures.__getitem__)
    (image,) = engine.run(asking(photo, mask, **values), context)
    return pixels_of(image)


@pytest.mark.parametrize("size", [(61, 67), (68, 60), (64, 71)])
def test_a_picture_is_not_stretched_by_the_rounding_of_its_size(engine: Engine, size: tuple[int, int]) -> None:
    odd = Image.fromarray(np.random.default_rng(2).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    part = np.zeros((size[1], size[0]), np.float32)
    part[:, 32:] = 1
    found = run(engine, odd, part, checkpoint="plain")
    assert found.shape == (size[1], size[0], 3)
    assert np.array_equal(found[:, :32], np.asarray(odd)[:, :32])
    assert np.abs(found - np.asarray(odd, int))[:, 32:].mean() > 5
    wider = run(engine, odd, part, checkpoint="plain", outpaint_left=8)
    assert np.array_equal(wider[:, 8:40], np.asarray(odd)[:, :32])
    away = run(engine, odd, part, checkpoint="plain", width=128, height=128)
    assert away.shape == (128, 128, 3)  # another size was asked for


@pytest.mark.parametrize("checkpoint", ["plain", "made-for-it"])
def test_from_stored_pictures_to_the_result(
    engine: Engine, photo: Image.Image, mask: np.ndarray, checkpoint: str
) -> None:
    assert engine.catalogue.get("made-for-it").is_inpainting
    found = run(engine, photo, mask, checkpoint=checkpoint)
    assert np.array_equal(found[:, :32], np.asarray(photo)[:, :32])
    assert np.abs(found - np.asarray(photo, int))[:, 32:].mean() > 5


@pytest.mark.parametrize("checkpoint", ["plain", "made-for-it"])
def test_a_branch_and_a_kept_step_leave_the_rest_as_it_is_too(
    engine: Engine, photo: Image.Image, mask: np.ndarray, checkpoint: str
) -> None:
    values = {"checkpoint": checkpoint, "denoising_strength": 1.0, "scheduler": "euler", "sigmas": "default"}
    origin = asking(photo, mask, **values)
    whole = run(engine, photo, mask, **values)
    for other in ({"stop_after": 2}, {"seed": 8, "branch_from": Branch(origin=origin, step=2)}):
        found = run(engine, photo, mask, **values | other)
        assert np.array_equal(found[:, :32], np.asarray(photo)[:, :32])
        assert np.abs(found - whole)[:, 32:].mean() > 1
