"""Text to image and image to image with the U-Net families (SD 1.x, SD 2.x, SDXL): the story, step by step.

Agrees with diffusers' own pipelines on the same inputs up to rounding. Knows no jobs and no files; other families are
in pipelines.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from webui.checkpoints import Checkpoint
from webui.engine.cancel import all_cancellable
from webui.engine.context import Context, EngineImage
from webui.engine.denoising import Conditioning, StepDone, denoise
from webui.engine.device import Device
from webui.engine.images import crop_and_resize, pad_to, to_pixels, to_tensor
from webui.engine.latents import Canvas, decode, draw_noise, encode, encode_mean
from webui.engine.preview import LatentDecoder, Previewer
from webui.engine.prompts.encoder import PromptEncoder
from webui.engine.sampling import Sampling
from webui.engine.schedulers import make_scheduler
from webui.errors import NotFinite, TaskUnsupported

AESTHETIC_SCORE, NEGATIVE_AESTHETIC_SCORE = 6.0, 2.5  # what SDXL's refiner is told (diffusers' defaults)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """All that a generation works with, beside the request: networks, device, tools and the way out."""

    checkpoint: Checkpoint
    pipeline: Any
    components: dict[str, Any]
    device: Device
    prompts: PromptEncoder
    latent_decoder: LatentDecoder | None
    previewer: Previewer
    context: Context
    is_tiled: bool = False


def text_to_image(asked: Sampling, bench: Bench, indices: list[int]) -> list[EngineImage]:
    """The images `indices` (from 0) of what is asked, as one batch."""
    with all_cancellable(bench.components, bench.context.check), torch.inference_mode():
        canvas = Canvas.of(asked.width, asked.height, bench.pipeline.vae)
        # 1. The prompts as the U-Net hears them.
        conditioning = _conditioning(asked, bench, canvas, len(indices))
        # 2. The timesteps.
        scheduler = _scheduler(asked, bench)
        # 3. Noise, for each image from its own seed.
        generators = _generators(asked, indices)
        shape = (bench.pipeline.vae.config.latent_channels, *canvas.latent_size)
        latents = draw_noise(shape, generators, bench.device.torch_device) * scheduler.init_noise_sigma
        # 4. Step by step from noise to latents.
        latents, steps = _denoise(
            bench, scheduler, scheduler.timesteps, latents, conditioning, generators, canvas, indices
        )
        # 5. Latents to pixels, and 6. the pictures, if every number in them is one.
        return _pictures(asked, bench, latents, canvas, indices, steps)


def image_to_image(asked: Sampling, bench: Bench, indices: list[int], init_image: Image.Image) -> list[EngineImage]:
    """The images `indices` (from 0) of what is asked, as one batch, drawn over `init_image`.

    `denoising_strength` 0 gives the picture itself, cut and resized to the size asked for; 1 ignores it.
    """
    if asked.denoising_strength == 1:
        return text_to_image(asked, bench, indices)
    picture = crop_and_resize(init_image, asked.width, asked.height)
    if asked.denoising_strength == 0:
        return [kept_picture(asked, bench, picture, index) for index in indices]
    with all_cancellable(bench.components, bench.context.check), torch.inference_mode():
        canvas = Canvas.of(asked.width, asked.height, bench.pipeline.vae)
        # 1. The prompts as the U-Net hears them.
        conditioning = _conditioning(asked, bench, canvas, len(indices))
        # 2. The timesteps, from where the noise is as strong as the request says.
        scheduler = _scheduler(asked, bench)
        timesteps = _start_late(scheduler, asked.denoising_strength)
        # 3. The picture's latents under noise, for each image from its own seed.
        generators = _generators(asked, indices)
        clean = _encode_picture(bench, picture, canvas, generators, indices)
        noise = draw_noise(clean.shape[1:], generators, clean.device)
        latents = scheduler.add_noise(clean, noise, timesteps[:1].repeat(len(indices)))
        # 4. Step by step from there to latents.
        latents, steps = _denoise(bench, scheduler, timesteps, latents, conditioning, generators, canvas, indices)
        # 5. Latents to pixels, and 6. the pictures, if every number in them is one.
        return _pictures(asked, bench, latents, canvas, indices, steps)


def _conditioning(asked: Sampling, bench: Bench, canvas: Canvas, count: int) -> Conditioning:
    """Embeddings of both prompts and, for SDXL, of the sizes; `count` rows each, the negative ones first."""
    unet, device = bench.pipeline.unet, bench.device.torch_device
    is_distilled = unet.config.time_cond_proj_dim is not None  # guidance is an input of its own (LCM)
    is_guided = asked.guidance_scale > 1 and not is_distilled
    encoded = bench.prompts.encode(
        bench.pipeline, asked.prompt, asked.negative_prompt, is_guided=is_guided, check=bench.context.check
    )

    def rows(positive: Tensor, negative: Tensor | None) -> Tensor:
        both = (positive,) if negative is None else (negative, positive)
        return torch.cat([x.expand(count, *x.shape[1:]) for x in both]).to(device, unet.dtype)

    added = None
    if encoded.pooled_prompt_embeds is not None:
        sizes, negative_sizes = _time_ids(unet, encoded.pooled_prompt_embeds, canvas)
        added = {
            "text_embeds": rows(encoded.pooled_prompt_embeds, encoded.negative_pooled_prompt_embeds),
            "time_ids": rows(sizes, negative_sizes if is_guided else None),
        }
    guidance_embeds = None
    if is_distilled:
        scales = torch.full((count,), asked.guidance_scale - 1.0)
        embeds = bench.pipeline.get_guidance_scale_embedding(scales, embedding_dim=unet.config.time_cond_proj_dim)
        guidance_embeds = embeds.to(device, unet.dtype)
    return Conditioning(
        embeds=rows(encoded.prompt_embeds, encoded.negative_prompt_embeds),
        guidance_scale=asked.guidance_scale,
        is_guided=is_guided,
        added=added,
        extra_channels=_extra_channels(bench, canvas, count * (2 if is_guided else 1)),
        guidance_embeds=guidance_embeds,
    )


def _time_ids(unet: Any, pooled: Tensor, canvas: Canvas) -> tuple[Tensor, Tensor]:
    """(1, 6) original size, crop and target size, as SDXL was trained; the refiner takes (1, 5) with a score."""
    size = [float(canvas.height), float(canvas.width)]
    taken = (unet.add_embedding.linear_1.in_features - pooled.shape[-1]) // unet.config.addition_time_embed_dim
    if taken == 5:
        return torch.tensor([[*size, 0, 0, AESTHETIC_SCORE]]), torch.tensor([[*size, 0, 0, NEGATIVE_AESTHETIC_SCORE]])
    ids = torch.tensor([[*size, 0, 0, *size]])
    return ids, ids


def _extra_channels(bench: Bench, canvas: Canvas, rows: int) -> Tensor | None:
    """An inpainting U-Net also takes a mask (draw everything) and the picture around it (there is none)."""
    channels = bench.pipeline.vae.config.latent_channels
    taken = bench.pipeline.unet.config.in_channels
    if taken == channels:
        return None
    if taken != 2 * channels + 1:
        raise TaskUnsupported(checkpoint=bench.checkpoint.id, family=bench.checkpoint.family, task="text_to_image")
    nothing = torch.zeros(1, 3, canvas.computed_height, canvas.computed_width)
    masked = encode_mean(bench.pipeline.vae, nothing)
    mask = torch.ones(1, 1, *canvas.latent_size, device=masked.device)
    return torch.cat([mask, masked], dim=1).expand(rows, -1, -1, -1)


def _scheduler(asked: Sampling, bench: Bench) -> Any:
    config = dict(bench.pipeline.scheduler.config)
    if bench.checkpoint.is_zero_terminal_snr:
        config |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    prediction_type = bench.checkpoint.defaults.prediction_type
    return make_scheduler(config, asked.scheduler, asked.sigmas, steps=asked.steps, prediction_type=prediction_type)


def _generators(asked: Sampling, indices: list[int]) -> list[torch.Generator]:
    return [torch.Generator("cpu").manual_seed(asked.seed_of(index)) for index in indices]


def _start_late(scheduler: Any, denoising_strength: float) -> Tensor:
    """The last timesteps, as many as `denoising_strength` says, but one at least; as diffusers cuts them."""
    steps = scheduler.num_inference_steps
    skipped = (steps - max(1, int(steps * denoising_strength))) * scheduler.order
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(skipped)
    timesteps: Tensor = scheduler.timesteps[skipped:]
    return timesteps


def _encode_picture(
    bench: Bench, picture: Image.Image, canvas: Canvas, generators: list[torch.Generator], indices: list[int]
) -> Tensor:
    started = time.perf_counter()
    padded = pad_to(to_tensor(picture), canvas.computed_width, canvas.computed_height)
    clean = encode(bench.pipeline.vae, padded, generators)
    seconds = (time.perf_counter() - started) / len(indices)
    for index in indices:
        bench.previewer.step(index=1, total=1, phase="encode", image=index, seconds=seconds, make=lambda: picture)
    return clean


def _denoise(
    bench: Bench,
    scheduler: Any,
    timesteps: Tensor,
    latents: Tensor,
    conditioning: Conditioning,
    generators: list[torch.Generator],
    canvas: Canvas,
    indices: list[int],
) -> tuple[Tensor, int]:
    """Latents at the end, and the steps that it took."""
    if hasattr(scheduler, "set_begin_index") and scheduler.begin_index is None:
        scheduler.set_begin_index(0)  # else it would look for the first timestep's index, and may find the second
    steps = 0

    def on_step(done: StepDone) -> None:
        nonlocal steps
        steps = done.total
        for row, image in enumerate(indices):
            bench.previewer.step(
                index=done.index,
                total=done.total,
                phase="denoise",
                image=image,
                seconds=done.seconds / len(indices),
                make=_preview_maker(bench.latent_decoder, done, row, canvas),
            )

    latents = denoise(
        bench.pipeline.unet,
        scheduler,
        timesteps,
        latents,
        conditioning,
        generators,
        bench.device,
        bench.context.check,
        on_step,
    )
    return latents, steps


def _preview_maker(
    decoder: LatentDecoder | None, done: StepDone, row: int, canvas: Canvas
) -> Callable[[], np.ndarray] | None:
    if decoder is None:
        return None
    return lambda: canvas.crop(decoder(done.estimate()[row]))


def _pictures(
    asked: Sampling, bench: Bench, latents: Tensor, canvas: Canvas, indices: list[int], steps: int
) -> list[EngineImage]:
    """One picture after the other through the VAE: together they would only take more memory."""
    finished = []
    for row, index in enumerate(indices):
        bench.context.check()
        started = time.perf_counter()
        decoded = decode(bench.pipeline.vae, latents[row : row + 1], is_tiled=bench.is_tiled)
        if not bool(torch.isfinite(decoded).all()):
            raise NotFinite(phase="decode")
        pixels = canvas.crop(to_pixels(decoded))
        seconds = time.perf_counter() - started
        bench.previewer.step(
            index=1, total=1, phase="decode", image=index, seconds=seconds, make=partial(_same, pixels)
        )
        finished.append(engine_image(asked, bench, Image.fromarray(pixels), index, steps))
    return finished


def _same(pixels: np.ndarray) -> np.ndarray:
    return pixels


def kept_picture(asked: Sampling, bench: Bench, picture: Image.Image, index: int) -> EngineImage:
    """What a strength of 0 gives: the picture itself."""
    bench.context.check()
    bench.previewer.step(index=1, total=1, phase="encode", image=index, make=lambda: picture)
    return engine_image(asked, bench, picture, index, steps=0)


def engine_image(asked: Sampling, bench: Bench, picture: Image.Image, index: int, steps: int) -> EngineImage:
    """The finished picture, with what really happened."""
    return EngineImage(
        width=picture.width,
        height=picture.height,
        rgb=picture.convert("RGB").tobytes(),
        seed=asked.seed_of(index),
        info={
            "steps": steps,
            "device": bench.device.name,
            "precision": bench.device.precision,
            "checkpoint_version": bench.checkpoint.version,
            **({"fallback": "vae_tiling"} if bench.is_tiled else {}),
        },
    )
