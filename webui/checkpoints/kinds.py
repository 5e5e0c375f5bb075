"""What kind of model a file is, by its header alone. Knows no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from webui.checkpoints.addons import MAX_VECTORS, lora_in
from webui.checkpoints.architecture import recognise
from webui.checkpoints.places import Kind
from webui.checkpoints.refusals import Unrecognised
from webui.checkpoints.safetensors_header import Header
from webui.checkpoints.upscalers import upscaler_in

_TEXT_ENCODERS = (768, 1024, 1280)  # widths of those that textual inversions are made for
VAE_IN = "decoder.conv_in.weight"  # (out, latent channels, 3, 3), in both layouts
_KIND_BY_REASON: dict[str, Kind] = {"lora": "lora", "embedding": "embedding", "vae": "vae", "controlnet": "control"}


@dataclass(frozen=True)
class Known:
    """`family` is that of a checkpoint or a LoRA, and the architecture of an upscaler; None where nothing tells it."""

    kind: Kind
    family: str | None = None


def kind_in(header: Header, path: Path) -> Known:
    """Raises Unrecognised and Broken with why it is nothing that Darkroom has a place for."""
    try:
        return Known("checkpoint", recognise(header).family.id)
    except Unrecognised as error:
        refusal = error
    if refusal.reason == "lora":
        return Known("lora", lora_in(path.stem, path, (0, 0), header).family)
    if refusal.reason in _KIND_BY_REASON:
        return Known(_KIND_BY_REASON[refusal.reason])
    if latent_channels(header) is not None and refusal.reason in ("component", "foreign"):
        return Known("vae")
    if (architecture := upscaler_in(header.tensors)) is not None:
        return Known("upscaler", architecture)
    if _is_embedding_of_diffusers(header):
        return Known("embedding")
    raise refusal


def _is_embedding_of_diffusers(header: Header) -> bool:
    """diffusers saves one under the word that it stands for, which may be any; its width is a text encoder's."""
    shapes = [info.shape for info in header.tensors.values()]
    if len(shapes) != 1 or shapes[0][-1:] not in [(width,) for width in _TEXT_ENCODERS]:
        return False
    return len(shapes[0]) == 1 or (len(shapes[0]) == 2 and shapes[0][0] <= MAX_VECTORS)


def latent_channels(header: Header) -> int | None:
    """Of a VAE for pictures; None for anything else."""
    for name, info in header.tensors.items():
        if name.removeprefix("first_stage_model.") == VAE_IN and len(info.shape) == 4:
            return info.shape[1]
    return None
