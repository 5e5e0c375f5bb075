"""What the U-Net is told beside latents and time: prompts, and what single families want to know besides.

Knows no schedulers and no noise.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from webui.engine.bench import Bench
from webui.engine.denoising import Conditioning
from webui.engine.latents import Canvas, encode_mean
from webui.engine.sampling import Sampling
from webui.errors import TaskUnsupported

AESTHETIC_SCORE, NEGATIVE_AESTHETIC_SCORE = 6.0, 2.5  # what SDXL's refiner is told (diffusers' defaults)


def condition(asked: Sampling, bench: Bench, canvas: Canvas, count: int) -> Conditioning:
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
        extra_channels=_extra_channels(asked, bench, canvas, count * (2 if is_guided else 1)),
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


def _extra_channels(asked: Sampling, bench: Bench, canvas: Canvas, rows: int) -> Tensor | None:
    """An inpainting U-Net also takes a mask (draw everything) and the picture around it (there is none)."""
    channels = bench.pipeline.vae.config.latent_channels
    taken = bench.pipeline.unet.config.in_channels
    if taken == channels:
        return None
    if taken != 2 * channels + 1:
        raise TaskUnsupported(checkpoint=bench.checkpoint.id, family=bench.checkpoint.family, task=asked.task)
    nothing = torch.zeros(1, 3, canvas.computed_height, canvas.computed_width)
    masked = encode_mean(bench.pipeline.vae, nothing)
    mask = torch.ones(1, 1, *canvas.latent_size, device=masked.device)
    return torch.cat([mask, masked], dim=1).expand(rows, -1, -1, -1)
