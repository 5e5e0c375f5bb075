"""Pipelines that pack their latents into patches, each a row of numbers, before the scheduler sees them."""

from __future__ import annotations

from typing import Any

from diffusers import ChromaInpaintPipeline
from torch import Tensor
from torch.nn.functional import pixel_shuffle

from webui.engine.pipelines.adapters.plain import PlainAdapter


class PackedAdapter(PlainAdapter):
    """Patches as FLUX.1 and its descendants pack them."""

    def as_grid(self, pipeline: Any, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """(B, patches, C · 4) → (C, h, w) of the first row."""
        return super().as_grid(pipeline, pipeline._unpack_latents(latents, *size, pipeline.vae_scale_factor), size)


class ChromaAdapter(PackedAdapter):
    """Chroma, which descends from FLUX.1 schnell but uses ordinary classifier-free guidance."""

    def prepare(self, pipeline: Any) -> None:
        """Mends a fault of diffusers 0.42: the pipeline asks its network for a setting that only FLUX.1's has."""
        if isinstance(pipeline, ChromaInpaintPipeline):
            pipeline.transformer.register_to_config(guidance_embeds=False)


class Krea2Adapter(PlainAdapter):
    """Krea 2: the same patches, unpacked by a method that knows their scale."""

    def as_grid(self, pipeline: Any, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """(B, patches, C · 4) → (C, h, w) of the first row."""
        return super().as_grid(pipeline, pipeline._unpack_latents(latents, *size), size)


class Flux2Adapter(PlainAdapter):
    """FLUX.2 and FLUX.2 klein, whose patches keep their order."""

    def as_grid(self, pipeline: Any, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """(B, patches, C · 4) → (C, h, w) of the first row."""
        patches, rows = latents[0].T, size[0] // (2 * pipeline.vae_scale_factor)
        return pixel_shuffle(patches.reshape(len(patches), rows, -1), 2)
