"""The engine: a request goes in, pictures come out, with events on the way. `run` does all of it.

Knows no jobs, no HTTP, no page, no gallery; a worker, a test and a benchmark can all run it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from diffusers import AutoencoderDC, AutoencoderKL, AutoencoderKLFlux2, AutoencoderKLQwenImage
from PIL import Image

from webui.capabilities import Capability
from webui.checkpoints.addons import Addons
from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.converted import converted_files
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.hashes import BOOK_NAME, HashBook
from webui.checkpoints.other_folders import other_folders
from webui.checkpoints.refusals import Refusal
from webui.checkpoints.vaes import vae_named
from webui.engine.context import Context
from webui.engine.critics.best_of import PromptCritic, keep_best, load_prompt_critic
from webui.engine.device import (
    Device,
    choose_device,
    is_out_of_memory,
    memory_total_bytes,
    memory_used_bytes,
    release_unused_memory,
)
from webui.engine.loading.loaded_checkpoint import LoadedCheckpoint
from webui.engine.loading.memory_budget import Key
from webui.engine.loading.model_manager import ModelManager
from webui.engine.loading.tiny_vaes import TinyVaes
from webui.engine.loading.tokenizers import fetch_from_hub
from webui.engine.loading.vae import LoadedVae, load_vae
from webui.engine.loras.merging import LoraMerger, MergedLora
from webui.engine.pictures.images import read_picture
from webui.engine.pictures.masks import read_mask
from webui.engine.pipelines import tasks as pipelines
from webui.engine.previews.preview import LatentDecoder, Numbered, Previewer, fit_decoder, from_table
from webui.engine.previews.tiny_decoder import load_tiny_decoder
from webui.engine.prompts.encoder import PromptEncoder
from webui.engine.run_context import RunContext
from webui.engine.sampling import Sampling
from webui.engine.style import InstantTransfer, KeptStyle, style_transfer
from webui.engine.unet import diffusion
from webui.engine.unet.branch_plan import start_of
from webui.engine.unet.kept_steps import KeptSteps
from webui.errors import ModelUnusable, NoCheckpoint, OutOfMemory, TaskUnsupported
from webui.prompts.a1111 import Lora
from webui.prompts.plain_words import words_to_fit
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.requests.settled import Settled, SettledDiffusion
from webui.requests.style_transfer import StyleTransfer
from webui.rules.branches import count_images, digest_of, image_alone
from webui.rules.sampling import check
from webui.settings import Settings
from webui.worker.messages import RawImage

logger = logging.getLogger(__name__)
T = TypeVar("T")

MEMORY_SHARE = 0.6  # of the device's, for checkpoints and the networks beside them, where the settings say nothing
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


@dataclass(frozen=True)
class _Pictures:
    """The pictures that image to image works on; `mask` is as `masks.read_mask` returns it."""

    init_image: Image.Image
    mask: np.ndarray | None


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """How images are made: how many at once, and whether the VAE decodes in tiles."""

    group: int
    is_tiled: bool = False
    may_tile: bool = True  # a picture that continues at its edges does not: each tile would continue at its own

    def smaller(self) -> _Plan | None:
        """The next plan that needs less memory, or None if there is none."""
        if not self.is_tiled and self.may_tile:
            return replace(self, is_tiled=True)
        return replace(self, group=max(1, self.group // 2)) if self.group > 1 else None


class Engine:
    """One device with its loaded checkpoints. Runs one request at a time."""

    def __init__(self, settings: Settings) -> None:
        self.device = choose_device(settings.device, settings.precision)
        others = other_folders(settings)
        self.catalogue = Catalogue(settings.models_dir, others)
        self._models_dir = settings.models_dir
        tokenizers, book = settings.models_dir / "tokenizers", HashBook(settings.data_dir / BOOK_NAME)
        self.models = ModelManager(self.catalogue, self.device, 0, tokenizers, book=book)
        self.adjust(settings.model_memory_gb, settings.idle_minutes, settings.mirror)
        addons = Addons(settings.models_dir, others, converted_files(settings))
        self._prompts = PromptEncoder(addons)
        self._loras = LoraMerger(addons)
        self._lora_hashes: dict[str, str] = {}  # by name, as they were last merged
        self.kept_steps = KeptSteps(int(settings.strip_memory_mb * 1e6))
        self._kept_style = KeptStyle()
        self._instant_style = InstantTransfer(self.device)
        self._latent_decoders: WeakKeyDictionary[object, LatentDecoder | None] = WeakKeyDictionary()  # by VAE
        self._tiny_vaes = TinyVaes(self.catalogue, self.device)

    def run(self, request: Settled, context: Context) -> list[RawImage]:
        """Makes the pictures of a request and returns them in order.

        Raises a DarkroomError; Cancelled if `context.check` does.
        """
        context.check()
        with self.models.at_work():
            match request:
                case TextToImage():
                    return self._diffuse(request, context, None)
                case ImageToImage():
                    return self._diffuse(request, context, _pictures_of(request, context))
                case StyleTransfer():
                    return [self._style_transfer(request, context)]

    def adjust(self, model_memory_gb: float | None, idle_minutes: float, mirror: str | None) -> None:
        """How much memory loaded checkpoints may take from now on, after how many minutes without use they count as
        idle (0: never), and where tokenizers are downloaded from instead of the Hub.
        """
        share = memory_total_bytes(self.device) * MEMORY_SHARE
        budget_bytes = int(share if model_memory_gb is None else model_memory_gb * 1e9)
        self.models.hold(budget_bytes, idle_minutes * 60 or None)
        self.models.fetch = partial(fetch_from_hub, mirror=mirror)

    def preload(self, checkpoint_id: str | None, check: Callable[[], None]) -> None:
        """Loads a checkpoint (the default one if None) and whatever its previews need, so that the next job starts
        quickly.
        """
        if checkpoint_id is None:
            try:
                checkpoint_id = self.catalogue.default().id
            except NoCheckpoint:
                return
        loaded = self.models.components(checkpoint_id, lambda _event: None, check)
        self._latent_decoder(loaded, check)

    def status(self) -> EngineStatus:
        """The device and its memory at this moment."""
        return EngineStatus(
            device=self.device.name,
            precision=self.device.precision,
            memory_used_bytes=memory_used_bytes(self.device),
            memory_total_bytes=memory_total_bytes(self.device),
        )

    def digests_of(self, request: Settled) -> tuple[str, ...]:
        """The digests under which the steps of the request's images are kept, in order; empty if the task keeps no
        steps.
        """
        if isinstance(request, StyleTransfer):
            return ()
        return tuple(digest_of(image_alone(request, image)) for image in range(count_images(request)))

    def keeps(self, digest: str) -> bool:
        """Whether steps of the image with this digest are in memory."""
        return digest in self.kept_steps

    def _diffuse(self, request: SettledDiffusion, context: Context, pictures: _Pictures | None) -> list[RawImage]:
        loaded = self.models.components(request.checkpoint, context.on_event, context.check)
        if request.task not in loaded.checkpoint.tasks:
            raise TaskUnsupported(checkpoint=request.checkpoint, family=loaded.checkpoint.family, task=request.task)
        vae = self._vae(request.vae, loaded, context.check)
        decoder = self._tiny_vaes.instead_of(loaded) if request.decoder == "tiny" else {}
        hashes = loaded.hashes if vae is None else replace(loaded.hashes, vae=vae.hash)
        with Previewer(context.on_event, context.watched) as previewer:
            run_context = RunContext(
                checkpoint=loaded.checkpoint,
                hashes=hashes,
                pipeline=loaded.pipeline,
                components=loaded.components | ({} if vae is None else {"vae": vae.model}) | decoder,
                device=self.device,
                prompts=self._prompts,
                latent_decoder=self._latent_decoder(loaded, context.check),
                previewer=previewer,
                context=context,
                kept_steps=self.kept_steps,
                kept_in=loaded.kept_in,
            )
            check(request, FAMILIES[loaded.checkpoint.family])
            asked = Sampling.of(request)
            prompt_critic = self._prompt_critic(request, loaded, context.check)

            def make(run_context: RunContext, indices: list[int]) -> list[RawImage]:
                start = start_of(request, asked, indices)
                told = start.asked.told(start.indices[0])
                merged: dict[str, MergedLora] = {}

                def take_up(asked: Sampling, index: int) -> None:
                    merged.clear()
                    merged.update(self._with_loras(asked.loras_of(index), loaded, context.check))

                take_up(told, start.indices[0])
                run_context = replace(
                    run_context,
                    previewer=run_context.previewer
                    if asked.is_plain
                    else Numbered(previewer, asked.number_of(indices[0])),
                    branch_plan=start.branch_plan,
                    loras=merged,
                    stamp=(hashes, loaded.kept_in, tuple((name, lora.hash) for name, lora in merged.items())),
                    take_up=take_up,
                )
                return _task(told, loaded, pictures)(run_context, start.indices)

            images = self._within_memory(asked, run_context, make)
            if prompt_critic is None:
                return images
            return keep_best(images, request.keep_best, prompt_critic, previewer, context.check)

    def _vae(self, id: str | None, loaded: LoadedCheckpoint, check: Callable[[], None]) -> LoadedVae | None:
        """The one that was asked for, beside the checkpoint in memory; None for the checkpoint's own.

        Raises ModelUnusable, and InvalidRequest for one that is gone.
        """
        if id is None:
            return None
        model = vae_named(self.catalogue, id, loaded.checkpoint)

        def load(_device: Device) -> LoadedVae:  # whose latents are on the device, and it is small: it goes there, too
            return load_vae(model, loaded.checkpoint, self.device, check)

        key = Key("vae", f"{id} {loaded.checkpoint.id}")  # its scale is the checkpoint's
        try:
            return self.models.network(key, (model.version, loaded.checkpoint.version), model.size_bytes, load)
        except Refusal as error:
            raise ModelUnusable(model=id, reason=error.reason) from error

    def _with_loras(
        self, loras: Sequence[Lora], loaded: LoadedCheckpoint, check: Callable[[], None]
    ) -> Mapping[str, MergedLora]:
        """Merges exactly these LoRAs into the checkpoint, and returns what was merged, by name."""
        merged, is_changed = self._loras.apply(loaded.pipeline, loras, check)
        if is_changed:
            self._prompts.forget(loaded.pipeline)
        hashes = {name: lora.hash for name, lora in merged.items()}
        if any(self._lora_hashes.get(name, found) != found for name, found in hashes.items()):
            self.kept_steps.forget()  # a file was replaced; a branch's steps may be of the one before
        self._lora_hashes.update(hashes)
        return merged

    def _prompt_critic(
        self, request: SettledDiffusion, loaded: LoadedCheckpoint, check: Callable[[], None]
    ) -> PromptCritic | None:
        """The critic that chooses the best images, or None if all are kept. It is loaded before anything is drawn, so
        that a request without a critic is refused at once.
        """
        if not request.keep_best:
            return None
        words = words_to_fit(request, request.steps, has_syntax=Capability.PROMPT_SYNTAX in loaded.capabilities)
        return load_prompt_critic(words, loaded.checkpoint, self.models, self._models_dir, check)

    def _within_memory(
        self,
        asked: Sampling,
        run_context: RunContext,
        make: Callable[[RunContext, list[int]], list[RawImage]],
    ) -> list[RawImage]:
        """Makes all images, group by group. If memory runs out: first tiles in the VAE, then smaller groups, then
        OutOfMemory.

        No other place handles running out of memory. The picture's `info` says which fallback was used.
        """
        # a CPU makes nothing faster by making several at once
        largest = 1 if self.device.is_cpu else max(1, GROUP_PIXELS // (asked.width * asked.height))
        plan = _Plan(group=min(largest, asked.images), may_tile=asked.request.tiling == "none")
        finished: list[RawImage] = []
        while len(finished) < asked.images:
            indices = asked.alike(len(finished), plan.group)
            made = _or_none(partial(make, replace(run_context, is_tiled=plan.is_tiled), indices))
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
        """The cheap decoder for previews, made once for each VAE; None if there is none for this VAE.

        It is the checkpoint's own tiny decoder, else its family's table, else one fitted to the VAE.
        """
        vae = loaded.components.get("vae")
        if vae is None:
            return None
        if vae not in self._latent_decoders:
            tiny = load_tiny_decoder(loaded.checkpoint.path, vae, self.device)
            self._latent_decoders[vae] = tiny or _linear_decoder(vae, loaded.checkpoint.family, check)
        return self._latent_decoders[vae]

    def _style_transfer(self, request: StyleTransfer, context: Context) -> RawImage:
        is_instant = request.method == "instant"
        make = partial(self._instant_style, request, context) if is_instant else self._optimised(request, context)
        made = _or_none(make)
        if made is None:
            release_unused_memory(self.device)
            raise OutOfMemory(width=request.size, height=request.size, device=self.device.name)
        return made

    def _optimised(self, request: StyleTransfer, context: Context) -> Callable[[], RawImage]:
        content = read_picture(context.read_picture(request.content_image))
        style = read_picture(context.read_picture(request.style_image))
        further = [read_picture(context.read_picture(one.image)) for one in request.style_images]
        return partial(
            style_transfer,
            request,
            content,
            style,
            further,
            device=self.device,
            models_dir=self._models_dir,
            context=context,
            kept=self._kept_style,
        )


def _pictures_of(request: ImageToImage, context: Context) -> _Pictures:
    """Reads the request's pictures. Raises NotAnImage."""
    mask = None if request.mask is None else read_mask(context.read_picture(request.mask))
    return _Pictures(read_picture(context.read_picture(request.init_image)), mask)


def _task(
    asked: Sampling, loaded: LoadedCheckpoint, pictures: _Pictures | None
) -> Callable[[RunContext, list[int]], list[RawImage]]:
    """The function that makes images for what is asked; it takes the run context and the indices of the images."""
    if pictures is None or asked.ignores_picture:
        if loaded.adapter is None:
            return partial(diffusion.text_to_image, asked)
        return partial(pipelines.text_to_image, asked, pipeline=loaded.pipeline_for("text_to_image"))
    if loaded.adapter is None:
        return partial(diffusion.image_to_image, asked, init_image=pictures.init_image, mask=pictures.mask)
    pipeline = loaded.pipeline_for("inpainting" if asked.redraw.is_partial else "image_to_image")
    return partial(
        pipelines.image_to_image, asked, pipeline=pipeline, init_image=pictures.init_image, mask=pictures.mask
    )


def _linear_decoder(vae: Any, family: str, check: Callable[[], None]) -> LatentDecoder | None:
    if not isinstance(vae, (AutoencoderKL, AutoencoderDC, AutoencoderKLFlux2, AutoencoderKLQwenImage)):
        return None
    table = FAMILIES[family].latent_to_rgb
    fits = table is not None and len(table.weights) == (vae.config.get("latent_channels") or vae.config.get("z_dim"))
    return from_table(table.weights, table.bias) if table and fits else fit_decoder(vae, check)


def _or_none(make: Callable[[], T]) -> T | None:
    """What `make` returns, or None if memory ran out; the traceback and its tensors are freed by then."""
    try:
        return make()
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        logger.debug("out of memory", exc_info=True)
        return None
