"""Families are told by names and shapes: on headers as published files have them, in full size and without weights."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from tests.ldm_layout import Tensors, open_clip_layout, unet_layout, vae_layout
from webui.checkpoints.architecture import recognise
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.refusals import Unrecognised
from webui.checkpoints.safetensors_header import Header, TensorInfo
from webui.checkpoints.unet_families import COMPONENTS_DIR

# Millions of parameters of U-Net, VAE and text encoders, as published with each family.
PUBLISHED = {
    "sd15": (859.52, 83.65, (123.06,)),
    "sd2": (865.91, 83.65, (340.39,)),  # without the last layer, which SD 2.x does not use
    "sdxl": (2567.46, 83.65, (123.06, 694.66)),
}
# Names that diffusers' own reader of single files goes by, with the shapes that they have in the published files.
LANDMARKS = {
    "sd15": {
        "model.diffusion_model.output_blocks.11.0.skip_connection.weight": (320, 640, 1, 1),
        "cond_stage_model.transformer.text_model.embeddings.position_embedding.weight": (77, 768),
        "first_stage_model.decoder.up.0.block.0.nin_shortcut.weight": (128, 256, 1, 1),
    },
    "sd2": {
        "model.diffusion_model.input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight": (320, 1024),
        "cond_stage_model.model.token_embedding.weight": (49408, 1024),
    },
    "sdxl": {
        "conditioner.embedders.1.model.transformer.resblocks.9.mlp.c_proj.bias": (1280,),
        "conditioner.embedders.1.model.positional_embedding": (77, 1280),
        "conditioner.embedders.0.transformer.text_model.embeddings.position_embedding.weight": (77, 768),
        "model.diffusion_model.label_emb.0.0.weight": (1280, 2816),
        "model.diffusion_model.input_blocks.8.1.transformer_blocks.9.attn2.to_k.weight": (1280, 2048),
    },
}


@functools.cache
def networks(folder: str) -> dict[str, torch.nn.Module]:
    """The networks that the configs describe, in full size and without memory."""
    place = COMPONENTS_DIR / folder
    with torch.device("meta"):
        found: dict[str, torch.nn.Module] = {
            "unet": UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(place / "unet")),
            "vae": AutoencoderKL.from_config(AutoencoderKL.load_config(place / "vae")),
            "text_encoder": CLIPTextModel(CLIPTextConfig.from_pretrained(place / "text_encoder")),
        }
        if (place / "text_encoder_2").is_dir():
            config = CLIPTextConfig.from_pretrained(place / "text_encoder_2")
            found["text_encoder_2"] = CLIPTextModelWithProjection(config)
    return found


def published_header(folder: str) -> Header:
    """The header of a single file with the networks of `folder`."""
    parts = networks(folder)
    tensors: Tensors = {
        **unet_layout(parts["unet"].state_dict(), dict(parts["unet"].config)),
        **vae_layout(parts["vae"].state_dict(), dict(parts["vae"].config)),
    }
    text = {name.removeprefix("text_model."): tensor for name, tensor in parts["text_encoder"].state_dict().items()}
    if folder.startswith("sdxl"):
        second = open_clip_layout(parts["text_encoder_2"].state_dict())
        tensors |= {f"conditioner.embedders.0.transformer.text_model.{name}": value for name, value in text.items()}
        tensors |= {f"conditioner.embedders.1.model.{name}": value for name, value in second.items()}
    elif folder.startswith("sd2"):
        tensors |= {f"cond_stage_model.model.{name}": value for name, value in open_clip_layout(text).items()}
    else:
        tensors |= {f"cond_stage_model.transformer.text_model.{name}": value for name, value in text.items()}
    return header({name: tuple(tensor.shape) for name, tensor in tensors.items()})


def header(shapes: dict[str, tuple[int, ...]], metadata: dict[str, str] | None = None) -> Header:
    return Header({name: TensorInfo("F16", shape, 0, 0) for name, shape in shapes.items()}, metadata or {})


def changed(original: Header, metadata: dict[str, str] | None = None, **shapes: tuple[int, ...]) -> Header:
    found = {name: info.shape for name, info in original.tensors.items()}
    return header({**found, **shapes}, metadata)


def without(original: Header, prefix: str) -> Header:
    return header({name: info.shape for name, info in original.tensors.items() if not name.startswith(prefix)})


@pytest.mark.parametrize("family", list(PUBLISHED))
def test_our_configs_describe_the_published_networks(family: str) -> None:
    def millions(name: str) -> float:
        return round(sum(p.numel() for p in networks(family)[name].parameters()) / 1e6, 2)

    texts = [name for name in networks(family) if name.startswith("text_encoder")]
    assert (millions("unet"), millions("vae"), tuple(map(millions, texts))) == PUBLISHED[family]


@pytest.mark.parametrize("family", list(PUBLISHED))
@pytest.mark.parametrize("is_inpainting", [False, True])
def test_published_files_are_recognised(family: str, is_inpainting: bool) -> None:
    folder = f"{family}_inpaint" if is_inpainting else family
    found = published_header(folder)
    for name, shape in LANDMARKS[family].items():
        assert found.tensors[name].shape == shape
    recognised = recognise(found)
    assert (recognised.family.id, recognised.is_inpainting) == (family, is_inpainting)
    assert recognised.prediction_type is None
    assert not recognised.is_zero_terminal_snr
    assert recognised.family.components_for(is_inpainting) == COMPONENTS_DIR / folder


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"modelspec.prediction_type": "v"}, "v_prediction"),
        ({"modelspec.prediction_type": "epsilon"}, "epsilon"),
        ({"ss_v_parameterization": "True"}, "v_prediction"),
        ({"ss_v_parameterization": "False"}, "epsilon"),
        ({"ss_v_parameterization": "None"}, None),
        ({}, None),
    ],
)
def test_what_a_file_says_of_its_prediction_type_is_heard(metadata: dict[str, str], expected: str | None) -> None:
    assert recognise(changed(published_header("sd15"), metadata)).prediction_type == expected


def test_empty_tensors_tell_of_v_prediction_and_zero_terminal_snr() -> None:
    found = recognise(changed(published_header("sd15"), v_pred=(0,), ztsnr=(0,)))
    assert found.prediction_type == "v_prediction"
    assert found.is_zero_terminal_snr


FIRST = "model.diffusion_model.input_blocks.0.0.weight"


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ({"lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight": (4, 320)}, "lora"),
        ({"unet.down_blocks.0.attentions.0.to_q.lora_A.weight": (4, 320)}, "lora"),
        ({"lora_te_text_model_encoder_layers_0_mlp_fc1.hada_w1_a": (4, 4)}, "lora"),
        ({"control_model.input_blocks.0.0.weight": (320, 4, 3, 3)}, "controlnet"),
        ({"emb_params": (8, 768)}, "embedding"),
        ({"double_blocks.0.img_attn.norm.key_norm.scale": (128,)}, "transformer"),
        ({"model.diffusion_model.joint_blocks.0.x_block.mlp.fc1.weight": (4, 4)}, "transformer"),
        ({"down_blocks.0.resnets.0.conv1.weight": (320, 320, 3, 3)}, "component"),
        ({"text_model.encoder.layers.0.mlp.fc1.bias": (3072,)}, "component"),
        ({"encoder.conv_in.weight": (128, 3, 3, 3), "decoder.conv_in.weight": (512, 4, 3, 3)}, "vae"),
        ({"first_stage_model.decoder.conv_in.weight": (512, 4, 3, 3)}, "vae"),
        ({"wte.weight": (50257, 768)}, "foreign"),
        ({FIRST: (320, 4, 3, 3)}, "incomplete"),
        ({FIRST: (384, 4, 3, 3), "conditioner.embedders.0.model.ln_final.bias": (1280,)}, "refiner"),
    ],
)
def test_what_is_no_checkpoint_is_called_by_its_name(shapes: dict[str, tuple[int, ...]], expected: str) -> None:
    with pytest.raises(Unrecognised) as caught:
        recognise(header(shapes))
    assert caught.value.reason == expected


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ((320, 5, 3, 3), "depth"),
        ((320, 7, 3, 3), "upscaler"),
        ((320, 8, 3, 3), "instruct_pix2pix"),
        ((320, 12, 3, 3), "other_shapes"),
        ((192, 4, 3, 3), "other_shapes"),
        ((), "other_shapes"),
    ],
)
def test_networks_with_other_inputs_or_widths(first: tuple[int, ...], expected: str) -> None:
    with pytest.raises(Unrecognised) as caught:
        recognise(changed(published_header("sd2"), **{FIRST: first}))
    assert caught.value.reason == expected


def test_a_file_without_its_vae_is_incomplete() -> None:
    with pytest.raises(Unrecognised) as caught:
        recognise(without(published_header("sd15"), "first_stage_model."))
    assert caught.value.reason == "incomplete"


def test_configs_beside_a_file_replace_the_family_s(toy_models: Path) -> None:
    toy = toy_models / "files" / "toy-sd15-file.components"
    with pytest.raises(Unrecognised):
        recognise(published_header("sd15"), toy)
    assert recognise(published_header("sd15")).family is FAMILIES["sd15"]


@pytest.mark.parametrize("family", list(PUBLISHED))
def test_the_published_names_become_the_networks_own(family: str) -> None:
    """diffusers' conversion of a full-size file fills our configs' U-Net and VAE: no tensor missing, none left over."""
    parts = networks(family)
    for part, layout, convert in (
        ("unet", unet_layout, convert_ldm_unet_checkpoint),
        ("vae", vae_layout, convert_ldm_vae_checkpoint),
    ):
        network = parts[part]
        original = layout(network.state_dict(), dict(network.config))
        converted = convert(checkpoint=original, config=dict(network.config))
        expected = {name: tensor.shape for name, tensor in network.state_dict().items()}
        assert {name: tensor.shape for name, tensor in converted.items()} == expected
