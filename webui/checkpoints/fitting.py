"""Whether a LoRA, an embedding or a VAE is made for a checkpoint, as far as headers and configs tell."""

from __future__ import annotations

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.diffusers_folder import read_json
from webui.checkpoints.model import Model
from webui.checkpoints.refusals import Broken
from webui.checkpoints.text_widths import text_widths
from webui.errors import ModelUnusable


class Fitting:
    """One checkpoint, asked about many models."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._family = checkpoint.family
        self._text_widths = text_widths(checkpoint)
        self._latent_channels = latent_channels(checkpoint)

    def why_not(self, model: Model) -> ModelUnusable | None:
        """What speaks against it; None where it may fit."""
        return None if self._fits(model) else ModelUnusable(model=model.id, reason="other_checkpoint")

    def _fits(self, model: Model) -> bool:
        match model.kind:
            case "lora":
                is_other_width = bool(model.widths and self._text_widths) and sum(self._text_widths) != model.widths[0]
                return model.family in (None, self._family) and not is_other_width
            case "embedding":
                return model.widths == self._text_widths
            case "vae":
                return self._latent_channels is None or model.widths == (self._latent_channels,)
        return True


def latent_channels(checkpoint: Checkpoint) -> int | None:
    """How many channels the latents of its VAE have; None where that cannot be told."""
    root = checkpoint.path if checkpoint.form == "folder" else checkpoint.components
    try:
        found = read_json(root / "vae" / "config.json").get("latent_channels", 4) if root is not None else None
    except Broken:
        return None
    return found if isinstance(found, int) else None
