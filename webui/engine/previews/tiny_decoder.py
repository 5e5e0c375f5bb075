"""Tiny decoders: small networks trained on the latents of a VAE (`webui/checkpoints/tiny_decoders.py` finds them).

They take latents as the denoiser sees them, and draw previews or whole pictures. Knows no schedulers.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderTiny
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import functional

from webui.checkpoints.diffusers_folder import read_json
from webui.checkpoints.refusals import Broken
from webui.checkpoints.safetensors_header import read_header
from webui.checkpoints.tiny_decoders import CONFIG, FOLDER, WEIGHTS
from webui.engine.device import Device, is_out_of_memory
from webui.engine.previews.preview import LONGEST_SIDE, to_network

logger = logging.getLogger(__name__)


class TinyDecoder:
    """The network, which decodes no more pixels than a preview needs."""

    def __init__(self, network: Any) -> None:
        self._network = network
        levels = len(network.config.decoder_block_out_channels)
        self._factor = network.config.upsampling_scaling_factor ** (levels - 1)  # pixels a latent

    @torch.inference_mode()
    def __call__(self, latents: Tensor) -> np.ndarray:
        """Latents (C, h, w), as the network sees them → (H, W, 3) uint8, with H and W close to a preview's longest side
        at most.

        The latents of a larger picture are averaged first, so that the cost hardly grows with the picture.
        """
        rows = latents.detach()[None].to(self._network.device, torch.float32)
        shrink = math.ceil(max(rows.shape[-2:]) * self._factor / LONGEST_SIDE)
        if shrink > 1:
            size = [math.ceil(side / shrink) for side in rows.shape[-2:]]
            rows = functional.interpolate(rows, size=size, mode="area")
        picture = self._network.decode(rows.to(self._network.dtype), return_dict=False)[0][0].float()
        pixels = ((picture / 2 + 0.5).clamp(0, 1).nan_to_num() * 255).to(torch.uint8)
        shown: np.ndarray = pixels.permute(1, 2, 0).contiguous().cpu().numpy()
        return shown


def load_tiny_decoder(checkpoint: Path, vae: Any, device: Device) -> TinyDecoder | None:
    """The tiny decoder in a checkpoint's folder, for previews; None if there is none.

    If it does not load, or is made for other latents, the log says so and None is returned: pictures do not need it.
    """
    folder = checkpoint / FOLDER
    if not folder.is_dir():
        return None
    try:
        return TinyDecoder(load_tiny_vae(folder, vae, device))
    except Broken as error:
        logger.warning("cannot use the decoder in %s: %s", folder, error)
        return None


def load_tiny_vae(folder: Path, vae: Any, device: Device) -> AutoencoderTiny:
    """The network in `folder`, which decodes the latents of `vae`. Raises Broken for one that does not load or is made
    for latents with other channels.
    """
    try:
        config = read_json(folder / CONFIG)
        channels = vae.config.get("latent_channels")
        if config.get("_class_name") != "AutoencoderTiny" or config.get("latent_channels") != channels:
            raise Broken("other_shapes")
        read_header(folder / WEIGHTS)
        network = AutoencoderTiny.from_pretrained(
            folder, dtype=device.dtype, use_safetensors=True, local_files_only=True, low_cpu_mem_usage=False
        )
    except (OSError, SafetensorError, TypeError, ValueError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise
        logger.warning("%s does not load: %s", folder, str(error).partition("\n")[0])
        raise Broken("does_not_load") from error
    network = network.eval().requires_grad_(False).to(device.torch_device)
    if device.is_cpu:  # small convolutions are quickest that way: 2.2 against 12 ms for one of 16 channels
        network = network.to(memory_format=torch.channels_last)
    return network


@contextmanager
def decodes_instead(vae: Any, tiny: AutoencoderTiny | None) -> Iterator[None]:
    """While this lasts, `tiny` decodes what is given to `vae`, whose other methods stay as they are; None changes
    nothing.
    """
    if tiny is None:
        yield
        return

    def decode(latents: Tensor, *_args: Any, **_settings: Any) -> tuple[Tensor]:
        return (tiny.decode(to_network(vae, latents).to(tiny.dtype), return_dict=False)[0],)

    vae.decode = decode  # of this one object, in front of its class's
    try:
        yield
    finally:
        del vae.decode
