"""Text to image and image to image with the U-Net families (SD 1.x, SD 2.x, SDXL): the story, step by step.

Agrees with diffusers' own pipelines on the same inputs up to rounding. Knows no jobs and no files; the other families
are in `webui/engine/pipelines/`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from diffusers import PNDMScheduler
from PIL import Image
from torch import Tensor

from webui.checkpoints.families import FAMILIES
from webui.engine.cancel import all_cancellable
from webui.engine.pictures.images import pad_to, to_pixels, to_tensor
from webui.engine.pictures.intake import PictureIn, drawn_size, take_in
from webui.engine.pictures.latents import Canvas, decode, encode, encode_enlarged
from webui.engine.previews.preview import LatentDecoder
from webui.engine.run_context import RunContext, engine_image, kept_picture
from webui.engine.sampling import Sampling
from webui.engine.schedulers.make import make_scheduler, steps_after_calls
from webui.engine.schedulers.start import start_late
from webui.engine.unet import inpainting
from webui.engine.unet.branch_plan import Switch
from webui.engine.unet.conditioning import condition
from webui.engine.unet.denoising import Conditioning, DenoisingLoop, StepDone
from webui.engine.unet.noise import NoiseSource
from webui.engine.unet.seamless import AXES, seamless
from webui.errors import InvalidRequest, NotFinite
from webui.worker.messages import RawImage


def text_to_image(asked: Sampling, run_context: RunContext, indices: list[int]) -> list[RawImage]:
    """Makes the images `indices` (from 0) as one batch."""
    with _at_work(asked, run_context):
        canvas = _canvas(asked, run_context)
        # 1. The timesteps.
        scheduler = _scheduler(asked, run_context)
        # 2. The prompts as the U-Net hears them, step by step.
        conditionings = condition(asked, run_context, canvas, indices, _count_steps(scheduler, scheduler.timesteps))
        # 3. Noise, for each image from its own seed.
        source = NoiseSource.of(asked, indices)
        shape = (run_context.vae.config.latent_channels, *canvas.latent_size)
        latents = source.initial(shape, run_context.device.torch_device) * scheduler.init_noise_sigma
        # 4. Step by step from noise to latents.
        loop = _loop(run_context, scheduler, scheduler.timesteps, latents, conditionings, source)
        latents, steps = _denoise(run_context, loop, canvas, indices)
        # 5. Latents to pixels, and 6. the pictures, if every number in them is one.
        return _pictures(asked, run_context, latents, canvas, indices, steps)


def image_to_image(
    asked: Sampling,
    run_context: RunContext,
    indices: list[int],
    init_image: Image.Image,
    mask: np.ndarray | None = None,
) -> list[RawImage]:
    """Makes the images `indices` (from 0) as one batch, drawn over `init_image` where `mask` says so.

    `denoising_strength` 0 gives the picture itself, at the size asked for; 1 ignores it where it may change.
    """
    if asked.ignores_picture:
        return text_to_image(asked, run_context, indices)
    asked = asked.at(*drawn_size(init_image, asked.redraw, asked.width, asked.height))
    picture_in = take_in(init_image, mask, asked.redraw, asked.width, asked.height)
    if asked.keeps_picture:
        return [kept_picture(asked, run_context, picture_in.unchanged, index) for index in indices]
    with _at_work(asked, run_context):
        canvas = _canvas(asked, run_context)
        # 1. The timesteps, from where the noise is as strong as the request says.
        scheduler = _scheduler(asked, run_context)
        timesteps = start_late(scheduler, asked.strongest, is_exact=asked.starts_between_steps)
        steps = _count_steps(scheduler, timesteps)
        # 2. The prompts as the U-Net hears them, step by step.
        conditionings = condition(asked, run_context, canvas, indices, steps, picture_in)
        # 3. The picture's latents under noise, for each image from its own seed, and which of them may move when.
        source = NoiseSource.of(asked, indices)
        clean = _encode_picture(run_context, picture_in, canvas, source, indices)
        still = inpainting.still(asked, picture_in, clean, source, canvas)
        latents = still.begin(scheduler, timesteps)
        constrain = still.constrain(scheduler, timesteps, asked.request.steps)
        # 4. Step by step from there to latents.
        loop = _loop(run_context, scheduler, timesteps, latents, conditionings, source)
        loop.constrain = constrain
        latents, steps = _denoise(run_context, loop, canvas, indices, picture_in)
        # 5. Latents to pixels, and 6. the pictures, if every number in them is one.
        return _pictures(asked, run_context, latents, canvas, indices, steps, picture_in.put_back)


@contextmanager
def _at_work(asked: Sampling, run_context: RunContext) -> Iterator[None]:
    """While pictures are made: the networks can be stopped, and wrap around a picture's edges if it tiles."""
    with (
        all_cancellable(run_context.components, run_context.context.check),
        seamless(asked.request.tiling, *{run_context.pipeline.unet, run_context.vae, run_context.decoder}),
        torch.inference_mode(),
    ):
        yield


def _canvas(asked: Sampling, run_context: RunContext) -> Canvas:
    """Raises InvalidRequest where a picture that tiles would have to be cut to its size: its edges would not fit."""
    canvas = Canvas.of(asked.width, asked.height, run_context.vae)
    computed = {"x": (canvas.computed_width, canvas.width), "y": (canvas.computed_height, canvas.height)}
    if any(whole != kept for whole, kept in (computed[axis] for axis in AXES[asked.request.tiling])):
        raise InvalidRequest(field="tiling", reason="tiling_size")
    return canvas


def _scheduler(asked: Sampling, run_context: RunContext) -> Any:
    config = dict(run_context.pipeline.scheduler.config)
    if run_context.checkpoint.is_zero_terminal_snr:
        config |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    prediction_type = run_context.checkpoint.defaults.prediction_type
    return make_scheduler(
        config,
        asked.request.scheduler,
        asked.request.sigmas,
        steps=asked.request.steps,
        prediction_type=prediction_type,
        eta=asked.request.eta,
        align_your_steps=FAMILIES[run_context.checkpoint.family].align_your_steps,
        sigma_range=asked.request.sigma_range,
    )


def _count_steps(scheduler: Any, timesteps: Tensor) -> int:
    """How many steps `timesteps` make up: rules of second order have two for each."""
    return steps_after_calls(scheduler, len(timesteps))[-1]


def _encode_picture(
    run_context: RunContext, picture_in: PictureIn, canvas: Canvas, source: NoiseSource, indices: list[int]
) -> Tensor:
    started = time.perf_counter()
    picture = picture_in.picture
    if picture_in.own is not None:
        clean = encode_enlarged(run_context.vae, picture_in.own, canvas, source.generators)
    else:
        padded = pad_to(to_tensor(picture), canvas.computed_width, canvas.computed_height)
        clean = encode(run_context.vae, padded, source.generators)
    seconds = (time.perf_counter() - started) / len(indices)
    for index in indices:
        run_context.previewer.step(index=1, total=1, phase="encode", image=index, seconds=seconds, make=lambda: picture)
    return clean


def _loop(
    run_context: RunContext,
    scheduler: Any,
    timesteps: Tensor,
    latents: Tensor,
    conditionings: Sequence[Conditioning],
    noise: NoiseSource,
) -> DenoisingLoop:
    """The loop of this run, before its first step."""
    if hasattr(scheduler, "set_begin_index") and scheduler.begin_index is None:
        scheduler.set_begin_index(0)  # else it would look for the first timestep's index, and may find the second
    return DenoisingLoop(
        unet=run_context.pipeline.unet,
        scheduler=scheduler,
        timesteps=timesteps,
        latents=latents,
        conditionings=conditionings,
        noise=noise,
        device=run_context.device,
        check=run_context.context.check,
    )


def _denoise(
    run_context: RunContext,
    loop: DenoisingLoop,
    canvas: Canvas,
    indices: list[int],
    picture_in: PictureIn | None = None,
) -> tuple[Tensor, int]:
    """The latents at the end (the denoised estimate, if the way ends early), and the number of steps that it took.

    On the way, the request may be replaced by another one, as the branch plan says. Raises InvalidRequest for a step
    that does not exist.
    """
    plan = run_context.branch_plan
    last: StepDone | None = None
    with run_context.kept_steps.recorder(plan.digests, run_context.stamp) as loop.recorder:
        for segment in plan.segments:
            loop.recorder.known = [run_context.kept_steps.recall(alike, run_context.stamp) for alike in segment.digests]
            until = loop.total if segment.until is None else segment.until
            if not loop.done < until <= loop.total:
                raise InvalidRequest(field="steps", reason="no_such_step", limit=loop.total)
            while loop.done < until:
                last = loop.step()
                _report(run_context, last, canvas, indices, picture_in)
            loop.check_finite()
            if segment.switch is None or last is None:
                break
            _switch(run_context, loop, segment.switch, last, canvas, picture_in)
    if last is None:
        raise InvalidRequest(field="steps", reason="no_iterations")
    return (loop.latents if plan.ends_clean else last.estimate()), last.index


def _switch(
    run_context: RunContext,
    loop: DenoisingLoop,
    switch: Switch,
    last: StepDone,
    canvas: Canvas,
    picture_in: PictureIn | None,
) -> None:
    """Makes the loop draw what `switch` says, after the step `last`."""
    run_context.take_up(switch.asked, switch.index)
    loop.conditionings = condition(switch.asked, run_context, canvas, [switch.index], loop.total, picture_in)
    if not switch.is_renoised:
        return
    loop.noise = NoiseSource.of(switch.asked, [switch.index])
    scheduler, timesteps = _begin_again(switch.asked, run_context, loop)
    loop.begin(scheduler, timesteps)
    noise = loop.noise.initial(loop.latents.shape[1:], loop.latents.device)
    latents = scheduler.add_noise(last.estimate(), noise, timesteps[:1])
    loop.latents = latents if loop.constrain is None else loop.constrain(scheduler, latents, last.index)


def _report(
    run_context: RunContext, done: StepDone, canvas: Canvas, indices: list[int], picture_in: PictureIn | None
) -> None:
    """Reports a step of the batch as one of each of its images."""
    for row, image in enumerate(indices):
        run_context.previewer.step(
            index=done.index,
            total=done.total,
            phase="denoise",
            image=image,
            seconds=done.seconds / len(indices),
            make=_preview_maker(run_context.latent_decoder, done, row, canvas),
            finish=None if picture_in is None else picture_in.preview,
        )


def _begin_again(asked: Sampling, run_context: RunContext, loop: DenoisingLoop) -> tuple[Any, Tensor]:
    """A new scheduler for the rest of the way, and its timesteps for that."""
    fresh = _scheduler(asked, run_context)
    done = len(fresh.timesteps) - len(loop.timesteps)
    timesteps = fresh.timesteps[done:]
    if hasattr(fresh, "set_begin_index"):
        fresh.set_begin_index(done)
    elif isinstance(fresh, PNDMScheduler) and len(timesteps) > 1:
        timesteps = torch.cat([timesteps[:2], timesteps[1:]])  # PLMS begins by taking its first stride twice
    return fresh, timesteps


def _preview_maker(
    decoder: LatentDecoder | None, done: StepDone, row: int, canvas: Canvas
) -> Callable[[], np.ndarray] | None:
    return None if decoder is None else lambda: canvas.crop(decoder(done.estimate()[row]))


def _pictures(
    asked: Sampling,
    run_context: RunContext,
    latents: Tensor,
    canvas: Canvas,
    indices: list[int],
    steps: int,
    finish: Callable[[np.ndarray], Image.Image] = Image.fromarray,
) -> list[RawImage]:
    """Decodes one picture after the other: decoding them together would only take more memory.

    `finish` turns what was drawn, (H, W, 3) uint8, into the picture.
    """
    finished = []
    asked, ends = run_context.branch_plan.end(asked, indices)
    for row, index in enumerate(ends):
        run_context.context.check()
        started = time.perf_counter()
        decoded = decode(run_context.decoder, latents[row : row + 1], is_tiled=run_context.is_tiled)
        if not bool(torch.isfinite(decoded).all()):
            raise NotFinite(phase="decode")
        picture = finish(canvas.crop(to_pixels(decoded)))
        seconds = time.perf_counter() - started
        run_context.previewer.step(
            index=1, total=1, phase="decode", image=index, seconds=seconds, make=partial(_same, picture)
        )
        finished.append(engine_image(asked, run_context, picture, index, steps))
    return finished


def _same(picture: Image.Image) -> Image.Image:
    return picture
