"""aMUSEd (Patil et al. 2024, arXiv 2401.01808): tokens of a codebook instead of noise, with fewer
masked at each step.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from diffusers import AmusedInpaintPipeline
from torch import Tensor

from webui.engine.pipelines.adapters.counted import CountedAdapter
from webui.engine.pipelines.observed import SchedulerStep
from webui.engine.previews.preview import LatentDecoder
from webui.engine.sampling import Sampling
from webui.errors import InvalidRequest


class AmusedAdapter(CountedAdapter):
    """It has only its own scheduler, its steps arrive with all tokens unmasked, and its codebook
    has its own decoder.
    """

    def scheduler(self, original: Any, asked: Sampling) -> Any:
        """The checkpoint's own. Raises InvalidRequest for any other."""
        if asked.request.scheduler != "unmasking":
            raise InvalidRequest(field="scheduler", reason="needs_unmasking")
        return copy.deepcopy(original)

    def preview(
        self, pipeline: Any, step: SchedulerStep, size: tuple[int, int], decoder: LatentDecoder | None
    ) -> Callable[[], np.ndarray] | None:
        """The whole picture at every step: the decoder is fast."""
        return lambda: _tokens_to_pixels(pipeline, step.result.pred_original_sample)

    def estimate(
        self, pipeline: Any, step: SchedulerStep, size: tuple[int, int], decoder: LatentDecoder | None
    ) -> np.ndarray:
        """The whole picture, (H, W, 3) in [0, 1]."""
        return _tokens_to_pixels(pipeline, step.result.pred_original_sample).astype(np.float32) / 255

    def prepare(self, pipeline: Any) -> None:
        """Mends a fault of diffusers 0.42: it rounds a mask's size in tokens down to a multiple of a token's pixels."""
        if isinstance(pipeline, AmusedInpaintPipeline):
            pipeline.mask_processor.register_to_config(vae_scale_factor=1)

    def mask(self, pipeline: Any, mask: np.ndarray) -> np.ndarray:
        """The mask with one pixel for each token, set if any pixel of the token is: scaling it down would lose thin
        strokes.
        """
        factor = pipeline.vae_scale_factor
        tokens: np.ndarray = mask.reshape(mask.shape[0] // factor, factor, -1, factor).max(axis=(1, 3))
        return tokens


def _tokens_to_pixels(pipeline: Any, tokens: Tensor) -> np.ndarray:
    """(1, h, w) tokens, none of them masked any more → (H, W, 3) uint8."""
    shape = (*tokens.shape, pipeline.vqvae.config.latent_channels)
    picture = pipeline.vqvae.decode(tokens, force_not_quantize=True, shape=shape).sample[0]
    pixels = (picture.float().clamp(0, 1) * 255).to(torch.uint8).permute(1, 2, 0)  # in [0, 1], as aMUSEd was trained
    shown: np.ndarray = pixels.contiguous().cpu().numpy()
    return shown
