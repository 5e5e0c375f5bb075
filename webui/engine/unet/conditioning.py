"""What the U-Net receives besides latents and time: the prompts, and what single families need. Knows no schedulers and
no noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from webui.engine.pictures.intake import PictureIn
from webui.engine.pictures.latents import Canvas
from webui.engine.prompts.encoder import PromptEmbeds
from webui.engine.prompts.text_encoders import filled_up
from webui.engine.run_context import RunContext
from webui.engine.sampling import Sampling
from webui.engine.unet.denoising import Conditioning
from webui.engine.unet.inpainting import told_of_mask
from webui.errors import InvalidRequest, TaskUnsupported

AESTHETIC_SCORE, NEGATIVE_AESTHETIC_SCORE = 6.0, 2.5  # what SDXL's refiner is told (diffusers' defaults)


def condition(
    asked: Sampling,
    run_context: RunContext,
    canvas: Canvas,
    indices: Sequence[int],
    steps: int,
    picture_in: PictureIn | None = None,
) -> tuple[Conditioning, ...]:
    """What the network is told for the images `indices` at each of `steps` steps; the same object while nothing
    changes.

    All of them are told the same; of a walk there is only one. `picture_in` is what they are drawn over.
    """
    schedule = _texts(asked, run_context, steps)
    if asked.walk_to is not None:
        end = replace(asked, prompt=asked.walk_to.prompt, negative_prompt=asked.walk_to.negative_prompt)
        schedule = between(
            schedule, _texts(end, run_context, steps), asked.walked(indices[0]), partial(_empty, asked, run_context)
        )
    extra = _extra_channels(asked, run_context, canvas, picture_in)
    made: dict[tuple[int, bool], Conditioning] = {}
    told = []
    for step, heard in enumerate(schedule):
        key = (id(heard), asked.is_guided_at(step, steps))
        if key not in made:
            whole = _condition_step(asked, run_context, canvas, len(indices), heard, extra)
            made[key] = whole if key[1] else unguided(whole)
        told.append(made[key])
    return tuple(told)


def unguided(whole: Conditioning) -> Conditioning:
    """The same without guidance: one positive text, or several by their weights (as at a guidance scale of 1)."""
    if not whole.is_guided:
        return whole
    if whole.weights != (1.0,):
        return replace(whole, guidance_scale=1.0, guidance_rescale=0.0)

    def positive(rows: Tensor) -> Tensor:
        return rows.chunk(2)[1]

    return replace(
        whole,
        embeds=positive(whole.embeds),
        is_guided=False,
        added=None if whole.added is None else {name: positive(rows) for name, rows in whole.added.items()},
        extra_channels=None if whole.extra_channels is None else positive(whole.extra_channels),
    )


def between(
    start: Sequence[PromptEmbeds], end: Sequence[PromptEmbeds], share: float, make_empty: Callable[[], Tensor]
) -> tuple[PromptEmbeds, ...]:
    """The embeddings at `share` of the way from `start` to `end`, step by step, mixed in a straight line.

    At both ends they are exactly that end's own. Raises InvalidRequest if the ends have different numbers of prompts
    joined by `AND`.
    """
    if share in (0.0, 1.0):
        return tuple(start if share == 0 else end)
    made: dict[tuple[int, int], PromptEmbeds] = {}
    for pair in zip(start, end, strict=True):
        key = (id(pair[0]), id(pair[1]))
        if key not in made:
            made[key] = _mixed(*pair, share, make_empty)
    return tuple(made[id(one), id(other)] for one, other in zip(start, end, strict=True))


def _mixed(one: PromptEmbeds, other: PromptEmbeds, share: float, make_empty: Callable[[], Tensor]) -> PromptEmbeds:
    if len(one.weights) != len(other.weights):
        raise InvalidRequest(field="walk_to", reason="walk_of_other_parts")

    def mix(a: Tensor, b: Tensor) -> Tensor:
        long_a, long_b = filled_up([a, b], make_empty) if a.dim() == 3 else (a, b)
        return torch.lerp(long_a.float(), long_b.float(), share).to(a.dtype)

    def mix_if_any(a: Tensor | None, b: Tensor | None) -> Tensor | None:
        return None if a is None or b is None else mix(a, b)

    embeds = mix(one.prompt_embeds, other.prompt_embeds)
    negative = mix_if_any(one.negative_prompt_embeds, other.negative_prompt_embeds)
    if negative is not None:
        embeds, negative = filled_up([embeds, negative], make_empty)
    return PromptEmbeds(
        embeds,
        negative,
        mix_if_any(one.pooled_prompt_embeds, other.pooled_prompt_embeds),
        mix_if_any(one.negative_pooled_prompt_embeds, other.negative_pooled_prompt_embeds),
        tuple(a + share * (b - a) for a, b in zip(one.weights, other.weights, strict=True)),
    )


def _texts(asked: Sampling, run_context: RunContext, steps: int) -> tuple[PromptEmbeds, ...]:
    is_distilled = (
        run_context.pipeline.unet.config.time_cond_proj_dim is not None
    )  # guidance is an input of its own (LCM)
    request = asked.request
    if is_distilled and (request.guidance_start, request.guidance_end, request.guidance_rescale) != (0.0, 1.0, 0.0):
        raise InvalidRequest(field="guidance_start", reason="guidance_distilled")
    return run_context.prompts.schedule(
        run_context.pipeline,
        asked.prompt,
        asked.negative_prompt,
        steps=steps,
        is_guided=request.guidance_scale > 1 and not is_distilled,
        check=run_context.context.check,
        reading=asked.reading,
    )


def _empty(asked: Sampling, run_context: RunContext) -> Tensor:
    """The empty text, (1, tokens, channels)."""
    return run_context.prompts.encode(
        run_context.pipeline, "", "", is_guided=False, check=run_context.context.check, reading=asked.reading
    ).prompt_embeds


def _condition_step(
    asked: Sampling,
    run_context: RunContext,
    canvas: Canvas,
    count: int,
    heard: PromptEmbeds,
    extra_channels: Tensor | None,
) -> Conditioning:
    """The embeddings of all texts and, for SDXL, of the sizes; `count` rows for each text, the negative ones first."""
    unet, device = run_context.pipeline.unet, run_context.device.torch_device
    is_guided = heard.negative_prompt_embeds is not None

    def rows(positives: Tensor, negative: Tensor | None) -> Tensor:
        texts = positives if negative is None else torch.cat([negative, positives])
        return texts.repeat_interleave(count, dim=0).to(device, unet.dtype)

    added = None
    if heard.pooled_prompt_embeds is not None:
        sizes, negative_sizes = _time_ids(unet, heard.pooled_prompt_embeds, canvas)
        added = {
            "text_embeds": rows(heard.pooled_prompt_embeds, heard.negative_pooled_prompt_embeds),
            "time_ids": rows(sizes.repeat(len(heard.weights), 1), negative_sizes if is_guided else None),
        }
    extra = extra_channels
    if extra is not None:
        extra = extra.expand(count * (len(heard.weights) + is_guided), -1, -1, -1)
    guidance_embeds = None
    if unet.config.time_cond_proj_dim is not None:
        scales = torch.full((count,), asked.request.guidance_scale - 1.0)
        embeds = run_context.pipeline.get_guidance_scale_embedding(scales, embedding_dim=unet.config.time_cond_proj_dim)
        guidance_embeds = embeds.to(device, unet.dtype)
    return Conditioning(
        embeds=rows(heard.prompt_embeds, heard.negative_prompt_embeds),
        guidance_scale=max(asked.request.guidance_scale, 1.0),  # below 1 only where `AND` is guided in any case
        is_guided=is_guided,
        weights=heard.weights,
        guidance_rescale=asked.request.guidance_rescale,
        added=added,
        extra_channels=extra,
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


def _extra_channels(
    asked: Sampling, run_context: RunContext, canvas: Canvas, picture_in: PictureIn | None
) -> Tensor | None:
    """(1, 5, h, w) where the U-Net was made for inpainting, which also takes a mask and the picture around it."""
    channels = run_context.vae.config.latent_channels
    taken = run_context.pipeline.unet.config.in_channels
    if taken == channels:
        return None
    if taken != 2 * channels + 1:
        raise TaskUnsupported(
            checkpoint=run_context.checkpoint.id, family=run_context.checkpoint.family, task=asked.request.task
        )
    return told_of_mask(run_context.vae, picture_in, canvas)
