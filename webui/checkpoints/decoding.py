"""What a checkpoint's configs say about its VAE, and whether a tiny decoder lies beside it.

The catalogue has it read with the rest of a checkpoint. Reads configs, never weights. Knows no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webui.checkpoints.diffusers_folder import read_json
from webui.checkpoints.refusals import Broken

FOLDER = "tiny_vae"  # of the tiny decoder, beside the checkpoint's own `vae`
CONFIG = "config.json"
WEIGHTS = "diffusion_pytorch_model.safetensors"
# Channels of a VAE's last level, which works on every pixel and costs most: 128 in all published ones. A decoder with
# fewer than this is quick enough by itself.
_COSTLY_CHANNELS = 64
_LEVELS = ("block_out_channels", "encoder_block_out_channels", "dim_mult")  # what configs of VAEs call their levels
_TINY_LEVELS = [64, 64, 64, 64]  # diffusers' own, as in every published one
# What diffusers assumes where a config does not say.
_ASSUMED: dict[str, Any] = {"scaling_factor": 0.18215, "latent_channels": 4}
_OF_LATENTS = ("latent_channels", "block_out_channels", "scaling_factor", "shift_factor", "latents_mean", "latents_std")


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How the latents of a checkpoint can become pixels.

    `latents` tells latents apart: checkpoints of one family that agree in this have the same ones; None where it cannot
    be told. `is_costly`: the VAE's decoder takes long on a processor. `tiny` is the folder of its own tiny decoder.
    """

    latents: tuple[str, ...] | None = None
    is_costly: bool = False
    tiny: Path | None = None


def read_decoding(root: Path) -> Decoding:
    """Of a diffusers folder, or of the folder of configs that belongs to a single file."""
    vae = _ASSUMED | _config(root / "vae")
    return Decoding(
        latents=tuple(str(vae.get(name)) for name in _OF_LATENTS) if "block_out_channels" in vae else None,
        is_costly=_is_costly(vae),
        tiny=root / FOLDER if _fits(root / FOLDER, vae) else None,
    )


def _is_costly(vae: dict[str, Any]) -> bool:
    widths = vae.get("block_out_channels")
    narrowest = widths[0] if isinstance(widths, list) and widths else 0
    return isinstance(narrowest, int) and narrowest >= _COSTLY_CHANNELS


def _fits(folder: Path, vae: dict[str, Any]) -> bool:
    """Whether a tiny decoder in `folder` draws the latents of `vae` at full size."""
    if not (folder / WEIGHTS).is_file():
        return False
    config = _config(folder)
    is_tiny = config.get("_class_name") == "AutoencoderTiny"
    has_channels = (_ASSUMED | config)["latent_channels"] == vae["latent_channels"]
    return is_tiny and has_channels and _doublings(config) == _levels(vae) - 1


def _levels(vae: dict[str, Any]) -> int:
    """Each but the last halves the picture."""
    return len(next((vae[name] for name in _LEVELS if isinstance(vae.get(name), list)), ()))


def _doublings(tiny: dict[str, Any]) -> int | None:
    """How often a tiny decoder doubles its sides; one for previews alone may do so less often than the VAE. None for
    one that does otherwise.
    """
    levels = tiny.get("decoder_block_out_channels", _TINY_LEVELS)
    return len(levels) - 1 if isinstance(levels, list) and tiny.get("upsampling_scaling_factor", 2) == 2 else None


def _config(folder: Path) -> dict[str, Any]:
    """Empty if it cannot be read."""
    try:
        return read_json(folder / CONFIG)
    except Broken:
        return {}
