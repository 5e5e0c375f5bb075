"""The loop of the U-Net families: noise → latents, one step after the other, with the denoised estimate of each.

Shared by text to image and image to image. Knows no prompts, no pictures, no pipelines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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
    """What the U-Net is told besides latents and time at one step, for a batch of B images.

    Every tensor has R = B · (N + 1) rows: with guidance, first B rows for the negative text, then B for each of the N
    positive texts. Without guidance there is one positive text, and R = B.

    `embeds` is (R, tokens, channels). `added` has SDXL's pooled text and sizes. `extra_channels` (R, 5, h, w) are the
    mask and the masked picture for an inpainting checkpoint. `guidance_embeds` (R, channels) are for a distilled one.
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
class StepDone:
    """Step `index` of `total`, from 1. `estimate()` gives the denoised latents (B, C, h, w) that it worked towards."""

    index: int
    total: int
    seconds: float
    estimate: Callable[[], Tensor] = field(repr=False)


# (scheduler, latents after a step, steps done) → the latents to go on with
LatentConstraint = Callable[[Any, Tensor, int], Tensor]


@dataclass(kw_only=True)
class DenoisingLoop:
    """B images on their way from noise to latents, one step at a time. What the network is told may change between
    steps.

    - `timesteps`: one for each remaining call of the network.
    - `latents`: (B, C, h, w), float32, as they are now, after `done` steps.
    - `conditionings`: one for each step of the whole way; both halves of a step of second order use the same.
    - `noise`: the source of fresh noise.
    - `recorder`: keeps what the network predicts, and plays back what is known already.
    - `constrain`: may change the latents after each step, to restore what should not be drawn.
    - `check`: called before each call of the network; may raise.

    Latents stay in float32 between the steps, whatever the U-Net computes in (diffusers' pipelines round them to its
    type).
    """

    unet: Any
    scheduler: Any
    timesteps: Tensor
    latents: Tensor
    conditionings: Sequence[Conditioning]
    noise: NoiseSource
    device: Device
    check: Callable[[], None]
    recorder: StepRecorder = field(default_factory=StepRecorder)
    constrain: LatentConstraint | None = None
    done: int = 0

    def __post_init__(self) -> None:
        self._pace = _Pace(self.device)
        self._started = time.perf_counter()
        self.begin(self.scheduler, self.timesteps)

    def begin(self, scheduler: Any, timesteps: Tensor) -> None:
        """Continues from here with `scheduler` and its `timesteps`, one for each call of the network."""
        is_float64 = timesteps.dtype == torch.float64
        if is_float64 and self.device.torch_device.type == "mps":
            timesteps = timesteps.float()  # Apple's GPUs have no float64
        self.scheduler, self.timesteps = scheduler, timesteps
        self._steps_done = [self.done + step for step in steps_after_calls(scheduler, len(timesteps))]
        self.total = self._steps_done[-1] if self._steps_done else self.done

    def step(self) -> StepDone:
        """Runs the next step: one call of the network, or two for a rule of second order.

        Raises InvalidRequest if no step is left.
        """
        if self.done >= self.total:
            raise InvalidRequest(field="steps", reason="no_such_step", limit=self.total)
        before = self.done
        while self.done == before:
            model_input, prediction, timestep = self._call()
        if self.constrain is not None:
            self.latents = self.constrain(self.scheduler, self.latents, self.done)
        self._pace.wait_for_step_before()
        now = time.perf_counter()
        seconds, self._started = now - self._started, now
        estimate = partial(denoised_estimate, self.scheduler, model_input, prediction, timestep)
        return StepDone(index=self.done, total=self.total, seconds=seconds, estimate=estimate)

    def check_finite(self) -> None:
        """Raises NotFinite if the latents contain NaN or infinity."""
        if not bool(torch.isfinite(self.latents).all()):
            raise NotFinite(phase="denoise")

    def _call(self) -> tuple[Tensor, Tensor, float]:
        """One call of the network: what it saw, what it predicted, and at which timestep."""
        self.check()
        timestep, self.timesteps = self.timesteps[0], self.timesteps[1:]
        t = timestep.to(self.device.torch_device)
        model_input = self.scheduler.scale_model_input(self.latents, t)
        predict = partial(_predict, self.unet, model_input, t, self.conditionings[self.done])
        prediction = self.recorder.next(self.latents.device, predict)
        self.latents = self.noise.step(self.scheduler, prediction, t, self.latents)
        self.done = self._steps_done.pop(0)
        return model_input, prediction, float(timestep)


def _predict(unet: Any, model_input: Tensor, t: Tensor, conditioning: Conditioning) -> Tensor:
    """The U-Net's prediction in float32, guided (Ho & Salimans 2022) if asked: all texts in one batch.

    Each of several positive texts pulls away from the negative one by its weight (Liu et al. 2022, eq. 11).
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
    """`guided`, with the contrast of `plain`, the prediction at guidance 1, by `share` (Lin et al. 2024, eq. 15)."""
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
        """Waits until the GPU has finished the step before this one; returns at once on other devices."""
        if not self._is_cuda:
            return
        if self._before is not None:
            self._before.synchronize()
        self._before = torch.cuda.current_stream().record_event()
