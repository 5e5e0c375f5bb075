"""Writes components in the layout of the first published single files: the inverse of what `from_single_file` reads.

Only for toys. Names on the left are diffusers', on the right those of the latent-diffusion code base and of OpenCLIP.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

Tensors = dict[str, torch.Tensor]

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
_OPEN_CLIP = {
    "embeddings.token_embedding.weight": "token_embedding.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
    "final_layer_norm": "ln_final",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
    "encoder.layers.": "transformer.resblocks.",
}


def sd1_layout(folder: Path) -> Tensors:
    """U-Net, VAE and CLIP of the diffusers folder as SD 1.x's single file names them."""
    text = _text_model(folder / "text_encoder")
    width = text["embeddings.position_embedding.weight"].shape[0]
    text["embeddings.position_ids"] = torch.arange(width)[None]  # old files carry it; nobody asks for it any more
    return {**_unet_and_vae(folder), **_prefixed("cond_stage_model.transformer.text_model.", text)}


def sd2_layout(folder: Path) -> Tensors:
    """The same with OpenCLIP's names."""
    text = _open_clip(_text_model(folder / "text_encoder"))
    return {**_unet_and_vae(folder), **_prefixed("cond_stage_model.model.", text)}


def sdxl_layout(folder: Path) -> Tensors:
    """The same with both text encoders of SDXL."""
    second = _open_clip(_text_model(folder / "text_encoder_2"))
    return {
        **_unet_and_vae(folder),
        **_prefixed("conditioner.embedders.0.transformer.text_model.", _text_model(folder / "text_encoder")),
        **_prefixed("conditioner.embedders.1.model.", second),
    }


def _unet_and_vae(folder: Path) -> Tensors:
    unet = unet_layout(_weights(folder / "unet"), _config(folder / "unet"))
    return {**unet, **vae_layout(_weights(folder / "vae"), _config(folder / "vae"))}


def unet_layout(unet: Tensors, config: dict[str, Any]) -> Tensors:
    """A U-Net's tensors in the single file's names."""
    has_attention = {int(m[1]) for name in unet if (m := re.match(r"up_blocks\.(\d+)\.attentions", name))}
    blocks = config["layers_per_block"] + 1
    renamed = {_unet_name(name, blocks, has_attention): tensor for name, tensor in unet.items()}
    return _prefixed("model.diffusion_model.", renamed)


def vae_layout(vae: Tensors, config: dict[str, Any]) -> Tensors:
    """A VAE's tensors in the single file's names."""
    ups = len(config["up_block_types"])
    return _prefixed("first_stage_model.", dict(_vae_item(name, tensor, ups) for name, tensor in vae.items()))


def open_clip_layout(text: Tensors) -> Tensors:
    """CLIP in transformers' names → OpenCLIP's, whose queries, keys and values are one matrix."""
    return _open_clip({name.removeprefix("text_model."): tensor for name, tensor in text.items()})


def _unet_name(name: str, blocks: int, has_attention: set[int]) -> str:
    """`blocks` is what a resolution has in the original: its layers and the down- or upsampling."""
    module, _, parameter = name.rpartition(".")
    if module in _UNET_ENDS:
        return f"{_UNET_ENDS[module]}.{parameter}"
    if m := re.match(r"down_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.*)", name):
        number = 1 + int(m[1]) * blocks + int(m[3])
        return f"input_blocks.{number}.{_part(m[2], m[4])}"
    if m := re.match(r"down_blocks\.(\d+)\.downsamplers\.0\.conv\.(.*)", name):
        return f"input_blocks.{(int(m[1]) + 1) * blocks}.0.op.{m[2]}"
    if m := re.match(r"mid_block\.(resnets|attentions)\.(\d+)\.(.*)", name):
        number = 1 if m[1] == "attentions" else 2 * int(m[2])
        return f"middle_block.{number}.{_part(m[1], m[3]).split('.', 1)[1]}"
    if m := re.match(r"up_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.*)", name):
        return f"output_blocks.{int(m[1]) * blocks + int(m[3])}.{_part(m[2], m[4])}"
    if m := re.match(r"up_blocks\.(\d+)\.upsamplers\.0\.conv\.(.*)", name):
        place = 2 if int(m[1]) in has_attention else 1
        return f"output_blocks.{int(m[1]) * blocks + blocks - 1}.{place}.conv.{m[2]}"
    raise ValueError(name)


def _part(kind: str, rest: str) -> str:
    if kind == "attentions":
        return f"1.{rest}"  # the same names inside
    module, _, parameter = rest.rpartition(".")
    return f"0.{_RESNET[module]}.{parameter}"


def _vae_item(name: str, tensor: torch.Tensor, ups: int) -> tuple[str, torch.Tensor]:
    name = re.sub(r"down_blocks\.(\d+)\.resnets\.", r"down.\1.block.", name)
    name = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d+)\.resnets\.", lambda m: f"up.{ups - 1 - int(m[1])}.block.", name)
    name = re.sub(r"up_blocks\.(\d+)\.upsamplers\.0", lambda m: f"up.{ups - 1 - int(m[1])}.upsample", name)
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    name = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    if m := re.match(r"(encoder|decoder)\.mid_block\.attentions\.0\.(.*)\.(weight|bias)", name):
        tensor = tensor[:, :, None, None] if tensor.ndim == 2 else tensor  # the original has convolutions of 1×1
        name = f"{m[1]}.mid.attn_1.{_VAE_ATTENTION[m[2]]}.{m[3]}"
    return name, tensor


def _open_clip(text: Tensors) -> Tensors:
    found: Tensors = {}
    for name, tensor in text.items():
        if m := re.match(r"encoder\.layers\.(\d+)\.self_attn\.q_proj\.(weight|bias)", name):
            parts = [text[name.replace("q_proj", f"{part}_proj")] for part in "qkv"]
            found[f"transformer.resblocks.{m[1]}.attn.in_proj_{m[2]}"] = torch.cat(parts)
        elif name == "text_projection.weight":
            found["text_projection"] = tensor.T
        elif not re.search(r"self_attn\.[kv]_proj", name):
            for old, new in _OPEN_CLIP.items():
                name = name.replace(old, new)
            found[name] = tensor
    return found


def _text_model(folder: Path) -> Tensors:
    return {name.removeprefix("text_model."): tensor for name, tensor in _weights(folder).items()}


def _config(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config


def _weights(folder: Path) -> Tensors:
    return {name: tensor for file in folder.glob("*.safetensors") for name, tensor in load_file(file).items()}


def _prefixed(prefix: str, tensors: Tensors) -> Tensors:
    return {prefix + name: tensor for name, tensor in tensors.items()}
