"""The loop of the U-Net families: noise → latents, one step after the other, with the denoised estimate of each.

Shared by text to image and image to image. Knows no prompts, no pictures, no pipelines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from webui.engine.device import Device
from webui.engine.schedulers.make import denoised_estimate, steps_after_calls
from webui.engine.unet.kept_steps import StepRecorder
from webui.engine.unet.noise import NoiseSource
from webui.errors import InvalidRequest, NotFinite


@dataclass(frozen=True, kw_only=True)
class Conditioning:
    """What the U-Net is told beside latents and time at one step, for a batch of B images.

    Every tensor has R = B · (N + 1) rows: with guidance the B of the negative text come first, then B for each of the N
    positive texts. Without guidance there is one positive text, and R = B.
    `embeds` (R, tokens, channels); `added` are SDXL's pooled text and sizes; `extra_channels` (R, 5, h, w) are the mask
    and the masked picture of an inpainting checkpoint; `guidance_embeds` (R, channels) those of a distilled one.
    """

    embeds: Tensor
    guidance_scale: float
    is_guided: bool
    weights: tuple[float, ...] = (1.0,)  # N; what each positive text adds to the guidance
    guidance_rescale: float = 0.0
    added: dict[str, Tensor] | None = None
    extra_channels: Tensor | None = None
    guidance_embeds: Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class TimestepRange:
    """A part of the way from noise to picture: its timesteps, one for each call of the network, and the steps (of the
    whole way, from 1) that are done after each. `before` are done when it begins, `total` when the whole way is.

    Rules of second order call the network twice a step; a range ends with whole steps.
    """

    timesteps: Tensor
    steps_done: Sequence[int]
    total: int
    before: int = 0

    @classmethod
    def whole(cls, scheduler: Any, timesteps: Tensor, *, before: int = 0) -> TimestepRange:
        """All of `timesteps`, after `before` steps."""
        done = [before + step for step in steps_after_calls(scheduler, len(timesteps))]
        return cls(timesteps=timesteps, steps_done=done, total=done[-1], before=before)

    def cut(self, step: int) -> tuple[TimestepRange, TimestepRange]:
        """Up to the end of `step`, and what follows. Raises InvalidRequest for a step that is not one of its own."""
        if not self.before < step <= self.total:
            raise InvalidRequest(field="steps", reason="no_such_step", limit=self.total)
        calls = self.steps_done.index(step) + 1
        first = replace(self, timesteps=self.timesteps[:calls], steps_done=self.steps_done[:calls])
        rest = replace(self, timesteps=self.timesteps[calls:], steps_done=self.steps_done[calls:], before=step)
        return first, rest


@dataclass(frozen=True, kw_only=True)
class StepDone:
    """Step `index` of `total`, from 1. `estimate()` gives the denoised latents (B, C, h, w) that it worked towards."""

    index: int
    total: int
    seconds: float
    estimate: Callable[[], Tensor] = field(repr=False)


# (scheduler, latents after a step, steps done) → the latents to go on with
LatentConstraint = Callable[[Any, Tensor, int], Tensor]


def denoise(
    unet: Any,
    scheduler: Any,
    timestep_range: TimestepRange,
    latents: Tensor,
    conditionings: Sequence[Conditioning],
    noise: NoiseSource,
    device: Device,
    check: Callable[[], None],
    on_step: Callable[[StepDone], None],
    recorder: StepRecorder | None = None,
    constrain: LatentConstraint | None = None,
) -> Tensor:
    """Latents (B, C, h, w), float32, after all of `timestep_range`. `noise` is where fresh noise comes from. The
    `recorder` keeps what the network predicts, and plays back what is known already.

    `constrain` may change them after each step: what is not to be drawn is put back there.

    `conditionings` has one entry for each step of the whole way: both halves of a second-order step hear the same.

    Latents stay in float32 between the steps, whatever the U-Net computes in (diffusers' pipelines round them to its
    type). Raises NotFinite.
    """
    recorder = recorder or StepRecorder()
    pace = _Pace(device)
    timesteps, done, started = timestep_range.timesteps, timestep_range.before, time.perf_counter()
    if device.torch_device.type == "mps" and timesteps.dtype == torch.float64:
        timesteps = timesteps.float()  # Apple's GPUs have no float64
    for t, now_done in zip(timesteps.to(device.torch_device), timestep_range.steps_done, strict=True):
        check()
        model_input = scheduler.scale_model_input(latents, t)
        prediction = recorder.next(latents.device, partial(_predict, unet, model_input, t, conditionings[done]))
        latents = noise.step(scheduler, prediction, t, latents)
        if now_done > done:
            done = now_done
            if constrain is not None:
                latents = constrain(scheduler, latents, done)
            pace.wait_for_step_before()
            seconds, started = time.perf_counter() - started, time.perf_counter()

            def estimate(x: Tensor = model_input, out: Tensor = prediction, t: Tensor = t) -> Tensor:
                return denoised_estimate(scheduler, x, out, float(t))

            on_step(StepDone(index=done, total=timestep_range.total, seconds=seconds, estimate=estimate))
    if not bool(torch.isfinite(latents).all()):
        raise NotFinite(phase="denoise")
    return latents


def _predict(unet: Any, model_input: Tensor, t: Tensor, conditioning: Conditioning) -> Tensor:
    """The U-Net's prediction in float32, guided (Ho & Salimans 2022) where that is asked: all texts in one batch.

    Several positive texts each pull away from the negative one by their weights (Liu et al. 2022, eq. 11).
    """
    parts = len(conditioning.weights) + 1 if conditioning.is_guided else 1
    rows = torch.cat([model_input] * parts)
    if conditioning.extra_channels is not None:
        rows = torch.cat([rows, conditioning.extra_channels], dim=1)
    prediction: Tensor = unet(
        rows.to(unet.dtype),
        t,
        encoder_hidden_states=conditioning.embeds,
        timestep_cond=conditioning.guidance_embeds,
        added_cond_kwargs=conditioning.added,
        return_dict=False,
    )[0].float()
    if not conditioning.is_guided:
        return prediction
    negative, *positives = prediction.chunk(parts)
    pull = sum(weight * (positive - negative) for weight, positive in zip(conditioning.weights, positives, strict=True))
    guided = negative + conditioning.guidance_scale * pull
    return _rescaled(guided, negative + pull, conditioning.guidance_rescale)


def _rescaled(guided: Tensor, plain: Tensor, share: float) -> Tensor:
    """`guided` with the contrast of `plain`, the prediction at guidance 1, by `share` (Lin et al. 2024, eq. 15)."""
    if share == 0:
        return guided
    dims = tuple(range(1, guided.dim()))
    matched = guided * (plain.std(dims, keepdim=True) / guided.std(dims, keepdim=True))
    return torch.lerp(guided, matched, share)


class _Pace:
    """Keeps the loop at most one step ahead of a GPU, so that steps are reported, and stopped, when they happen."""

    def __init__(self, device: Device) -> None:
        self._is_cuda = device.torch_device.type == "cuda"
        self._before: Any = None

    def wait_for_step_before(self) -> None:
        if not self._is_cuda:
            return
        if self._before is not None:
            self._before.synchronize()
        self._before = torch.cuda.current_stream().record_event()
