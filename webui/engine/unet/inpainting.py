"""Inpainting in latents: which places may move at which step, what the others are held at, and what a checkpoint made
for inpainting is told.

One rule covers it all. Each place has a strength, and moves from the step at which the noise has that strength; until
then it is the picture under that much noise. With one strength for everything masked, this is inpainting with an
ordinary checkpoint (as in diffusers; Lugmayr et al. 2022 without resampling). With graded strengths, it is differential
diffusion (Levin & Fried 2023, arXiv 2306.00950, algorithm 1). With 1 where there was no picture, it is outpainting.
Knows no requests and no pixels' edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from webui.engine.pictures.images import pad_to, to_tensor
from webui.engine.pictures.intake import PictureIn
from webui.engine.pictures.latents import Canvas, encode_mean
from webui.engine.sampling import Sampling
from webui.engine.schedulers.make import steps_after_calls
from webui.engine.unet.denoising import LatentConstraint
from webui.engine.unet.noise import NoiseSource

_MASKED = 0.5  # from here on a place counts as masked for a network that knows only yes and no (diffusers)


def to_latents(mask: np.ndarray, canvas: Canvas, device: torch.device) -> Tensor:
    """(H, W) at the size asked for → (1, 1, h, w): the maximum over each latent's pixels, so that none is left out."""
    grown = functional.pad(torch.from_numpy(mask)[None, None], _rest(canvas, mask))
    return functional.max_pool2d(grown, canvas.factor).to(device)


def strengths(picture_in: PictureIn, denoising_strength: float, canvas: Canvas, *, is_soft: bool) -> np.ndarray:
    """(H, W): how far each place may leave the picture.

    Grey places of a mask that is not soft are drawn like white ones, and are mixed in pixels later; added places have
    nothing to keep.
    """
    mask, added = picture_in.mask, picture_in.added
    if mask is None or added is None:
        return np.full((canvas.height, canvas.width), denoising_strength, np.float32)
    graded = mask if is_soft else (mask > 0).astype(np.float32)
    return np.where(added > 0, graded, graded * denoising_strength).astype(np.float32)


def start_of(strength: Tensor, steps: int) -> Tensor:
    """The step, from 0, at which a place of this strength begins to move; `steps`, that is never,
    for a strength of 0.
    """
    run = (steps * strength.double() + 1e-6).floor().clamp_min(1)  # 20 × 0.6 in float32 would be 11.99…
    return torch.where(strength > 0, steps - run, steps).to(torch.int64)


@dataclass(frozen=True, kw_only=True)
class Freely:
    """Everything moves from the first step on. `clean` and `noise` are (B, C, h, w)."""

    clean: Tensor
    noise: Tensor

    def begin(self, scheduler: Any, timesteps: Tensor) -> Tensor:
        """The latents before the first of `timesteps`."""
        return self._noisy(scheduler, timesteps[0])

    def constrain(self, scheduler: Any, timesteps: Tensor, steps: int) -> LatentConstraint | None:
        """None: nothing is held."""
        return None

    def _noisy(self, scheduler: Any, timestep: Tensor) -> Tensor:
        """The picture under as much noise as there is at `timestep`; a scheduler that counts its steps is asked by its
        step.
        """
        noisy: Tensor = scheduler.add_noise(self.clean, self.noise, timestep.reshape(1).repeat(len(self.clean)))
        return noisy


@dataclass(frozen=True, kw_only=True)
class Still(Freely):
    """Holds places at the picture until they may move, from step `start` (1, 1, h, w) on.

    `is_new`, of the same shape, is true where nothing of the picture should be left.
    """

    start: Tensor
    is_new: Tensor

    def begin(self, scheduler: Any, timesteps: Tensor) -> Tensor:
        """The latents before the first of `timesteps`; where nothing of the picture should be left, they are noise
        alone.
        """
        noisy = self._noisy(scheduler, timesteps[0])
        if not bool(self.is_new.any()):
            return noisy
        return torch.where(self.is_new, self.noise * scheduler.init_noise_sigma, noisy)

    def constrain(self, scheduler: Any, timesteps: Tensor, steps: int) -> LatentConstraint:
        """The constraint for a loop over `timesteps`, the last ones of all `steps`."""
        steps_done = steps_after_calls(scheduler, len(timesteps))
        skipped = steps - steps_done[-1]
        following = dict(zip(steps_done, [*timesteps[1:], None], strict=True))  # of each step the last call's counts

        def held(scheduler: Any, latents: Tensor, done: int) -> Tensor:
            following_timestep = following[done]
            at_rest = self.clean if following_timestep is None else self._noisy(scheduler, following_timestep)
            # what may move from the very next step on does so from the picture, too
            return torch.where(self.start >= skipped + done, at_rest, latents)

        return held


def still(asked: Sampling, picture_in: PictureIn, clean: Tensor, source: NoiseSource, canvas: Canvas) -> Freely:
    """What is held of `clean`, the picture's latents, while it is drawn over; the noise comes from `source`."""
    noise = source.initial(clean.shape[1:], clean.device)
    if picture_in.mask is None:
        return Freely(clean=clean, noise=noise)
    steps = asked.request.steps
    strength = to_latents(
        strengths(picture_in, asked.denoising_strength, canvas, is_soft=asked.redraw.is_soft), canvas, clean.device
    )
    start = start_of(strength, steps)
    return Still(
        clean=with_content(clean, picture_in.mask, asked.redraw.masked_content, source, canvas),
        noise=noise,
        start=start,
        # one step alone begins at step 0 whatever its strength, and its noise says how much of the picture is left
        is_new=strength > 1 - 1e-6 if steps == 1 and asked.starts_between_steps else start == 0,
    )


def with_content(clean: Tensor, mask: np.ndarray, content: str, source: NoiseSource, canvas: Canvas) -> Tensor:
    """(B, C, h, w) with noise or nothing in the masked places, if the masked `content` should start from that."""
    if content not in ("latent_noise", "latent_nothing"):
        return clean
    masked = to_latents((mask > 0).astype(np.float32), canvas, clean.device)
    instead = source.initial(clean.shape[1:], clean.device) if content == "latent_noise" else torch.zeros_like(clean)
    return torch.lerp(clean, instead, masked)


def told_of_mask(vae: Any, picture_in: PictureIn | None, canvas: Canvas) -> Tensor:
    """(1, 5, h, w) for a U-Net made for inpainting: the mask, and the latents of the picture with grey in its place.

    Without a mask, everything is drawn and none of the picture is shown, as in the training of such networks.
    """
    if picture_in is None or picture_in.mask is None:
        masked = encode_mean(vae, torch.zeros(1, 3, canvas.computed_height, canvas.computed_width))
        return torch.cat([torch.ones(1, 1, *canvas.latent_size, device=masked.device), masked], dim=1)
    mask = (picture_in.mask >= _MASKED).astype(np.float32)
    picture = to_tensor(picture_in.picture) * (1 - torch.from_numpy(mask))
    masked = encode_mean(vae, pad_to(picture, canvas.computed_width, canvas.computed_height))
    grown = functional.pad(torch.from_numpy(mask)[None, None], _rest(canvas, mask))
    small = functional.interpolate(grown, size=canvas.latent_size)  # the nearest, as they were trained with
    return torch.cat([small.to(masked.device), masked], dim=1)


def _rest(canvas: Canvas, mask: np.ndarray) -> tuple[int, int, int, int]:
    """What is computed beyond the size asked for, at the right and at the bottom, in the form that `pad` takes."""
    return 0, canvas.computed_width - mask.shape[1], 0, canvas.computed_height - mask.shape[0]
