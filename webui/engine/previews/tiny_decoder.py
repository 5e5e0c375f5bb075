"""Previews by a tiny decoder: a small network that a checkpoint may bring along, trained on the latents of its VAE.

It is an AutoencoderTiny in diffusers' format (TAESD, Bohan 2023) in the folder `tiny_vae`, and takes latents as the
denoiser sees them. Knows no previews and no schedulers.
"""

from __future__ import annotations

import logging
import math
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
from webui.engine.device import Device, is_out_of_memory
from webui.engine.previews.preview import LONGEST_SIDE

logger = logging.getLogger(__name__)

FOLDER = "tiny_vae"  # beside the checkpoint's own `vae`
WEIGHTS = "diffusion_pytorch_model.safetensors"


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
    """The tiny decoder in a checkpoint's folder; None if there is none.

    If it does not load, or is made for other latents, the log says so and None is returned: pictures do not need it.
    """
    folder = checkpoint / FOLDER
    if not folder.is_dir():
        return None
    try:
        config = read_json(folder / "config.json")
        channels = vae.config.get("latent_channels")
        if config.get("_class_name") != "AutoencoderTiny" or config.get("latent_channels") != channels:
            raise Broken("other_shapes")
        read_header(folder / WEIGHTS)
        network = AutoencoderTiny.from_pretrained(
            folder, dtype=device.dtype, use_safetensors=True, local_files_only=True, low_cpu_mem_usage=False
        )
    except (Broken, OSError, SafetensorError, TypeError, ValueError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise
        logger.warning("cannot use the decoder in %s: %s", folder, str(error).partition("\n")[0])
        return None
    network = network.eval().requires_grad_(False).to(device.torch_device)
    if device.is_cpu:  # small convolutions are quickest that way: 2.2 against 12 ms for one of 16 channels
        network = network.to(memory_format=torch.channels_last)
    return TinyDecoder(network)
