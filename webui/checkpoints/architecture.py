"""Tells from a single file's header which family it is, by the names and shapes of its tensors.

The names that decide are those of the code that each family was first published with (CompVis' latent diffusion,
OpenCLIP, Stability's generative models). Loads nothing and knows no torch.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from webui.checkpoints.family import Family
from webui.checkpoints.published_names import published_header
from webui.checkpoints.refusals import Broken, Unrecognised
from webui.checkpoints.safetensors_header import Header
from webui.checkpoints.scaled_weights import scales_of
from webui.checkpoints.unet_families import UNET_FAMILIES

_FIRST_CONVOLUTION = "model.diffusion_model.input_blocks.0.0.weight"  # (out, in, 3, 3)
_CROSS_ATTENTION = re.compile(r"model\.diffusion_model\..*\.attn2\.to_k\.weight")  # (inner, width of the text)
_VAE = ("first_stage_model.", "vae.")
_CHANNELS = {4: False, 9: True}  # input channels: 9 are latents, masked latents and mask
_ODD_CHANNELS = {5: "depth", 7: "upscaler", 8: "instruct_pix2pix"}

# Text encoder → family; the first that fits. SDXL's two encoders are numbered, its refiner has only the second kind.
_TEXT_ENCODERS: tuple[tuple[str, str], ...] = (
    ("conditioner.embedders.1.model.", "sdxl"),
    ("cond_stage_model.model.", "sd2"),
    ("cond_stage_model.transformer.", "sd15"),
)
# What else may lie in a safetensors file: the code of the reason why it is no checkpoint, and a name that shows it.
_OTHERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("lora", re.compile(r"^lora_|\.lora_(up|down|A|B)\.|\.(hada|lokr|oft)_|\.lora\.(up|down)\.")),
    ("controlnet", re.compile(r"^control_model\.|controlnet_cond_embedding|^input_hint_block\.")),
    ("embedding", re.compile(r"^(emb_params|clip_l|clip_g|string_to_param.*)$")),
    ("transformer", re.compile(r"(double_blocks|joint_blocks|double_layers|distilled_guidance_layer|patchify_proj)\.")),
    ("component", re.compile(r"^(down_blocks|transformer_blocks|text_model\.encoder|encoder\.down_blocks)\.")),
    ("vae", re.compile(r"^(first_stage_model\.)?(encoder|decoder)\.(conv_in|mid|up|down)[._]")),
)


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """What the header says. `prediction_type` is None if it can only be guessed."""

    family: Family
    is_inpainting: bool
    prediction_type: str | None
    is_zero_terminal_snr: bool


def recognise(header: Header, components: Path | None = None) -> Recognised:
    """The family of a single file.

    `components` is a folder of diffusers configs that replaces the family's own, for networks of another size.
    Raises Unrecognised with one of the reasons `lora`, `controlnet`, `embedding`, `transformer`, `component`, `vae`,
    `foreign`, `refiner`, `incomplete`, `depth`, `upscaler`, `instruct_pix2pix`, `other_shapes`, `quantised`, `edm`,
    `flow_unet`; Broken with `config_unreadable` and `names_twice`.
    """
    header = published_header(header)
    names = header.tensors.keys()
    if _FIRST_CONVOLUTION not in names:
        raise Unrecognised(_other_kind(header))
    family = _family(header)
    channels = header.tensors[_FIRST_CONVOLUTION].shape[1:2]
    if channels not in [(count,) for count in _CHANNELS]:
        raise Unrecognised(_ODD_CHANNELS.get(channels[0] if channels else 0, "other_shapes"))
    if not any(name.startswith(_VAE) for name in names):
        raise Unrecognised("incomplete")
    is_inpainting = _CHANNELS[channels[0]]
    _check_shapes(header, components or family.components_for(is_inpainting))
    scales_of(header)
    _check_noise(header)
    return Recognised(
        family=family,
        is_inpainting=is_inpainting,
        prediction_type=_prediction_type(header),
        is_zero_terminal_snr="ztsnr" in names,
    )


def _family(header: Header) -> Family:
    for prefix, family_id in _TEXT_ENCODERS:
        if any(name.startswith(prefix) for name in header.tensors):
            return next(family for family in UNET_FAMILIES if family.id == family_id)
    is_refiner = any(name.startswith("conditioner.embedders.0.model.") for name in header.tensors)
    raise Unrecognised("refiner" if is_refiner else "incomplete")


def _other_kind(header: Header) -> str:
    for kind, pattern in _OTHERS:
        if any(pattern.search(name) for name in header.tensors):
            return kind
    return "foreign"


def _check_shapes(header: Header, components: Path | None) -> None:
    """Checks the width of the U-Net and of its text embeddings against the configs: distilled networks differ there."""
    if components is None:
        raise Unrecognised("foreign")
    try:
        config = json.loads((components / "unet" / "config.json").read_text(encoding="utf-8"))
        text_width, first_width = config["cross_attention_dim"], config["block_out_channels"][0]
    except (ValueError, TypeError, LookupError) as error:  # of a folder that somebody put beside the file
        raise Broken("config_unreadable") from error
    text_widths = {info.shape[-1:] for name, info in header.tensors.items() if _CROSS_ATTENTION.fullmatch(name)}
    width = header.tensors[_FIRST_CONVOLUTION].shape[:1]
    if text_widths != {(text_width,)} or width != (first_width,):
        raise Unrecognised("other_shapes")


def _check_noise(header: Header) -> None:
    """Raises Unrecognised if the file says that it was trained on the noise of EDM or of a flow."""
    said = header.metadata.get("modelspec.prediction_type", "").casefold()
    if said == "edm" or any(name.startswith("edm_") for name in header.tensors):
        raise Unrecognised("edm")
    if said in ("flow", "flow_prediction", "rectified_flow", "rf"):
        raise Unrecognised("flow_unet")


def _prediction_type(header: Header) -> str | None:
    """What the file says about itself: an empty tensor `v_pred`, or metadata of the ModelSpec or of kohya's trainer."""
    if "v_pred" in header.tensors:
        return "v_prediction"
    said = header.metadata.get("modelspec.prediction_type", "").casefold()
    if said in ("v", "v_prediction", "velocity"):
        return "v_prediction"
    if said in ("epsilon", "eps"):
        return "epsilon"
    return {"True": "v_prediction", "False": "epsilon"}.get(header.metadata.get("ss_v_parameterization", ""))
