"""What a diffusion request comes to, with nothing left open.

Knows no torch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from webui.engine.pictures.redraw import WHOLE, Redraw
from webui.prompts.a1111 import Lora
from webui.prompts.reading import AS_A1111, Reading, loras_in
from webui.requests import ImageToImage, ResolvedPrompt, TextToImage, WalkEnd, image_seed
from webui.settled import SettledDiffusion


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """The values of a request. `denoising_strength` is 1 where there is no picture to start from."""

    task: str
    prompt: str
    negative_prompt: str
    scheduler: str
    sigmas: str
    steps: int
    guidance_scale: float
    seed: int
    width: int  # pixels, of what is drawn
    height: int
    num_images: int
    denoising_strength: float
    sigma_range: str = "network"
    eta: float | None = None  # the scheduler's own
    guidance_start: float = 0.0
    guidance_end: float = 1.0
    guidance_rescale: float = 0.0
    variation_seed: int | None = None
    variation_strength: float = 0.0
    tiling: str = "none"
    walk_to: WalkEnd | None = None
    only_image: int | None = None  # of num_images, from 0
    is_branch: bool = False
    redraw: Redraw = WHOLE
    reading: Reading = AS_A1111
    resolved_prompts: tuple[ResolvedPrompt, ...] | None = None  # one for each image, where there were wildcards

    @classmethod
    def of(cls, request: SettledDiffusion) -> Sampling:
        """The values of a settled request."""
        redraw = Redraw.of(request) if isinstance(request, ImageToImage) else WHOLE
        width, height = redraw.drawn_size(request.width, request.height)
        return cls(
            task=request.task,
            prompt=request.prompt,
            negative_prompt=request.negative_prompt,
            scheduler=request.scheduler,
            sigmas=request.sigmas,
            steps=request.steps,
            guidance_scale=request.guidance_scale,
            seed=request.seed,
            width=width,
            height=height,
            num_images=request.num_images,
            denoising_strength=request.denoising_strength if isinstance(request, ImageToImage) else 1.0,
            sigma_range=request.sigma_range,
            eta=request.eta,
            guidance_start=request.guidance_start,
            guidance_end=request.guidance_end,
            guidance_rescale=request.guidance_rescale,
            variation_seed=request.variation_seed,
            variation_strength=request.variation_strength,
            tiling=request.tiling,
            walk_to=request.walk_to if isinstance(request, TextToImage) else None,
            only_image=request.only_image,
            is_branch=request.branch_from is not None,
            redraw=redraw,
            reading=Reading(request.prompt_dialect, request.emphasis, request.clip_skip),
            resolved_prompts=request.resolved_prompts,
        )

    @property
    def images(self) -> int:
        """How many are made."""
        return self.num_images if self.only_image is None else 1

    @property
    def is_plain(self) -> bool:
        """Whether images are made from their noise on, each under its own number."""
        return self.only_image is None and not self.is_branch

    def number_of(self, index: int) -> int:
        """Which of the images that are made image `index` is."""
        return index if self.only_image is None else 0

    @property
    def ignores_picture(self) -> bool:
        """Whether nothing of a picture would be left."""
        return self.denoising_strength == 1 and not self.redraw.is_partial

    @property
    def strongest(self) -> float:
        """The denoising strength of what is drawn from the most noise: what is added at a side has nothing else."""
        return 1.0 if self.redraw.sides else self.denoising_strength

    @property
    def keeps_picture(self) -> bool:
        """Whether nothing would be drawn."""
        return self.denoising_strength == 0 and not self.redraw.sides

    def at(self, width: int, height: int) -> Sampling:
        """The same at another size."""
        return self if (width, height) == (self.width, self.height) else replace(self, width=width, height=height)

    def seed_of(self, index: int) -> int:
        """Seed of image `index` (from 0): variations share one, and all of a walk but its end has that of its start."""
        if self.walk_to is not None:
            return self.walk_to.seed if self.walked(index) == 1 else self.seed
        return self.seed if self.variation_strength > 0 else image_seed(self.seed, index)

    def variation_seed_of(self, index: int) -> int | None:
        """What image `index` (from 0) varies with; None where nothing varies. In a walk, its start does."""
        if self.variation_strength == 0 or self.variation_seed is None:
            return None
        return self.variation_seed if self.walk_to is not None else image_seed(self.variation_seed, index)

    def walked(self, index: int) -> float:
        """How far image `index` (from 0) is on the walk: 0 at the start, 1 at its end; 0 without a walk."""
        return 0.0 if self.walk_to is None or self.num_images == 1 else index / (self.num_images - 1)

    def loras_of(self, index: int) -> tuple[Lora, ...]:
        """What image `index` (from 0) of what is told asks for; on a walk, less and less of its start's."""
        start = loras_in(self.prompt, self.reading.dialect)
        if self.walk_to is None:
            return start
        end, share = loras_in(self.walk_to.prompt, self.reading.dialect), self.walked(index)
        return (*(lora.times(1 - share) for lora in start), *(lora.times(share) for lora in end))

    def is_guided_at(self, step: int, steps: int) -> bool:
        """Whether guidance is on at `step` (from 0) of the `steps` that run."""
        return self.guidance_start <= step / steps < self.guidance_end

    def told(self, index: int) -> Sampling:
        """The same with the prompts of image `index` (from 0): with wildcards each image has its own."""
        if self.resolved_prompts is None:
            return self
        own = self.resolved_prompts[0 if self.walk_to is not None else index]
        return replace(self, prompt=own.prompt, negative_prompt=own.negative_prompt)

    def alike(self, first: int, most: int) -> list[int]:
        """Image `first` of those that are made and those after it that go the same way, `most` at the most."""
        if self.only_image is not None:
            return [self.only_image]
        last = min(first + (1 if self.walk_to is not None or self.is_branch else most), self.num_images)
        if self.resolved_prompts is None:
            return list(range(first, last))
        own = self.resolved_prompts
        end = next((index for index in range(first, last) if own[index] != own[first]), last)
        return list(range(first, end))
