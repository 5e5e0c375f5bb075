"""Loads a VAE of its own, in place of the checkpoint's: a diffusers folder, or one file in either layout of names.

A file says nothing of how its latents are scaled: that is taken from the checkpoint whose latents it is to decode.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from diffusers import AutoencoderKL
from safetensors.torch import load_file
from torch import Tensor

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.hashes import combined
from webui.checkpoints.model import Model, weight_files
from webui.checkpoints.refusals import Broken
from webui.engine.device import Device
from webui.engine.loading.placing import Progress, place_on_device, read_through

_PREFIX = "first_stage_model."
_DIFFUSERS = "decoder.up_blocks."  # a name that only diffusers' layout has


@dataclass(frozen=True)
class LoadedVae:
    """A VAE on the device, and what its file hashes to."""

    model: AutoencoderKL
    hash: str


def load_vae(model: Model, checkpoint: Checkpoint, device: Device, check: Callable[[], None]) -> LoadedVae:
    """Raises Broken where the file is no VAE of this kind, and what `check` raises."""
    files = weight_files(model.path)
    progress = Progress(model.size_bytes, lambda _fraction: None, check)
    progress.digests = {}
    for file in files:
        read_through(file, progress)
    try:
        vae = _from_folder(model.path, device) if model.path.is_dir() else _from_file(model.path, checkpoint, device)
    except (ValueError, TypeError, LookupError, RuntimeError, OSError) as error:
        raise Broken("does_not_load") from error
    place_on_device(vae, device, progress, model.size_bytes)
    digests = {file.name: digest for file, digest in progress.digests.items()}
    return LoadedVae(vae, next(iter(digests.values())) if len(digests) == 1 else combined(digests))


def _from_folder(folder: Path, device: Device) -> AutoencoderKL:
    return AutoencoderKL.from_pretrained(folder, dtype=device.dtype, use_safetensors=True, local_files_only=True)


def _from_file(file: Path, checkpoint: Checkpoint, device: Device) -> AutoencoderKL:
    root = checkpoint.path if checkpoint.folder is not None else checkpoint.components
    tensors = {name.removeprefix(_PREFIX): tensor for name, tensor in load_file(file).items()}
    if not any(name.startswith(_DIFFUSERS) for name in tensors):
        return AutoencoderKL.from_single_file(
            tensors, config=str(root), subfolder="vae", dtype=device.dtype, local_files_only=True
        )
    return _from_diffusers_layout(tensors, root, device)


def _from_diffusers_layout(tensors: dict[str, Tensor], root: Path | None, device: Device) -> AutoencoderKL:
    vae = AutoencoderKL.from_config(AutoencoderKL.load_config(root, subfolder="vae", local_files_only=True))
    vae.load_state_dict(tensors)
    return vae.to(device.dtype)
