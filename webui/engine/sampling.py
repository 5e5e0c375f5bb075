"""What a diffusion request means for the engine, with nothing left open.

Knows no torch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from webui.engine.pictures.redraw import WHOLE, Redraw
from webui.prompts.a1111 import Lora
from webui.prompts.reading import Reading, loras_in
from webui.requests import image_seed
from webui.requests.diffusion import ImageToImage, TextToImage, WalkEnd
from webui.requests.settled import SettledDiffusion


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """A settled request, with the prompts of one image and the size to draw at."""

    request: SettledDiffusion
    prompt: str
    negative_prompt: str
    width: int  # pixels
    height: int
    redraw: Redraw = WHOLE

    @classmethod
    def of(cls, request: SettledDiffusion) -> Sampling:
        """The same for all images, with the request's own prompts and size."""
        redraw = Redraw.of(request) if isinstance(request, ImageToImage) else WHOLE
        width, height = redraw.drawn_size(request.width, request.height)
        prompt, negative_prompt = request.prompt, request.negative_prompt
        return cls(
            request=request, prompt=prompt, negative_prompt=negative_prompt, width=width, height=height, redraw=redraw
        )

    @property
    def denoising_strength(self) -> float:
        """The request's denoising strength; 1 if there is no picture to start from."""
        return self.request.denoising_strength if isinstance(self.request, ImageToImage) else 1.0

    @property
    def walk_to(self) -> WalkEnd | None:
        """The other end of a walk; None if this is not a walk."""
        return self.request.walk_to if isinstance(self.request, TextToImage) else None

    @property
    def is_branch(self) -> bool:
        """Whether this continues from a step of another picture."""
        return self.request.branch_from is not None

    @property
    def reading(self) -> Reading:
        """How the prompts are read."""
        return Reading(self.request.prompt_dialect, self.request.emphasis, self.request.clip_skip)

    @property
    def images(self) -> int:
        """How many images are made."""
        return self.request.num_images if self.request.only_image is None else 1

    @property
    def is_plain(self) -> bool:
        """Whether each image starts from its own noise and keeps its own number."""
        return self.request.only_image is None and not self.is_branch

    def number_of(self, index: int) -> int:
        """The position of image `index` among the images that are made."""
        return index if self.request.only_image is None else 0

    @property
    def ignores_picture(self) -> bool:
        """Whether nothing of the input picture would be left."""
        return self.denoising_strength == 1 and not self.redraw.is_partial

    @property
    def strongest(self) -> float:
        """The highest denoising strength of any part: added sides always have 1."""
        return 1.0 if self.redraw.sides else self.denoising_strength

    @property
    def starts_between_steps(self) -> bool:
        """Whether a strength between two whole numbers of steps begins with noise between theirs."""
        return isinstance(self.request, ImageToImage) and self.request.denoising_start == "exact"

    @property
    def keeps_picture(self) -> bool:
        """Whether nothing would be drawn."""
        return self.denoising_strength == 0 and not self.redraw.sides

    def at(self, width: int, height: int) -> Sampling:
        """The same at another size."""
        return self if (width, height) == (self.width, self.height) else replace(self, width=width, height=height)

    def seed_of(self, index: int) -> int:
        """The seed of image `index` (from 0). Variations share one; on a walk, all but the last image have the seed of
        its start.
        """
        if self.walk_to is not None:
            return self.walk_to.seed if self.walked(index) == 1 else self.request.seed
        return self.request.seed if self.request.variation_strength > 0 else image_seed(self.request.seed, index)

    def variation_seed_of(self, index: int) -> int | None:
        """The seed that image `index` (from 0) varies with, or None; on a walk, the variation of its start."""
        if self.request.variation_strength == 0 or self.request.variation_seed is None:
            return None
        return (
            self.request.variation_seed if self.walk_to is not None else image_seed(self.request.variation_seed, index)
        )

    def walked(self, index: int) -> float:
        """How far image `index` (from 0) is along the walk: 0 at the start, 1 at the end; 0 if there is no walk."""
        return 0.0 if self.walk_to is None or self.request.num_images == 1 else index / (self.request.num_images - 1)

    def loras_of(self, index: int) -> tuple[Lora, ...]:
        """The LoRAs of image `index` (from 0), for a sampling from `told`; along a walk, the start's fade out and the
        end's in.
        """
        start = loras_in(self.prompt, self.reading.dialect)
        if self.walk_to is None:
            return start
        end, share = loras_in(self.walk_to.prompt, self.reading.dialect), self.walked(index)
        return (*(lora.times(1 - share) for lora in start), *(lora.times(share) for lora in end))

    def is_guided_at(self, step: int, steps: int) -> bool:
        """Whether guidance is on at `step` (from 0) of the `steps` that run."""
        return self.request.guidance_start <= step / steps < self.request.guidance_end

    def told(self, index: int) -> Sampling:
        """The same with the prompts of image `index` (from 0), since wildcards give each image its own."""
        if self.request.resolved_prompts is None:
            return self
        own = self.request.resolved_prompts[0 if self.walk_to is not None else index]
        return replace(self, prompt=own.prompt, negative_prompt=own.negative_prompt)

    def alike(self, first: int, most: int) -> list[int]:
        """Image `first` and the following ones that can be made in one batch with it, at most `most`."""
        if self.request.only_image is not None:
            return [self.request.only_image]
        last = min(first + (1 if self.walk_to is not None or self.is_branch else most), self.request.num_images)
        if self.request.resolved_prompts is None:
            return list(range(first, last))
        own = self.request.resolved_prompts
        end = next((index for index in range(first, last) if own[index] != own[first]), last)
        return list(range(first, end))
