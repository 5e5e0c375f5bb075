"""Update rules whose share of fresh noise can be chosen: diffusers' own, with an eta.

`eta` in [0, 1] is as in k-diffusion. At 1, every step replaces as much noise as the rule can, as in diffusers; at 0 it
replaces none, which leaves the rule without noise. Knows no names and no checkpoints.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from diffusers import (
    DDIMScheduler,
    EulerAncestralDiscreteScheduler,
    KDPM2AncestralDiscreteScheduler,
    KDPM2DiscreteScheduler,
    TCDScheduler,
)
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor


def up_and_down(sigma_from: Tensor, sigma_to: Tensor, eta: float) -> tuple[Tensor, Tensor]:
    """The noise to add, and the sigma to step down to before; their squares add up to that of `sigma_to` (Karras et al.
    2022).

    At the largest share, all noise that a step of the diffusion itself would have added is replaced (Ho et al. 2020).
    """
    up = eta * (sigma_to**2 * (sigma_from**2 - sigma_to**2) / sigma_from**2) ** 0.5
    return up, (sigma_to**2 - up**2) ** 0.5


class EulerAncestral(EulerAncestralDiscreteScheduler):  # type: ignore[misc]  # diffusers carries no types
    """Euler a with an eta."""

    eta = 1.0

    def step(
        self,
        model_output: Tensor,
        timestep: float | Tensor,
        sample: Tensor,
        generator: Any = None,
        return_dict: bool = True,
    ) -> Any:
        """One step down; at an eta of 1 exactly diffusers' own."""
        if self.eta == 1 or return_dict:
            return super().step(model_output, timestep, sample, generator=generator, return_dict=return_dict)
        if self.step_index is None:
            self._init_step_index(timestep)
        sigma, sigma_to = self.sigmas[self.step_index], self.sigmas[self.step_index + 1]
        up, down = up_and_down(sigma, sigma_to, self.eta)
        if self.config.prediction_type == "v_prediction":
            denoised = sample / (sigma**2 + 1) - model_output * sigma / (sigma**2 + 1) ** 0.5
        else:
            denoised = sample - sigma * model_output
        moved = sample + (sample - denoised) / sigma * (down - sigma)
        if self.eta > 0:
            moved = moved + up * randn_tensor(sample.shape, generator=generator, device=sample.device)
        self._step_index += 1
        return moved, denoised


class Ddim(DDIMScheduler):  # type: ignore[misc]  # diffusers carries no types
    """DDIM with an eta of its own, for callers that do not pass one at each step."""

    eta = 0.0

    def step(
        self,
        model_output: Tensor,
        timestep: int,
        sample: Tensor,
        eta: float | None = None,
        use_clipped_model_output: bool = False,
        generator: Any = None,
        variance_noise: Tensor | None = None,
        return_dict: bool = True,
    ) -> Any:
        """One step down, exactly diffusers' own."""
        share = self.eta if eta is None else eta
        return super().step(
            model_output, timestep, sample, share, use_clipped_model_output, generator, variance_noise, return_dict
        )

    def _get_variance(self, timestep: int, prev_timestep: int) -> Any:
        """diffusers' variance, limited to all the noise that there is: from zero terminal SNR at an eta of 1 everything
        is fresh noise, and rounding beyond that would give noise of an imaginary size.
        """
        variance = super()._get_variance(timestep, prev_timestep)
        alpha_prod = self.alphas_cumprod[prev_timestep] if prev_timestep >= 0 else self.final_alpha_cumprod
        if (variance**0.5) ** 2 > 1 - alpha_prod:
            variance = variance * (1 - 4 * torch.finfo(torch.float32).eps)
        return variance


class Tcd(TCDScheduler):  # type: ignore[misc]  # diffusers carries no types
    """Trajectory consistency (Zheng et al. 2024) with an eta of its own, the paper's gamma."""

    eta = 0.3  # the paper's, and diffusers'

    def step(
        self,
        model_output: Tensor,
        timestep: int,
        sample: Tensor,
        eta: float | None = None,
        generator: Any = None,
        return_dict: bool = True,
    ) -> Any:
        """One step down, exactly diffusers' own."""
        share = self.eta if eta is None else eta
        return super().step(model_output, timestep, sample, share, generator, return_dict)


class _ConstructedWithoutSteps:
    """For schedulers whose constructor computes a step for each trained timestep: half a second for numbers nobody
    uses.

    Only the constructor passes `num_train_timesteps`.
    """

    sigmas: Tensor

    def set_timesteps(
        self, num_inference_steps: int, device: Any = None, num_train_timesteps: int | None = None
    ) -> None:
        """diffusers' own, but does nothing when the constructor calls it: there are no timesteps
        before the next call.
        """
        if num_train_timesteps is None:
            super().set_timesteps(num_inference_steps, device)  # type: ignore[misc]  # diffusers carries no types
        else:
            self.sigmas = torch.empty(0)


class Dpm2(_ConstructedWithoutSteps, KDPM2DiscreteScheduler):  # type: ignore[misc]  # diffusers carries no types
    """DPM2, of second order."""

    def begin_between(self, index: int) -> None:
        """Moves the middle of the step at `index` after its first sigma was changed."""
        middle = (self.sigmas[index] * self.sigmas[index + 1]).sqrt()
        self.sigmas_interpol[index + 1] = middle
        _set_timestep(self, index + 1, middle)


class Dpm2Ancestral(_ConstructedWithoutSteps, KDPM2AncestralDiscreteScheduler):  # type: ignore[misc]  # diffusers carries no types
    """DPM2 a with an eta. It computes what each step needs beforehand, in pairs: to the middle, and down."""

    eta = 1.0

    def set_timesteps(
        self, num_inference_steps: int, device: Any = None, num_train_timesteps: int | None = None
    ) -> None:
        """diffusers' own; at an eta other than 1, the tables that depend on it are computed again."""
        super().set_timesteps(num_inference_steps, device, num_train_timesteps)
        if self.eta == 1:
            return
        sigmas = torch.cat([self.sigmas[:1], self.sigmas[1:-1:2]])
        sigmas_to = torch.cat([sigmas[1:], sigmas.new_zeros(1)])
        up, down = up_and_down(sigmas[:-1], sigmas_to[:-1], self.eta)
        middle = (sigmas[:-1] * down).sqrt()
        middle[-1] = 0.0  # the last step goes straight to zero, as diffusers' does
        zero = sigmas.new_zeros(1)
        self.sigmas_up, self.sigmas_down = _pairs(torch.cat([up, zero])), _pairs(torch.cat([down, zero]))
        self.sigmas_interpol = _pairs(torch.cat([middle, zero]))
        log_sigmas = self.log_sigmas.cpu().numpy()
        between = np.array([self._sigma_to_t(sigma, log_sigmas) for sigma in middle[:-1].numpy()])
        self.timesteps[1::2] = torch.from_numpy(between).to(self.timesteps)

    def begin_between(self, index: int) -> None:
        """Computes what the step at `index` needs again, after its first sigma was changed."""
        up, down = up_and_down(self.sigmas[index], self.sigmas[index + 1], self.eta)
        middle = (self.sigmas[index] * down).sqrt()
        self.sigmas_up[index], self.sigmas_down[index], self.sigmas_interpol[index] = up, down, middle
        _set_timestep(self, index + 1, middle)


def _set_timestep(scheduler: Any, index: int, sigma: Tensor) -> None:
    """Sets the timestep for the call in the middle of a step; the last step has none."""
    if index < len(scheduler.timesteps):
        log_sigmas = scheduler.log_sigmas.cpu().numpy()
        scheduler.timesteps[index] = float(scheduler._sigma_to_t(sigma.numpy(), log_sigmas))


def _pairs(values: Tensor) -> Tensor:
    """Repeats each entry but the first twice and the last three times: one for each half of a step."""
    return torch.cat([values[:1], values[1:].repeat_interleave(2), values[-1:]])
