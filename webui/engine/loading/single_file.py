"""Loads a single file of a U-Net family, part by part; its tensors may have other names and be scaled.

Only one part's tensors are in memory at a time. The configs come from the program, or from beside the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline
from diffusers.loaders.single_file_utils import create_diffusers_clip_model_from_ldm
from safetensors import safe_open
from torch import Tensor

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.diffusers_folder import read_json
from webui.checkpoints.published_names import UNET, published_header, published_names
from webui.checkpoints.refusals import Broken
from webui.checkpoints.safetensors_header import read_header
from webui.checkpoints.scaled_weights import check_format, is_needed, scales_of
from webui.engine.device import Device
from webui.engine.loading.placing import Progress, place_on_device, read_through
from webui.engine.loading.tokenizers import Fetch, load_tokenizers
from webui.engine.pipelines.classes import component_class, pipeline_class

# What the names of each part begin with.
_PREFIXES = {
    "unet": (UNET,),
    "vae": ("first_stage_model.", "vae."),
    "text_encoder": ("cond_stage_model.", "conditioner.embedders."),
    "text_encoder_2": ("conditioner.embedders.",),
}


def load_single_file(
    checkpoint: Checkpoint, device: Device, tokenizers_dir: Path, progress: Progress, fetch: Fetch | None
) -> DiffusionPipeline:
    """The pipeline with its networks on the device. Raises Refusal, TokenizerMissing, and the libraries' own errors."""
    configs = checkpoint.components
    if configs is None:
        raise Broken("does_not_load")
    index = read_json(configs / "model_index.json")
    sizes = {
        name: read_json(configs / name.replace("tokenizer", "text_encoder") / "config.json")["vocab_size"]
        for name in index
        if name.startswith("tokenizer")
    }
    parts = load_tokenizers(checkpoint, sizes, tokenizers_dir, progress.check, fetch)
    read_through(checkpoint.path, progress)
    networks = [name for name in _PREFIXES if name in index]
    shares = {"unet": checkpoint.size_bytes // 3, "vae": checkpoint.size_bytes // 3}  # no sharper count in one file
    texts = sum(name.startswith("text_encoder") for name in networks)
    for name in networks:
        found = component_class(*index[name])
        module = _network(found, name, _tensors(checkpoint.path, device.dtype, _PREFIXES[name]), configs, device.dtype)
        parts[name] = place_on_device(module, device, progress, shares.get(name, checkpoint.size_bytes // 3 // texts))
        del module
    absent = {name: None for name, value in index.items() if value == [None, None]}
    # With every part given or declared absent it loads but the scheduler, and reads the pipeline's own settings.
    return pipeline_class(index["_class_name"]).from_pretrained(configs, local_files_only=True, **parts, **absent)


def _network(found: Any, name: str, tensors: dict[str, Tensor], configs: Path, dtype: torch.dtype) -> Any:
    where = {"config": str(configs), "subfolder": name, "local_files_only": True}
    if name.startswith("text_encoder"):
        return create_diffusers_clip_model_from_ldm(found, tensors, torch_dtype=dtype, **where)
    return found.from_single_file(tensors, dtype=dtype, **where)


def _tensors(file: Path, dtype: torch.dtype, prefixes: tuple[str, ...]) -> dict[str, Tensor]:
    """The tensors whose published names begin with one of `prefixes`, under those names and with their scales applied.
    Raises Refusal.
    """
    header = read_header(file)
    own_names = {published: own for own, published in published_names(header.tensors.keys()).items()}
    scales = scales_of(published_header(header))
    with safe_open(file, framework="pt") as opened:

        def read(name: str) -> Tensor:
            tensor: Tensor = opened.get_tensor(own_names[name])
            return tensor

        wanted = [name for name in own_names if name.startswith(prefixes)]
        _check_formats(wanted, read)
        return {name: _weights(name, read, scales, dtype) for name in wanted if is_needed(name)}


def _weights(name: str, read: Callable[[str], Tensor], scales: Mapping[str, str], dtype: torch.dtype) -> Tensor:
    weights = read(name)
    if name not in scales:
        return weights
    scale = read(scales[name]).float()
    if scale.numel() > 1:  # one for each row
        scale = scale.view(-1, *(1,) * (weights.dim() - 1))
    return (weights.float() * scale.view(()) if scale.numel() == 1 else weights.float() * scale).to(dtype)


def _check_formats(names: list[str], read: Callable[[str], Tensor]) -> None:
    """Checks what each layer says about its own format, JSON stored as bytes. Raises Refusal for one that is not
    supported.
    """
    for name in names:
        if name.endswith(".comfy_quant"):
            check_format(bytes(read(name).to(torch.uint8).flatten().tolist()).decode("utf-8", "replace"))
