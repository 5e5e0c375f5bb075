"""Tiny decoders: small networks that draw the pixels of latents in a fraction of the time that the VAE takes.

One is an AutoencoderTiny in diffusers' format (TAESD, Bohan 2023), in the folder `tiny_vae` of a checkpoint. It also
serves the other checkpoints of the family whose VAE says the same of its latents. Reads configs, never weights. Knows
no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.diffusers_folder import read_json
from webui.checkpoints.refusals import Broken

FOLDER = "tiny_vae"  # beside the checkpoint's own `vae`
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
_Latents = tuple[str, ...]
Word = Literal["full", "tiny"]  # of the field `decoder`


class TinyDecoders:
    """The tiny decoders of these checkpoints, found once."""

    def __init__(self, checkpoints: Sequence[Checkpoint]) -> None:
        self._vaes: dict[Path, dict[str, Any]] = {}  # configs, by their folders
        self._shared: dict[_Latents, Path] = {}
        for checkpoint in checkpoints:
            latents, own = self._latents(checkpoint), self._own(checkpoint)
            if latents is not None and own is not None:
                self._shared.setdefault(latents, own)

    def of(self, checkpoint: Checkpoint) -> Path | None:
        """The folder of its own one, else of another checkpoint's for the same latents; None if there is none."""
        own = self._own(checkpoint)
        latents = self._latents(checkpoint)
        return own if own is not None or latents is None else self._shared.get(latents)

    def words_for(self, checkpoint: Checkpoint, *, is_on_cpu: bool) -> tuple[Word, ...]:
        """The words of the field `decoder` that work with the checkpoint, its default first: the tiny one where a
        processor draws and the checkpoint's own decoder is costly, else the full one.
        """
        if self.of(checkpoint) is None:
            return ("full",)
        return ("tiny", "full") if is_on_cpu and self._is_costly(checkpoint) else ("full", "tiny")

    def _is_costly(self, checkpoint: Checkpoint) -> bool:
        widths = self._vae(checkpoint).get("block_out_channels")
        narrowest = widths[0] if isinstance(widths, list) and widths else 0
        return isinstance(narrowest, int) and narrowest >= _COSTLY_CHANNELS

    def _own(self, checkpoint: Checkpoint) -> Path | None:
        folder = checkpoint.path / FOLDER
        if checkpoint.form != "folder" or not (folder / WEIGHTS).is_file():
            return None
        try:
            config = read_json(folder / CONFIG)
        except Broken:
            return None
        vae = _ASSUMED | self._vae(checkpoint)
        is_tiny = config.get("_class_name") == "AutoencoderTiny"
        has_channels = (_ASSUMED | config)["latent_channels"] == vae["latent_channels"]
        return folder if is_tiny and has_channels and _doublings(config) == _levels(vae) - 1 else None

    def _latents(self, checkpoint: Checkpoint) -> _Latents | None:
        """What tells latents apart: checkpoints that agree in this have the same ones. None where it cannot be told."""
        config = _ASSUMED | self._vae(checkpoint)
        if "block_out_channels" not in config:
            return None
        return checkpoint.family, *(str(config.get(name)) for name in _OF_LATENTS)

    def _vae(self, checkpoint: Checkpoint) -> dict[str, Any]:
        """The config of its VAE; empty if it cannot be read."""
        root = checkpoint.path if checkpoint.form == "folder" else checkpoint.components
        if root is None:
            return {}
        if root not in self._vaes:
            try:
                self._vaes[root] = read_json(root / "vae" / CONFIG)
            except Broken:
                self._vaes[root] = {}
        return self._vaes[root]


def _levels(vae: dict[str, Any]) -> int:
    """Each but the last halves the picture."""
    return len(next((vae[name] for name in _LEVELS if isinstance(vae.get(name), list)), ()))


def _doublings(tiny: dict[str, Any]) -> int | None:
    """How often a tiny decoder doubles its sides; one for previews alone may do so less often than the VAE. None for
    one that does otherwise.
    """
    levels = tiny.get("decoder_block_out_channels", _TINY_LEVELS)
    return len(levels) - 1 if isinstance(levels, list) and tiny.get("upsampling_scaling_factor", 2) == 2 else None
