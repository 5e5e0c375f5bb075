"""Every family but the U-Net ones: diffusers' own pipeline, watched from its step-end callback.

What a pipeline can be told is read off its signature. Knows no family by name.
"""

from __future__ import annotations

import copy
import inspect
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from diffusers import AmusedInpaintPipeline, AmusedScheduler, FlowMatchEulerDiscreteScheduler
from PIL import Image
from torch import Tensor

from webui.checkpoints.families import FAMILIES, FLOW_SIGMAS, FLOW_SOLVERS
from webui.engine.cancel import all_cancellable
from webui.engine.pictures.images import next_multiple, pad_to, to_pixels, to_tensor
from webui.engine.pictures.intake import drawn_size, take_in
from webui.engine.previews.preview import decoded
from webui.engine.run_context import RunContext, engine_image, kept_picture
from webui.engine.sampling import Sampling
from webui.engine.schedulers.make import UPDATE_RULES, denoised_estimate, make_scheduler, steps_after_calls
from webui.errors import InvalidRequest, NotFinite
from webui.prompts.reading import as_it_stands
from webui.worker.messages import RawImage

_FLOW_SIGMAS = {"karras": "use_karras_sigmas", "exponential": "use_exponential_sigmas", "beta": "use_beta_sigmas"}


def text_to_image(asked: Sampling, run_context: RunContext, indices: list[int], pipeline: Any) -> list[RawImage]:
    """The images `indices` (from 0) of what is asked, one after the other."""
    return [_generate(asked, run_context, pipeline, index, {}) for index in indices]


def image_to_image(
    asked: Sampling,
    run_context: RunContext,
    indices: list[int],
    pipeline: Any,
    init_image: Image.Image,
    mask: np.ndarray | None = None,
) -> list[RawImage]:
    """The images `indices` (from 0) of what is asked, drawn over `init_image` where `mask` says; a strength of 1 is for
    here only with a mask. What is added at the sides is drawn from noise alone, with a mask beside it or not."""
    asked = asked.at(*drawn_size(init_image, asked.redraw, asked.width, asked.height))
    picture_in = take_in(init_image, mask, asked.redraw, asked.width, asked.height)
    if asked.keeps_picture:
        return [kept_picture(asked, run_context, picture_in.unchanged, index) for index in indices]
    width, height = _computed_size(asked, run_context)
    extra = {
        "image": Image.fromarray(to_pixels(pad_to(to_tensor(picture_in.picture), width, height)[0])),
        # a pipeline runs int(steps · strength) steps, and none at all is an error to it
        "strength": max(asked.strongest, (1 + 1e-6) / asked.steps),
    }
    if picture_in.mask is not None:
        drawn = np.zeros((height, width), np.uint8)
        drawn[: asked.height, : asked.width] = (picture_in.mask > 0) * 255
        extra["mask_image"] = Image.fromarray(_mask_for(pipeline, drawn))
    return [_generate(asked, run_context, pipeline, index, extra, picture_in.put_back) for index in indices]


def _mask_for(pipeline: Any, mask: np.ndarray) -> np.ndarray:
    """(H, W), 0 or 255, as the pipeline takes it: aMUSEd's wants one pixel a token, and would else lose thin strokes.

    It also rounds that size down to a multiple of a token's pixels (diffusers 0.42), which fits few sizes; not so here.
    """
    if not isinstance(pipeline, AmusedInpaintPipeline):
        return mask
    pipeline.mask_processor.register_to_config(vae_scale_factor=1)
    factor = pipeline.vae_scale_factor
    tokens: np.ndarray = mask.reshape(mask.shape[0] // factor, factor, -1, factor).max(axis=(1, 3))
    return tokens


def _generate(
    asked: Sampling,
    run_context: RunContext,
    pipeline: Any,
    index: int,
    extra: dict[str, Any],
    finish: Callable[[np.ndarray], Image.Image] = Image.fromarray,
) -> RawImage:
    """`finish` makes the picture of what was drawn, (H, W, 3) uint8."""
    width, height = _computed_size(asked, run_context)
    steps = 0

    def on_step(done: int, total: int, seconds: float, make: Callable[[], np.ndarray] | None) -> None:
        nonlocal steps
        steps = done
        run_context.previewer.step(index=done, total=total, phase="denoise", image=index, seconds=seconds, make=make)

    with (
        all_cancellable(run_context.components, run_context.context.check),
        _own_scheduler(pipeline, asked),
        torch.inference_mode(),
    ):
        watcher = _Watcher(pipeline, run_context, (height, width), on_step, share=extra.get("strength", 1.0))
        arguments = {
            "prompt": as_it_stands(asked.prompt, asked.reading.dialect),
            "negative_prompt": as_it_stands(asked.negative_prompt, asked.reading.dialect) or None,
            "width": width,
            "height": height,
            "num_inference_steps": asked.steps,
            "guidance_scale": asked.guidance_scale,
            "generator": torch.Generator("cpu").manual_seed(asked.seed_of(index)),
            "use_resolution_binning": False,  # it computes at another size than asked for, and stretches the picture
            "clean_caption": False,  # the prompt as it was typed
            "output_type": "np",
            "callback_on_step_end": watcher.on_step_end,
            **extra,
        }
        accepted = inspect.signature(pipeline.__call__).parameters
        if not arguments["negative_prompt"] and "negative_prompt" in accepted:
            arguments["negative_prompt"] = accepted["negative_prompt"].default  # None, or "" where None is an error
        arguments |= _guidance(asked, accepted, _is_told_of_guidance(pipeline))
        if asked.eta is not None:
            arguments["eta"] = asked.eta
        pipeline.set_progress_bar_config(disable=True)
        try:
            output = pipeline(**{name: value for name, value in arguments.items() if name in accepted})
            pixels = np.asarray(output.images[0], dtype=np.float32)  # (H, W, 3) in [0, 1]
        except _Enough:
            pixels = watcher.decoded_estimate(pipeline)
    if not np.isfinite(pixels).all():
        raise NotFinite(phase="decode")
    picture = finish((pixels * 255).round().astype(np.uint8)[: asked.height, : asked.width])
    run_context.previewer.step(index=1, total=1, phase="decode", image=index, make=lambda: picture)
    return engine_image(asked, run_context, picture, index, steps)


def _is_told_of_guidance(pipeline: Any) -> bool:
    """Whether guidance is an input of the network (FLUX.1 dev, and not schnell); True for networks that say nothing."""
    transformer = getattr(pipeline, "transformer", None)
    return transformer is None or transformer.config.get("guidance_embeds", True) is not False


def _guidance(asked: Sampling, accepted: Mapping[str, inspect.Parameter], is_told: bool = True) -> dict[str, Any]:
    """How a pipeline wants to be told of guidance where `guidance_scale` is not classifier-free guidance.

    Qwen-Image's goes by `true_cfg_scale` and needs some negative prompt; its `guidance_scale` is for networks that are
    not published. Others (FLUX.1 dev) know only the distilled kind, which cannot take a negative prompt. FLUX.1 schnell
    has lost that kind, too (not `is_told`), so that only classifier-free guidance is left, which is off below 1. Raises
    InvalidRequest for a negative prompt that would be ignored.
    """
    if "true_cfg_scale" in accepted and accepted["guidance_scale"].default is not None and not is_told:
        return {"true_cfg_scale": asked.guidance_scale, "negative_prompt": asked.negative_prompt or " "}
    if "true_cfg_scale" in accepted and accepted["guidance_scale"].default is None:
        return {
            "guidance_scale": None,
            "true_cfg_scale": asked.guidance_scale,
            "negative_prompt": asked.negative_prompt or " ",
        }
    if asked.negative_prompt and ("negative_prompt" not in accepted or "true_cfg_scale" in accepted):
        raise InvalidRequest(field="negative_prompt", reason="no_negative_prompt")
    return {}


def _computed_size(asked: Sampling, run_context: RunContext) -> tuple[int, int]:
    """Width and height at the family's next multiple; what stands over is cut off at the right and the bottom."""
    multiple = FAMILIES[run_context.checkpoint.family].size_multiple
    return next_multiple(asked.width, multiple), next_multiple(asked.height, multiple)


@contextmanager
def _own_scheduler(pipeline: Any, asked: Sampling) -> Iterator[None]:
    """While this lasts, the pipeline has a scheduler of its own, as the request says."""
    original = pipeline.scheduler
    scales_input = "scale_model_input" in inspect.getsource(type(pipeline))
    pipeline.scheduler = _make_scheduler(original, asked, scales_input=scales_input)
    try:
        yield
    finally:
        pipeline.scheduler = original


def _make_scheduler(original: Any, asked: Sampling, *, scales_input: bool = True) -> Any:
    """The request's rule on the checkpoint's noise. Raises InvalidRequest where it cannot be: nothing is ignored.

    `scales_input`: whether the pipeline hands its latents through `scale_model_input`, as rules with sigmas need it.
    """
    config = dict(original.config)
    if (asked.scheduler == "unmasking") != isinstance(original, AmusedScheduler):
        is_amused = isinstance(original, AmusedScheduler)
        raise InvalidRequest(field="scheduler", reason="needs_unmasking" if is_amused else "unmasking_not_here")
    if isinstance(original, FlowMatchEulerDiscreteScheduler):
        if asked.scheduler != "euler":
            raise InvalidRequest(field="scheduler", reason="flow_needs_euler")
        if asked.sigmas not in FLOW_SIGMAS:
            raise InvalidRequest(field="sigmas", reason="no_aligned_steps")
        option = _FLOW_SIGMAS.get(asked.sigmas)
        return type(original).from_config(config, **({option: True} if option else {}))
    if config.get("prediction_type") == "flow_prediction":
        if asked.scheduler not in FLOW_SOLVERS:
            raise InvalidRequest(field="scheduler", reason="flow_needs_multistep")
        if asked.sigmas != "default":
            raise InvalidRequest(field="sigmas", reason="scheduler_without_sigmas")
    if any(isinstance(original, rule.scheduler_class) for rule in UPDATE_RULES.values()):
        made = make_scheduler(
            config, asked.scheduler, asked.sigmas, steps=asked.steps, eta=asked.eta, sigma_range=asked.sigma_range
        )
        if float(made.init_noise_sigma) != 1 and not scales_input:
            raise InvalidRequest(field="scheduler", reason="scheduler_not_here")
        return made
    return copy.deepcopy(original)


class _Enough(Exception):
    """The steps that were asked for are done, and the pipeline knows of more."""


class _Watcher:
    """Reports a pipeline's steps. What the network predicted is caught at the scheduler, after guidance."""

    def __init__(
        self,
        pipeline: Any,
        run_context: RunContext,
        size: tuple[int, int],
        on_step: Callable[[int, int, float, Callable[[], np.ndarray] | None], None],
        share: float = 1.0,
    ) -> None:
        self._run_context = run_context
        self._size = size
        self._on_step = on_step
        self._share = share  # of the timesteps that will run
        self._done = 0
        self._started = time.perf_counter()
        self._estimate: Callable[[], Tensor] | None = None
        self._is_called_back = "callback_on_step_end" in inspect.signature(pipeline.__call__).parameters
        self._catch_predictions(pipeline)

    def on_step_end(self, pipeline: Any, step: int, _timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
        """diffusers' callback; `step` counts calls of the network, from 0."""
        self._run_context.context.check()
        planned = int(len(pipeline.scheduler.timesteps) * self._share)
        calls = pipeline.num_timesteps if self._is_called_back else planned
        done_after = steps_after_calls(pipeline.scheduler, calls)
        if done_after[step] > self._done:
            self._done = done_after[step]
            seconds, self._started = time.perf_counter() - self._started, time.perf_counter()
            decoder, estimate = self._run_context.latent_decoder, self._estimate
            make = None
            if isinstance(pipeline.scheduler, AmusedScheduler) and estimate is not None:
                make = lambda: _tokens_to_pixels(pipeline, estimate())  # noqa: E731
            elif decoder is not None and estimate is not None:
                make = lambda: decoder(self._as_grid(pipeline, estimate()))  # noqa: E731
            self._on_step(self._done, done_after[-1], seconds, make)
            if self._done == self._run_context.branch_plan.segments[-1].until:
                raise _Enough
        return values

    def decoded_estimate(self, pipeline: Any) -> np.ndarray:
        """(H, W, 3) in [0, 1] of what the last step worked towards. Raises InvalidRequest where that has no decoder."""
        if self._estimate is not None and isinstance(pipeline.scheduler, AmusedScheduler):
            return _tokens_to_pixels(pipeline, self._estimate()).astype(np.float32) / 255
        if self._estimate is None or self._run_context.latent_decoder is None:
            raise InvalidRequest(field="stop_after", reason="no_estimate")
        pixels = decoded(pipeline.vae, self._as_grid(pipeline, self._estimate()).unsqueeze(0))
        return to_pixels(pixels[0]).astype(np.float32) / 255

    def _catch_predictions(self, pipeline: Any) -> None:
        """Keeps what each step worked with; and counts the steps of a pipeline (PixArt) that does not call back."""
        scheduler, calls = pipeline.scheduler, itertools.count()
        inner = scheduler.step

        def step(model_output: Tensor, timestep: Any, sample: Tensor, *args: Any, **kwargs: Any) -> Any:
            result = inner(model_output, timestep, sample, *args, **kwargs)
            self._estimate = (
                (lambda: result.pred_original_sample)
                if isinstance(scheduler, AmusedScheduler)
                else (lambda: _estimate(scheduler, model_output, timestep, sample))
            )
            if not self._is_called_back:
                self.on_step_end(pipeline, next(calls), timestep, {})
            return result

        scheduler.step = step  # of this run's own scheduler only

    def _as_grid(self, pipeline: Any, latents: Tensor) -> Tensor:
        """(C, h, w) of the first row, also where a pipeline packs its latents into patches."""
        if latents.dim() == 3:
            latents = pipeline._unpack_latents(latents, *self._size, pipeline.vae_scale_factor)
        return latents.reshape(latents.shape[0], latents.shape[1], *latents.shape[-2:])[0]


def _tokens_to_pixels(pipeline: Any, tokens: Tensor) -> np.ndarray:
    """(1, h, w) tokens, none of them masked any more → (H, W, 3) uint8 by the codebook's own decoder."""
    shape = (*tokens.shape, pipeline.vqvae.config.latent_channels)
    picture = pipeline.vqvae.decode(tokens, force_not_quantize=True, shape=shape).sample[0]
    pixels = (picture.float().clamp(0, 1) * 255).to(torch.uint8).permute(1, 2, 0)  # in [0, 1], as aMUSEd was trained
    shown: np.ndarray = pixels.contiguous().cpu().numpy()
    return shown


def _estimate(scheduler: Any, prediction: Tensor, timestep: Any, sample: Tensor) -> Tensor:
    """The clean latents that the last step worked towards; a flow is (noise - clean), at a noise share of sigma."""
    is_flow = scheduler.config.get("prediction_type") == "flow_prediction"  # of solvers that are no flow's by birth
    if hasattr(scheduler, "alphas_cumprod") and not is_flow:
        return denoised_estimate(scheduler, sample, prediction, float(timestep))
    sigma = scheduler.sigmas[scheduler.step_index - 1]  # the step has moved on by one
    return sample.float() - float(sigma) * prediction.float()
