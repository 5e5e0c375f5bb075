"""The tensors of a single file by the names that its family was first published with, whoever wrote the file.

Programs that save checkpoints leave out what they do not need: `model.` before the U-Net, every prefix if it is alone,
`text_model.` in CLIP (transformers has none since 5.6), `first_stage_model.` before the VAE. Knows only names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from webui.checkpoints.refusals import Broken
from webui.checkpoints.safetensors_header import Header

UNET = "model.diffusion_model."
_UNET_SHORT = "diffusion_model."
_BARE_UNET = re.compile(r"(input_blocks|middle_block|output_blocks|time_embed|label_emb|out)\.")
_CLIPS = ("cond_stage_model.transformer.", "conditioner.embedders.0.transformer.")
_BARE_CLIP = re.compile(r"(embeddings|encoder|final_layer_norm)\.")
_BARE_VAE = re.compile(r"(encoder|decoder|quant_conv|post_quant_conv)\.")
_VAES = ("first_stage_model.", "vae.")
_CONTROLNET = "input_hint_block."  # beside which a bare U-Net is a ControlNet's


def published_names(names: Collection[str]) -> Mapping[str, str]:
    """The published name for each name in the file. Raises Broken if two tensors would have the same name."""
    prefixes: list[tuple[re.Pattern[str], str]] = []
    if not any(name.startswith(UNET) for name in names):
        if any(name.startswith(_UNET_SHORT) for name in names):
            prefixes.append((re.compile(re.escape(_UNET_SHORT)), "model."))
        elif "input_blocks.0.0.weight" in names and not any(name.startswith(_CONTROLNET) for name in names):
            prefixes.append((_BARE_UNET, UNET))
            if not any(name.startswith(_VAES) for name in names):
                prefixes.append((_BARE_VAE, _VAES[0]))
    published = {name: _clip_name(_behind(name, prefixes)) for name in names}
    if len(set(published.values())) != len(published):
        raise Broken("names_twice")
    return published


def published_header(header: Header) -> Header:
    """The same header in the published names. Raises Broken."""
    names = published_names(header.tensors.keys())
    return Header({names[name]: info for name, info in header.tensors.items()}, header.metadata)


def _behind(name: str, prefixes: list[tuple[re.Pattern[str], str]]) -> str:
    return next((prefix + name for pattern, prefix in prefixes if pattern.match(name)), name)


def _clip_name(name: str) -> str:
    for clip in _CLIPS:
        rest = name.removeprefix(clip)
        if rest != name and _BARE_CLIP.match(rest):
            return f"{clip}text_model.{rest}"
    return name
