"""Pictures ↔ latents through a VAE, and the size that a picture is computed at.

Knows no prompts and no schedulers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from webui.engine.pictures.images import next_multiple, to_tensor
from webui.engine.previews.preview import from_network, latent_factor, to_network


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """The size asked for, in pixels, and the size computed at: the next larger one that the VAE's latents can have.

    The excess is at the right and at the bottom, and is cut off the decoded picture.
    """

    width: int
    height: int
    computed_width: int
    computed_height: int
    factor: int  # pixels a latent

    @classmethod
    def of(cls, width: int, height: int, vae: Any) -> Canvas:
        """The canvas for a picture of `width` × `height` pixels with this VAE."""
        factor = latent_factor(vae)
        return cls(
            width=width,
            height=height,
            computed_width=next_multiple(width, factor),
            computed_height=next_multiple(height, factor),
            factor=factor,
        )

    @property
    def latent_size(self) -> tuple[int, int]:
        """Height and width of the latents, (h, w)."""
        return self.computed_height // self.factor, self.computed_width // self.factor

    def crop(self, picture: np.ndarray) -> np.ndarray:
        """The part that was asked for of (H, W, …) pixels at any scale, also of a preview."""
        height = max(1, round(picture.shape[0] * self.height / self.computed_height))
        width = max(1, round(picture.shape[1] * self.width / self.computed_width))
        return picture[:height, :width]


def draw_noise(shape: Sequence[int], generators: Sequence[torch.Generator], device: torch.device) -> Tensor:
    """(B, *shape) normal noise, float32, each row from its own generator on the CPU, so that it is the same on any
    device.
    """
    return torch.stack([torch.randn(tuple(shape), generator=g, dtype=torch.float32) for g in generators]).to(device)


def slerp(one: Tensor, other: Tensor, share: float) -> Tensor:
    """From `one` (share 0) to `other` (share 1), both (B, …) noise, along the sphere, so that the noise keeps its
    strength.

    The angle is that of the whole noise (Shoemake 1985); A1111 takes it row by row, which hardly differs. Nearly
    parallel noise is mixed in a straight line.
    """
    if share in (0.0, 1.0):
        return one if share == 0 else other
    a, b = one.flatten(1).double(), other.flatten(1).double()
    cosine = (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))
    angle = torch.acos(cosine.clamp(-1, 1))
    is_parallel = torch.sin(angle) < 1e-3
    sine = torch.where(is_parallel, torch.ones_like(angle), torch.sin(angle))
    weight_a = torch.where(is_parallel, torch.full_like(angle, 1 - share), torch.sin((1 - share) * angle) / sine)
    weight_b = torch.where(is_parallel, torch.full_like(angle, share), torch.sin(share * angle) / sine)
    mixed = weight_a[:, None] * a + weight_b[:, None] * b
    return mixed.to(one.dtype).reshape(one.shape)


def encode(vae: Any, picture: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """(1, 3, H, W) in [-1, 1] → (B, C, h, w), float32, as the network takes them: one draw from the posterior for each
    generator.
    """
    with _wide_enough(vae):
        posterior = vae.encode(picture.to(vae.device, vae.dtype)).latent_dist
    mean, std = posterior.mean.float(), posterior.std.float()
    noise = draw_noise(mean.shape[1:], generators, mean.device)
    return to_network(vae, mean + std * noise)


def encode_enlarged(vae: Any, picture: Image.Image, canvas: Canvas, generators: Sequence[torch.Generator]) -> Tensor:
    """A picture's latents, enlarged to the canvas (bilinear, as in A1111's latent upscale). A picture with more pixels
    than the canvas is made smaller first.
    """
    share = min(1.0, (canvas.width * canvas.height / (picture.width * picture.height)) ** 0.5)
    width, height = (max(1, round(side * share / canvas.factor)) * canvas.factor for side in picture.size)
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    latents = encode(vae, to_tensor(picture), generators)
    return functional.interpolate(latents, size=canvas.latent_size, mode="bilinear", align_corners=False)


def encode_mean(vae: Any, picture: Tensor) -> Tensor:
    """(1, 3, H, W) in [-1, 1] → (1, C, h, w), float32, as the network takes them: the mean of the posterior."""
    with _wide_enough(vae):
        return to_network(vae, vae.encode(picture.to(vae.device, vae.dtype)).latent_dist.mean.float())


def decode(vae: Any, latents: Tensor, *, is_tiled: bool) -> Tensor:
    """Latents (1, C, h, w), as the network gives them → (3, H, W), float32, about [-1, 1]."""
    with _wide_enough(vae), _tiled(vae, is_tiled):
        decoded: Tensor = vae.decode(from_network(vae, latents).to(vae.dtype), return_dict=False)[0]
    return decoded[0].float()


@contextmanager
def _wide_enough(vae: Any) -> Iterator[None]:
    """While this lasts, a VAE that overflows in fp16 (`force_upcast`: SDXL's) computes in fp32."""
    if vae.dtype != torch.float16 or not vae.config.get("force_upcast"):
        yield
        return
    vae.to(torch.float32)
    try:
        yield
    finally:
        vae.to(torch.float16)


@contextmanager
def _tiled(vae: Any, is_tiled: bool) -> Iterator[None]:
    if not is_tiled:
        yield
        return
    vae.enable_tiling()
    try:
        yield
    finally:
        vae.disable_tiling()
