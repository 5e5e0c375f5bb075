"""Tiny decoders: small networks that draw the pixels of latents in a fraction of the time that the VAE takes.

One is an AutoencoderTiny in diffusers' format (TAESD, Bohan 2023), in the folder `tiny_vae` of a checkpoint. It also
serves the other checkpoints of the family whose VAE says the same of its latents. Reads no file: what configs say is in
the catalogue's entries. Knows no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from webui.checkpoints.catalogue import Checkpoint

Word = Literal["full", "tiny"]  # of the field `decoder`


class TinyDecoders:
    """The tiny decoders of these checkpoints."""

    def __init__(self, checkpoints: Sequence[Checkpoint]) -> None:
        self._shared: dict[tuple[str, tuple[str, ...]], Path] = {}  # by family and latents
        for checkpoint in checkpoints:
            latents, own = checkpoint.decoding.latents, checkpoint.decoding.tiny
            if latents is not None and own is not None:
                self._shared.setdefault((checkpoint.family, latents), own)

    def of(self, checkpoint: Checkpoint) -> Path | None:
        """The folder of its own one, else of another checkpoint's for the same latents; None if there is none."""
        latents, own = checkpoint.decoding.latents, checkpoint.decoding.tiny
        return own if own is not None or latents is None else self._shared.get((checkpoint.family, latents))

    def words_for(self, checkpoint: Checkpoint, *, is_on_cpu: bool) -> tuple[Word, ...]:
        """The words of the field `decoder` that work with the checkpoint, its default first: the tiny one where a
        processor draws and the checkpoint's own decoder is costly, else the full one.
        """
        if self.of(checkpoint) is None:
            return ("full",)
        return ("tiny", "full") if is_on_cpu and checkpoint.decoding.is_costly else ("full", "tiny")
