"""Previews: latents → a small RGB picture by one linear map, and JPEGs that are made in another thread than the steps.

The map is a published table for the family if there is one. Otherwise it is fitted once to the VAE at hand: a 3×3
convolution that gives each latent a patch of pixels, by least squares on what the VAE itself decodes. (A checkpoint may
bring something better: tiny_decoder.py.) Knows no schedulers.
"""

from __future__ import annotations

import dataclasses
import io
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from webui.events import EngineEvent, Step

logger = logging.getLogger(__name__)

LONGEST_SIDE = 256  # pixels of a preview
JPEG_QUALITY = 80
AT_LEAST = 4  # previews of a picture, whoever watches
MIN_INTERVAL_SECONDS = 0.2  # at most five a second to one who watches
_LEVELS = ("block_out_channels", "encoder_block_out_channels", "dim_mult")  # what configs of VAEs call their levels


LatentDecoder = Callable[[Tensor], np.ndarray]  # (C, h, w), as the network sees them → (H, W, 3) uint8
_Picture = Image.Image | np.ndarray  # RGB; or (H, W, 3) uint8
_Finish = Callable[[Any], _Picture]


@dataclass(frozen=True)
class LinearDecoder:
    """A linear picture of latents by a convolution with `weight` (3·s², C, k, k) and `bias` (3·s²); s pixels for each
    latent.
    """

    weight: Tensor
    bias: Tensor
    scale: int

    def __call__(self, latents: Tensor) -> np.ndarray:
        """Latents (C, h, w), as the network sees them → (h·s, w·s, 3) uint8."""
        padding = self.weight.shape[-1] // 2
        padded = functional.pad(latents.detach().float().cpu().unsqueeze(0), (padding,) * 4, mode="replicate")
        picture = functional.pixel_shuffle(functional.conv2d(padded, self.weight, self.bias), self.scale)
        pixels = ((picture[0] / 2 + 0.5).clamp(0, 1) * 255).to(torch.uint8)
        return pixels.permute(1, 2, 0).contiguous().numpy()


def from_table(weights: Any, bias: Any) -> LinearDecoder:
    """The decoder of a published table: `weights` has a row (R, G, B) for each channel, `bias` is (R, G, B), all in
    [-1, 1].
    """
    matrix = torch.tensor(weights, dtype=torch.float32).T.contiguous()  # (3, C)
    return LinearDecoder(matrix[:, :, None, None], torch.tensor(bias, dtype=torch.float32), scale=1)


@torch.no_grad()
def fit_decoder(vae: Any, check: Callable[[], None], *, seed: int = 0) -> LinearDecoder:
    """Fits a decoder by least squares, from latents to what `vae` decodes them to, on pictures of coloured blobs.

    8 pictures of 16×16 latents give 2048 samples for 9·C + 1 unknowns, which is enough for 16 channels and takes about
    as long as eight small decodes. A slight ridge penalty keeps channels that carry nothing at zero.
    """
    factor = latent_factor(vae)
    scale = min(4, factor)
    pictures = _blobs(8, 16 * factor, seed)
    latents = []
    for picture in pictures.unsqueeze(1):
        check()
        latents.append(to_network(vae, _encoded(vae, picture.to(vae.device, vae.dtype))).float().cpu())
    seen = torch.cat(latents)
    seen = seen / seen.std().clamp(min=1e-6)  # as the network makes them, also where the VAE's scale is off
    decoded = []
    for latent in seen.unsqueeze(1):
        check()
        decoded.append(_decoded(vae, from_network(vae, latent.to(vae.device)).to(vae.dtype)).float().cpu())
    shrunk = functional.interpolate(torch.cat(decoded), size=16 * scale, mode="area")
    targets = functional.pixel_unshuffle(shrunk, scale).permute(0, 2, 3, 1).flatten(0, 2)  # (N, 3·s²)
    padded = functional.pad(seen, (1, 1, 1, 1), mode="replicate")
    inputs = functional.unfold(padded, 3).transpose(1, 2).flatten(0, 1)  # (N, 9·C)
    inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1).double()
    products = inputs.T @ inputs
    ridge = 1e-3 * products.diagonal()[:-1].mean() * torch.eye(len(products), dtype=torch.float64)
    ridge[-1, -1] = 0  # the bias is free
    solution = torch.linalg.solve(products + ridge, inputs.T @ targets.double()).float()
    weight = solution[:-1].T.reshape(3 * scale**2, -1, 3, 3).contiguous()
    return LinearDecoder(weight, solution[-1].contiguous(), scale)


def latent_factor(vae: Any) -> int:
    """How many pixels a latent stands for along each side: each level of the VAE but the last halves the picture."""
    levels = next(vae.config[name] for name in _LEVELS if name in vae.config)
    return int(2 ** (len(levels) - 1))


def decoded(vae: Any, latents: Tensor) -> Tensor:
    """Latents (1, C, h, w), as a network gives them → (1, 3, H, W), about [-1, 1]; for any VAE that has previews."""
    return _decoded(vae, from_network(vae, latents.to(vae.device)).to(vae.dtype)).float()


def _encoded(vae: Any, picture: Tensor) -> Tensor:
    """(1, C, h, w) as the VAE gives them: the single frame of a video VAE, the output itself of one
    without randomness.
    """
    found = vae.encode(picture.unsqueeze(2) if _knows_videos(vae) else picture)
    latents: Tensor = found.latent_dist.mean if hasattr(found, "latent_dist") else found.latent
    return latents[:, :, 0] if latents.dim() == 5 else latents


def _decoded(vae: Any, latents: Tensor) -> Tensor:
    """(1, 3, H, W) of what `_encoded` gave."""
    picture: Tensor = vae.decode(latents.unsqueeze(2) if _knows_videos(vae) else latents, return_dict=False)[0]
    return picture[:, :, 0] if picture.dim() == 5 else picture


def _knows_videos(vae: Any) -> bool:
    return "temperal_downsample" in vae.config  # so spelled in diffusers' configs


def to_network(vae: Any, latents: Tensor) -> Tensor:
    """Latents as the VAE gives them → as the network takes them: shifted and scaled to about unit variance."""
    if _normalises_patches(vae):
        mean, std = _patch_mean_and_std(vae, latents)
        return functional.pixel_shuffle((functional.pixel_unshuffle(latents, 2) - mean) / std, 2)
    shift, scale = _shift_and_scale(vae, latents)
    return (latents - shift) * scale


def from_network(vae: Any, latents: Tensor) -> Tensor:
    """Latents as the network gives them → as the VAE takes them; undoes `to_network`."""
    if _normalises_patches(vae):
        mean, std = _patch_mean_and_std(vae, latents)
        return functional.pixel_shuffle(functional.pixel_unshuffle(latents, 2) * std + mean, 2)
    shift, scale = _shift_and_scale(vae, latents)
    return latents / scale + shift


def _normalises_patches(vae: Any) -> bool:
    """Whether the VAE stores a mean and a deviation for each place of a 2×2 patch in a batch norm, as FLUX.2's does."""
    return hasattr(vae, "bn")


def _patch_mean_and_std(vae: Any, latents: Tensor) -> tuple[Tensor, Tensor]:
    mean, variance = (values.to(latents).view(1, -1, 1, 1) for values in (vae.bn.running_mean, vae.bn.running_var))
    return mean, (variance + vae.config.batch_norm_eps).sqrt()


def _shift_and_scale(vae: Any, latents: Tensor) -> tuple[Tensor | float, Tensor | float]:
    mean, std = vae.config.get("latents_mean"), vae.config.get("latents_std")
    if mean is not None and std is not None:  # some SDXL and newer VAEs, by channel
        shape = (1, -1, *(1,) * (latents.dim() - 2))
        scale = vae.config.get("scaling_factor") or 1.0
        return latents.new_tensor(mean).view(shape), scale / latents.new_tensor(std).view(shape)
    return vae.config.get("shift_factor") or 0.0, vae.config.scaling_factor


def _blobs(count: int, size: int, seed: int) -> Tensor:
    """(count, 3, size, size) in [-1, 1]: coarse and fine coloured noise, with every hue and some edges."""
    generator = torch.Generator().manual_seed(seed)
    layers = [
        functional.interpolate(torch.rand(count, 3, cells, cells, generator=generator), size=size, mode=mode)
        for cells, mode in ((2, "bilinear"), (4, "bicubic"), (8, "nearest"), (16, "bicubic"))
    ]
    share = torch.rand(len(layers), count, 1, 1, 1, generator=generator)
    mixed = (torch.stack(layers) * share).sum(0) / share.sum(0)
    return ((mixed - 0.5) * 4).clamp(-1, 1)


class Previewer:
    """Sends the `Step` events of one job, in order, with previews when they are due; a context manager.

    A separate thread makes the JPEGs. Every event goes through it, so that none overtakes another. Leaving the block
    sends whatever is still waiting.
    """

    def __init__(
        self,
        on_event: Callable[[EngineEvent], None],
        watched: Callable[[], bool],
        interval_seconds: float = MIN_INTERVAL_SECONDS,
    ) -> None:
        self._on_event = on_event
        self._interval = interval_seconds
        self._watched = watched
        self._last = -float("inf")
        self._queue: queue.SimpleQueue[tuple[Step, _Picture | None, _Finish | None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._send_all, name="previews", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._queue.put(None)
        self._thread.join()

    def step(
        self,
        *,
        index: int,
        total: int,
        phase: str,
        image: int = 0,
        seconds: float = 0.0,
        loss: float | None = None,
        make: Callable[[], _Picture] | None = None,
        finish: _Finish | None = None,
    ) -> None:
        """Reports that step `index` (from 1) of `total` is done.

        `make` returns the step's picture, RGB or (H, W, 3) uint8; it is called here if a preview is due. `finish` does
        the part that can wait until the next step is running, in the previews' thread.

        Due are at least AT_LEAST steps of a picture, spread evenly and including the last, and whatever the interval
        allows while somebody watches.
        """
        event = Step(index=index, total=total, phase=phase, image=image, seconds=seconds, loss=loss)
        picture = make() if make is not None and self._is_due(index, total) else None
        self._queue.put((event, picture, finish))

    def _is_due(self, index: int, total: int) -> bool:
        now = time.monotonic()
        is_minimum = index * AT_LEAST // total > (index - 1) * AT_LEAST // total
        if is_minimum or (self._watched() and now - self._last >= self._interval):
            self._last = now
            return True
        return False

    def _send_all(self) -> None:
        while (item := self._queue.get()) is not None:
            event, picture, finish = item
            if picture is not None:
                event = dataclasses.replace(event, preview=to_jpeg(picture if finish is None else finish(picture)))
            self._on_event(event)


@dataclass(frozen=True)
class Numbered:
    """A previewer for one image of a job, `image`, whatever number its steps report."""

    previewer: Previewer
    image: int

    def step(self, **step: Any) -> None:
        """The same as `Previewer.step`."""
        self.previewer.step(**step | {"image": self.image})


def to_jpeg(picture: Image.Image | np.ndarray, longest_side: int = LONGEST_SIDE) -> bytes:
    """A JPEG whose longer side has exactly `longest_side` pixels."""
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    scale = longest_side / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    if size != picture.size:
        picture = picture.convert("RGB").resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
