"""The engine: a request in, pictures out, with events on the way. `run` is all of it.

Knows no jobs, no HTTP, no page, no gallery; it runs in a worker, in a test and in a benchmark alike.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar
from weakref import WeakKeyDictionary

from diffusers import AutoencoderKL
from PIL import Image

from webui.checkpoints import Catalogue
from webui.engine import diffusion, pipelines
from webui.engine.bench import Bench
from webui.engine.context import Context, EngineImage
from webui.engine.device import (
    choose_device,
    is_out_of_memory,
    memory_total_bytes,
    memory_used_bytes,
    release_unused_memory,
)
from webui.engine.images import read_picture
from webui.engine.model_manager import LoadedCheckpoint, ModelManager
from webui.engine.preview import LatentDecoder, Previewer, fit_decoder, from_table
from webui.engine.prompts.encoder import PromptEncoder
from webui.engine.sampling import Sampling
from webui.engine.style import style_transfer
from webui.errors import NoCheckpoint, OutOfMemory, TaskUnsupported
from webui.families import FAMILIES
from webui.requests import ImageToImage, Request, StyleTransfer, TextToImage
from webui.settings import Settings

logger = logging.getLogger(__name__)
T = TypeVar("T")

MEMORY_SHARE = 0.6  # of the device's, for loaded checkpoints, where the settings say nothing
GROUP_PIXELS = (
    4 * 512 * 512
)  # that a GPU denoises at once: more does not pay (one H200, Qwen-Image, 512²: 1.02× at 1024²)


@dataclass(frozen=True, kw_only=True)
class EngineStatus:
    """The device as the page shows it; memory in bytes."""

    device: str
    precision: str
    memory_used_bytes: int
    memory_total_bytes: int


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """How images are made: so many at once, and with the VAE in tiles or in one."""

    group: int
    is_tiled: bool = False

    def smaller(self) -> _Plan | None:
        """The next that needs less memory; None if there is none."""
        if not self.is_tiled:
            return replace(self, is_tiled=True)
        return replace(self, group=max(1, self.group // 2)) if self.group > 1 else None


class Engine:
    """One device with its loaded checkpoints. Runs one request at a time."""

    def __init__(self, settings: Settings) -> None:
        self.device = choose_device(settings.device, settings.precision)
        self.catalogue = Catalogue(settings.models_dir)
        self._models_dir = settings.models_dir
        total = memory_total_bytes(self.device)
        given = settings.model_memory_gb
        budget = int(given * 1e9) if given is not None else int(total * MEMORY_SHARE)
        self._models = ModelManager(self.catalogue, self.device, budget, settings.models_dir / "tokenizers")
        self._prompts = PromptEncoder()
        self._latent_decoders: WeakKeyDictionary[object, LatentDecoder] = WeakKeyDictionary()  # by VAE

    def run(self, request: Request, context: Context) -> list[EngineImage]:
        """The pictures of a request, in order; what it leaves open is the checkpoint's default, but for the seed.

        Raises a DarkroomError; Cancelled if `context.check` does.
        """
        context.check()
        match request:
            case TextToImage():
                return self._diffuse(request, context, None)
            case ImageToImage():
                return self._diffuse(request, context, read_picture(context.read_picture(request.init_image)))
            case StyleTransfer():
                return [self._style_transfer(request, context)]

    def preload(self, checkpoint_id: str | None, check: Callable[[], None]) -> None:
        """Loads a checkpoint (the default one for None) and what its previews need, so that the next job is quick."""
        if checkpoint_id is None:
            try:
                checkpoint_id = self.catalogue.default().id
            except NoCheckpoint:
                return
        loaded = self._models.components(checkpoint_id, lambda _event: None, check)
        self._latent_decoder(loaded, check)

    def status(self) -> EngineStatus:
        """The device and its memory just now."""
        return EngineStatus(
            device=self.device.name,
            precision=self.device.precision,
            memory_used_bytes=memory_used_bytes(self.device),
            memory_total_bytes=memory_total_bytes(self.device),
        )

    def _diffuse(
        self, request: TextToImage | ImageToImage, context: Context, init_image: Image.Image | None
    ) -> list[EngineImage]:
        checkpoint_id = request.checkpoint or self.catalogue.default().id
        loaded = self._models.components(checkpoint_id, context.on_event, context.check)
        if request.task not in loaded.checkpoint.tasks:
            raise TaskUnsupported(checkpoint=checkpoint_id, family=loaded.checkpoint.family, task=request.task)
        with Previewer(context.on_event, context.watched) as previewer:
            bench = Bench(
                checkpoint=loaded.checkpoint,
                pipeline=loaded.pipeline,
                components=loaded.components,
                device=self.device,
                prompts=self._prompts,
                latent_decoder=self._latent_decoder(loaded, context.check),
                previewer=previewer,
                context=context,
            )
            asked = Sampling.of(request, loaded.checkpoint.defaults)
            return self._within_memory(asked, bench, _task(asked, loaded, init_image))

    def _within_memory(
        self,
        asked: Sampling,
        bench: Bench,
        make: Callable[[Bench, list[int]], list[EngineImage]],
    ) -> list[EngineImage]:
        """All images, group by group. Where memory runs out: tiles in the VAE, then smaller groups, then OutOfMemory.

        The only place that answers to memory running out; the fallback taken is in the picture's `info`.
        """
        # a CPU makes nothing faster by making several at once
        largest = 1 if self.device.is_cpu else max(1, GROUP_PIXELS // (asked.width * asked.height))
        plan = _Plan(group=min(largest, asked.num_images))
        finished: list[EngineImage] = []
        while len(finished) < asked.num_images:
            indices = list(range(len(finished), min(len(finished) + plan.group, asked.num_images)))
            made = _or_none(partial(make, replace(bench, is_tiled=plan.is_tiled), indices))
            if made is not None:
                finished += made
                continue
            release_unused_memory(self.device)  # out here, where no traceback holds the tensors any more
            smaller = plan.smaller()
            if smaller is None:
                raise OutOfMemory(width=asked.width, height=asked.height, device=self.device.name)
            logger.warning("out of memory at %d×%d; trying %s", asked.width, asked.height, smaller)
            plan = smaller
        return finished

    def _latent_decoder(self, loaded: LoadedCheckpoint, check: Callable[[], None]) -> LatentDecoder | None:
        """The cheap decoder for previews, fitted once for each VAE; None for a VAE that none is known for."""
        vae = loaded.components.get("vae")
        if not isinstance(vae, AutoencoderKL):
            return None
        if vae not in self._latent_decoders:
            table = FAMILIES[loaded.checkpoint.family].latent_to_rgb
            fits = table is not None and len(table.weights) == vae.config.latent_channels
            self._latent_decoders[vae] = (
                from_table(table.weights, table.bias) if table and fits else fit_decoder(vae, check)
            )
        return self._latent_decoders[vae]

    def _style_transfer(self, request: StyleTransfer, context: Context) -> EngineImage:
        content = read_picture(context.read_picture(request.content_image))
        style = read_picture(context.read_picture(request.style_image))
        make = partial(
            style_transfer, request, content, style, device=self.device, models_dir=self._models_dir, context=context
        )
        made = _or_none(make)
        if made is None:
            release_unused_memory(self.device)
            raise OutOfMemory(width=request.size, height=request.size, device=self.device.name)
        return made


def _task(
    asked: Sampling, loaded: LoadedCheckpoint, init_image: Image.Image | None
) -> Callable[[Bench, list[int]], list[EngineImage]]:
    """The function that makes images of what is asked, but for the bench and which ones."""
    if init_image is None or asked.denoising_strength == 1:  # 1 ignores the picture
        if loaded.is_unet:
            return partial(diffusion.text_to_image, asked)
        return partial(pipelines.text_to_image, asked, pipeline=loaded.pipeline_for("text_to_image"))
    if loaded.is_unet:
        return partial(diffusion.image_to_image, asked, init_image=init_image)
    pipeline = loaded.pipeline_for("image_to_image")
    return partial(pipelines.image_to_image, asked, pipeline=pipeline, init_image=init_image)


def _or_none(make: Callable[[], T]) -> T | None:
    """What `make` gives, or None if memory ran out; by then the traceback and its tensors are gone."""
    try:
        return make()
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        logger.debug("out of memory", exc_info=True)
        return None
