"""What a diffusion request comes to, with nothing left open.

Knows no torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from webui.errors import InvalidRequest
from webui.families import Defaults
from webui.requests import ImageToImage, TextToImage, image_seed


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """The values of a request, each settled. `denoising_strength` is 1 where there is no picture to start from."""

    task: str
    prompt: str
    negative_prompt: str
    scheduler: str
    sigmas: str
    steps: int
    guidance_scale: float
    seed: int
    width: int  # pixels
    height: int
    num_images: int
    denoising_strength: float

    @classmethod
    def of(cls, request: TextToImage | ImageToImage, defaults: Defaults) -> Sampling:
        """What was left open is the checkpoint's default, but for the seed: that is settled once, at submit.

        Raises InvalidRequest for an open seed.
        """
        if request.seed is None or request.seed < 0:
            raise InvalidRequest(field="seed", reason="seed_open")
        scheduler = request.scheduler or defaults.scheduler
        own_sigmas = defaults.sigmas if scheduler == defaults.scheduler else "default"  # another may not have them
        return cls(
            task=request.task,
            prompt=request.prompt,
            negative_prompt=request.negative_prompt,
            scheduler=scheduler,
            sigmas=request.sigmas or own_sigmas,
            steps=request.steps or defaults.steps,
            guidance_scale=defaults.guidance_scale if request.guidance_scale is None else request.guidance_scale,
            seed=request.seed,
            width=request.width or defaults.width,
            height=request.height or defaults.height,
            num_images=request.num_images,
            denoising_strength=request.denoising_strength if isinstance(request, ImageToImage) else 1.0,
        )

    def seed_of(self, index: int) -> int:
        """Seed of image `index` (from 0)."""
        return image_seed(self.seed, index)
