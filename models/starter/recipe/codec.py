"""The autoencoder's encoder, computed instead of trained: the principal components of 16 by 16 pixel patches.

The patches are those of the picture at half its size; what is finer is the decoder's to guess. Sixteen components of
flat illustrations keep 26.7 dB of them with a linear decoder, which no encoder trained for an hour on two cores came
near. They are written into the weights of an ordinary AutoencoderKL, so that nothing else has to know:

- its strided convolutions look at exactly 2 by 2 pixels, so they can take means, or move pixels into channels (space
  to depth);
- its residual blocks are the identity when their last convolution is zero;
- its last norm is kept from looking at the content by two large constant channels in every group;
- its last activation is undone by pairs of channels, for silu(x) - silu(-x) = x.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from diffusers.models.resnet import ResnetBlock2D
from numpy.typing import NDArray
from torch import Tensor, nn

from models.starter.recipe.architecture import LATENT_CHANNELS

log = logging.getLogger("codec")
Floats = NDArray[np.float32]
CHUNK = 16  # pictures encoded at once, to stay within the processor's caches
FITTED_PATCHES = 120_000
PIXEL_CHANNELS = 48  # of 4 by 4 pixels, all kept
INNER_CHANNELS = 96  # of 8 by 8 pixels
CONSTANT = 30.0  # of the constant channels, in deviations of the others
WHITENING = 0.67  # 1 gives all channels unit deviation, 0 leaves them as wide as their part of the picture
NO_VARIANCE = -20.0  # log variance of the posterior: the encoder is certain


def space_to_depth(values: NDArray[np.floating], times: int = 1) -> NDArray[np.floating]:
    """(N, H, W, C) to (N, H/2, W/2, 4C), the channels ordered by (row, column, old channel); repeated `times` times."""
    for _ in range(times):
        n, height, width, channels = values.shape
        blocks = values.reshape(n, height // 2, 2, width // 2, 2, channels)
        values = blocks.transpose(0, 1, 3, 2, 4, 5).reshape(n, height // 2, width // 2, 4 * channels)
    return values


def halve(pictures: NDArray[np.uint8]) -> Floats:
    """(N, H, W, 3) in [0, 255] to the means of 2 by 2 pixels, (N, H/2, W/2, 3) in [-1, 1]."""
    wide = pictures.astype(np.uint16)
    rows = wide[:, ::2] + wide[:, 1::2]
    sums = rows[:, :, ::2] + rows[:, :, 1::2]
    return sums.astype(np.float32) / (4 * 127.5) - 1


@dataclass(frozen=True)
class Codec:
    """A linear map from patches to latents in two steps, after the picture was halved."""

    inner: Floats  # (192, 96) orthonormal basis of 8 by 8 patches of the halved picture
    outer: Floats  # (384, 16) from four of those to latents, scaled
    offset: Floats  # (16,) what the mean patch would give; subtracted

    def encode(self, pictures: NDArray[np.uint8], is_halved: bool = False) -> Tensor:
        """(N, H, W, 3) in [0, 255] to latents (N, 16, H/32, W/32); those of pictures drawn at half the size, H/16."""
        inner, outer, offset = (torch.from_numpy(part) for part in (self.inner, self.outer, self.offset))
        parts = []
        for first in range(0, len(pictures), CHUNK):
            chunk = pictures[first : first + CHUNK]
            pixels = space_to_depth(chunk.astype(np.float32) / 127.5 - 1 if is_halved else halve(chunk), 3)
            # torch's products, not numpy's: its threads neither spin nor ignore set_num_threads.
            small = (torch.from_numpy(pixels) @ inner).numpy()
            parts.append(torch.from_numpy(space_to_depth(small)) @ outer - offset)
        return torch.cat(parts).permute(0, 3, 1, 2).contiguous()

    def encode_on(self, halved: Tensor) -> Tensor:
        """The same on whatever device the halved pictures lie: (N, 3, H/2, W/2) in [-1, 1] to (N, 16, H/32, W/32)."""
        inner, outer, offset = (
            torch.from_numpy(part).to(halved.device) for part in (self.inner, self.outer, self.offset)
        )
        values = halved.permute(0, 2, 3, 1)
        for step, basis in ((3, inner), (1, outer)):
            for _ in range(step):
                number, height, width, channels = values.shape
                blocks = values.reshape(number, height // 2, 2, width // 2, 2, channels).permute(0, 1, 3, 2, 4, 5)
                values = blocks.reshape(number, height // 2, width // 2, 4 * channels)
            values = values @ basis
        return (values - offset).permute(0, 3, 1, 2).contiguous()

    def save(self, path: Path) -> None:
        """Saves the map as an npz file."""
        np.savez(path, inner=self.inner, outer=self.outer, offset=self.offset)


def load_codec(path: Path) -> Codec:
    """What `Codec.save` wrote."""
    data = np.load(path)
    return Codec(data["inner"], data["outer"], data["offset"])


def _basis(samples: Floats, number: int, centred: bool) -> tuple[Floats, Floats]:
    """The first principal directions (D, number) and the deviations along them."""
    moments = np.cov(samples.T) if centred else samples.T @ samples / len(samples)
    values, vectors = np.linalg.eigh(moments.astype(np.float64))
    order = np.argsort(values)[::-1][:number]
    deviations = np.sqrt(values[order].clip(0))  # rounding may bring what is nothing below it
    return vectors[:, order].astype(np.float32), deviations.astype(np.float32)


def fit_codec(pictures: NDArray[np.uint8], seed: int) -> Codec:
    """Principal components of the patches of (N, 512, 512, 3) pictures; latents have unit deviation over all."""
    rng = np.random.default_rng(seed)
    patches = space_to_depth(np.concatenate([halve(picture[None]) for picture in pictures]), 3)
    flat = patches.reshape(-1, patches.shape[-1])
    inner, _ = _basis(flat[rng.integers(len(flat), size=FITTED_PATCHES)], INNER_CHANNELS, False)
    large = space_to_depth(patches @ inner).reshape(-1, 4 * INNER_CHANNELS)
    vectors, deviations = _basis(large, LATENT_CHANNELS, True)
    widths = deviations ** (1 - WHITENING)
    widths /= np.sqrt(np.square(widths).mean())
    outer = vectors * (widths / deviations)
    log.info("deviations of the latents: %s", ", ".join(f"{width:.2f}" for width in widths))
    return Codec(inner, outer, large.mean(axis=0) @ outer)


def _make_identity(module: nn.Module) -> None:
    """Residual blocks that do nothing but embed their channels in more."""
    for block in module.modules():
        if isinstance(block, ResnetBlock2D):
            nn.init.zeros_(block.conv2.weight)
            nn.init.zeros_(block.conv2.bias)
            if block.conv_shortcut is not None:
                nn.init.dirac_(block.conv_shortcut.weight)
                nn.init.zeros_(block.conv_shortcut.bias)


def _set_taps(convolution: nn.Conv2d, matrix: Floats) -> None:
    """Make a strided convolution the map `matrix` (4 * C_in, C_out) of 2 by 2 pixels."""
    nn.init.zeros_(convolution.weight)
    nn.init.zeros_(convolution.bias)
    channels, outputs = matrix.shape[0] // 4, matrix.shape[1]
    taps = torch.from_numpy(matrix.reshape(2, 2, channels, outputs)).permute(3, 2, 0, 1)
    convolution.weight[:outputs, :channels, :2, :2] = taps


def _signed_channels(groups: int, group_size: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """Channel numbers of plus and minus signals, and of plus and minus constants, spread over the norm's groups."""
    pairs = LATENT_CHANNELS // groups
    starts = range(0, groups * group_size, group_size)
    plus = [start + index for start in starts for index in range(pairs)]
    minus = [channel + pairs for channel in plus]
    return plus, minus, [start + group_size - 1 for start in starts], [start + group_size - 2 for start in starts]


@torch.no_grad()
def write_encoder(vae: AutoencoderKL, codec: Codec) -> None:
    """Puts the codec into the encoder's weights."""
    encoder = vae.encoder
    _make_identity(encoder)
    nn.init.dirac_(encoder.conv_in.weight)
    nn.init.zeros_(encoder.conv_in.bias)
    halving, first, second, third, last = _strided(vae)
    _set_taps(halving, np.tile(np.eye(3, dtype=np.float32) / 4, (4, 1)))
    for convolution, channels in ((first, PIXEL_CHANNELS // 4), (second, PIXEL_CHANNELS)):
        _set_taps(convolution, np.eye(channels, dtype=np.float32))
    _set_taps(third, codec.inner)
    norm = encoder.conv_norm_out
    plus, minus, high, low = _signed_channels(norm.num_groups, norm.num_channels // norm.num_groups)
    matrix = np.zeros((codec.outer.shape[0], norm.num_channels), np.float32)
    matrix[:, plus], matrix[:, minus] = codec.outer, -codec.outer
    _set_taps(last, matrix)
    offset = torch.from_numpy(codec.offset)
    last.bias[plus], last.bias[minus] = -offset, offset
    last.bias[high], last.bias[low] = CONSTANT, -CONSTANT
    # A group's variance is that of its constants, and a little from the signals, which have unit deviation.
    variance = (2 * CONSTANT**2 + 2 * LATENT_CHANNELS / norm.num_groups) * norm.num_groups / norm.num_channels
    nn.init.constant_(norm.weight, variance**0.5)
    nn.init.zeros_(norm.bias)
    nn.init.zeros_(encoder.conv_out.weight)
    nn.init.constant_(encoder.conv_out.bias, NO_VARIANCE)
    for index in range(LATENT_CHANNELS):
        encoder.conv_out.weight[index, plus[index], 1, 1] = 1
        encoder.conv_out.weight[index, minus[index], 1, 1] = -1
        encoder.conv_out.bias[index] = 0
    for convolution in (vae.quant_conv, vae.post_quant_conv):
        nn.init.dirac_(convolution.weight)
        nn.init.zeros_(convolution.bias)


def read_codec(vae: AutoencoderKL) -> Codec:
    """The codec that `write_encoder` put there."""
    *_, third, last = _strided(vae)
    norm = vae.encoder.conv_norm_out
    plus, *_ = _signed_channels(norm.num_groups, norm.num_channels // norm.num_groups)
    inner, outer = _taps(third, PIXEL_CHANNELS)[:, :INNER_CHANNELS], _taps(last, INNER_CHANNELS)[:, plus]
    return Codec(inner.copy(), outer.copy(), -last.bias.detach()[plus].float().numpy())


def _strided(vae: AutoencoderKL) -> list[nn.Conv2d]:
    """The encoder's strided convolutions, from fine to coarse."""
    return [block.downsamplers[0].conv for block in vae.encoder.down_blocks[:-1]]


def _taps(convolution: nn.Conv2d, channels: int) -> Floats:
    """The map (4 * channels, C_out) of 2 by 2 pixels that `_set_taps` wrote."""
    taps = convolution.weight.detach()[:, :channels, :2, :2].float().permute(2, 3, 1, 0)
    matrix: Floats = taps.reshape(4 * channels, convolution.out_channels).numpy()
    return matrix
