"""How most of diffusers' pipelines are called; the other adapters override what differs for theirs. Knows no family by
name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from webui.engine.pictures.images import to_pixels
from webui.engine.pipelines.observed import SchedulerStep
from webui.engine.pipelines.run_scheduler import scheduler_of_run
from webui.engine.previews.preview import LatentDecoder, decoded
from webui.engine.sampling import Sampling
from webui.engine.schedulers.make import steps_after_calls
from webui.errors import InvalidRequest
from webui.prompts.reading import as_it_stands

OnStep = Callable[[int, int], None]  # steps done, of how many; may come twice for one step, and raises to stop


class PlainAdapter:
    """Latents as a VAE has them, ordinary classifier-free guidance with a negative prompt, and a callback after each
    step.
    """

    scales_input = False  # whether latents go through `scale_model_input`, which noise of another variance than 1 needs

    def prepare(self, pipeline: Any) -> None:
        """Mends what the pipeline cannot do by itself, before it runs."""

    def scheduler(self, original: Any, asked: Sampling) -> Any:
        """A new scheduler for one run, based on the checkpoint's own. Raises InvalidRequest if what is asked is not
        possible.
        """
        return scheduler_of_run(original, asked, scales_input=self.scales_input)

    def arguments(self, pipeline: Any, asked: Sampling, index: int, size: tuple[int, int]) -> dict[str, Any]:
        """The arguments for image `index` (from 0) at `size` (height, width) in pixels; only those that the pipeline
        accepts.
        """
        height, width = size
        accepted = inspect.signature(pipeline.__call__).parameters
        told: dict[str, Any] = {
            "prompt": as_it_stands(asked.prompt, asked.reading.dialect),
            "width": width,
            "height": height,
            "num_inference_steps": asked.request.steps,
            "generator": torch.Generator("cpu").manual_seed(asked.seed_of(index)),
            "use_resolution_binning": False,  # it computes at another size than asked for, and stretches the picture
            "clean_caption": False,  # the prompt as it was typed
            "output_type": "np",
            **self.guidance(asked, as_it_stands(asked.negative_prompt, asked.reading.dialect)),
        }
        if asked.request.eta is not None:
            told["eta"] = asked.request.eta
        if told.get("negative_prompt") and "negative_prompt" not in accepted:
            raise InvalidRequest(field="negative_prompt", reason="no_negative_prompt")
        return {name: value for name, value in told.items() if name in accepted}

    def guidance(self, asked: Sampling, negative_prompt: str) -> dict[str, Any]:
        """The arguments for the guidance scale and the negative prompt.

        An empty negative prompt is left out: some pipelines want None there, others raise an error.
        """
        told: dict[str, Any] = {"guidance_scale": asked.request.guidance_scale}
        return told | ({"negative_prompt": negative_prompt} if negative_prompt else {})

    def observation(self, on_step: OnStep, steps: int) -> dict[str, Any]:
        """The arguments that make the pipeline call `on_step`; `steps` is the number of steps that it will run."""

        def on_step_end(pipeline: Any, call: int, _timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
            done_after = steps_after_calls(pipeline.scheduler, pipeline.num_timesteps)  # calls of the network
            on_step(done_after[call], done_after[-1])
            return values

        return {"callback_on_step_end": on_step_end}

    def preview(
        self, pipeline: Any, step: SchedulerStep, size: tuple[int, int], decoder: LatentDecoder | None
    ) -> Callable[[], np.ndarray] | None:
        """A function that makes a small picture (h, w, 3) uint8 of what the step worked towards; None if no cheap way
        exists.
        """
        if decoder is None:
            return None
        return lambda: decoder(self.as_grid(pipeline, self.denoised(step), size))

    def estimate(
        self, pipeline: Any, step: SchedulerStep, size: tuple[int, int], decoder: LatentDecoder | None
    ) -> np.ndarray:
        """The picture (H, W, 3) in [0, 1] that the step worked towards. Raises InvalidRequest if it
        cannot be decoded.
        """
        if decoder is None:
            raise InvalidRequest(field="stop_after", reason="no_estimate")
        pixels = decoded(pipeline.vae, self.as_grid(pipeline, self.denoised(step), size).unsqueeze(0))
        return to_pixels(pixels[0]).astype(np.float32) / 255

    def denoised(self, step: SchedulerStep) -> Tensor:
        """The clean latents that the step worked towards, as the VAE has them."""
        return step.denoised()

    def as_grid(self, pipeline: Any, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """The first row of the scheduler's latents as (C, h, w); `size` is the picture's (height, width) in pixels."""
        return latents.reshape(latents.shape[0], latents.shape[1], *latents.shape[-2:])[0]

    def mask(self, pipeline: Any, mask: np.ndarray) -> np.ndarray:
        """(H, W), 0 or 255, in the form of the pipeline's `mask_image`."""
        return mask


class ScaledInputAdapter(PlainAdapter):
    """A pipeline that also works with schedulers whose noise does not have unit variance."""

    scales_input = True
