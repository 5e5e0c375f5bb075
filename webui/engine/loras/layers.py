"""Finds the layer of a pipeline that a LoRA's file means, by every name that trainers use for it.

kohya's trainer writes the path with `_` instead of `.` after `lora_unet_`, `lora_te_`, `lora_te1_` or `lora_te2_`; for
the U-Net this is either diffusers' path or that of the first publishers (`input_blocks_4_1_…`). PEFT and diffusers
write the path as it is after `unet.`, `transformer.`, `text_encoder.` or `text_encoder_2.`; older files have the
attention's processor in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

_PARTS: Mapping[str, tuple[str, ...]] = {
    "unet": ("lora_unet_",),
    "transformer": ("lora_transformer_",),
    "text_encoder": ("lora_te_", "lora_te1_"),
    "text_encoder_2": ("lora_te2_",),
}
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_OUTSIDE_BLOCKS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_BLOCK = re.compile(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)")
_MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")
_PROCESSOR = re.compile(r"\.processor\.(to_[qkv]|to_out)$")
_WRAPPERS = ("base_model.model.", "diffusion_model.")


def layers_by_name(components: Mapping[str, Any]) -> dict[str, nn.Module]:
    """Every linear layer and convolution of a pipeline's networks, under each name that a LoRA may use for it."""
    found: dict[str, nn.Module] = {}
    for part, prefixes in _PARTS.items():
        network = components.get(part)
        if not isinstance(network, nn.Module):
            continue
        for path, layer in network.named_modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                for name in _paths(part, path, network):
                    found.update({prefix + name.replace(".", "_"): layer for prefix in prefixes})
                    found[f"{part}.{name}"] = layer
                    if part in ("unet", "transformer"):
                        found.setdefault(name, layer)
    return found


def plain_name(name: str) -> str:
    """A file's name for a layer, without the parts that wrappers and attention processors add."""
    for wrapper in _WRAPPERS:
        name = name.removeprefix(wrapper)
    return _PROCESSOR.sub(lambda match: "." + (match[1] if match[1] != "to_out" else "to_out.0"), name)


def _paths(part: str, path: str, network: nn.Module) -> Iterator[str]:
    yield path
    if part.startswith("text_encoder"):  # whose outer shell came and went with the versions of transformers
        inner = path.removeprefix("text_model.")
        yield inner if inner != path else f"text_model.{path}"
    depth = getattr(getattr(network, "config", None), "layers_per_block", None)
    if part == "unet" and isinstance(depth, int) and (first := _first_publishers(path, depth, network)):
        yield first


def _first_publishers(path: str, depth: int, unet: Any) -> str | None:
    """diffusers' path of a U-Net's layer, translated to that of Stable Diffusion's first code; `depth` is resnets per
    block.
    """
    if path in _OUTSIDE_BLOCKS:
        return _OUTSIDE_BLOCKS[path]
    if match := _MIDDLE.fullmatch(path):
        kind, number, rest = match.groups()
        return f"middle_block.{2 * int(number) if kind == 'resnets' else 1}.{_inner(kind, rest)}"
    match = _BLOCK.fullmatch(path)
    if match is None:
        return None
    way, block, kind, number, rest = match[1], int(match[2]), match[3], int(match[4]), match[5]
    if kind == "downsamplers":
        return f"input_blocks.{(block + 1) * (depth + 1)}.0.op"
    if kind == "upsamplers":
        slot = 2 if getattr(unet.up_blocks[block], "attentions", None) else 1
        return f"output_blocks.{block * (depth + 1) + depth}.{slot}.conv"
    place = block * (depth + 1) + number + (way == "down")
    outer = "input_blocks" if way == "down" else "output_blocks"
    return f"{outer}.{place}.{0 if kind == 'resnets' else 1}.{_inner(kind, rest)}"


def _inner(kind: str, rest: str) -> str:
    return _RESNET.get(rest, rest) if kind == "resnets" else rest
