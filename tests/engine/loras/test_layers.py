"""The names that trainers have for a layer, on toys of each family with a U-Net and one without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline

from tests.ldm_layout import sd1_layout, sd2_layout, sdxl_layout
from webui.engine.loras.layers import layers_by_name, plain_name

LAYOUTS = {"toy-sd15": sd1_layout, "toy-sd2": sd2_layout, "toy-sdxl": sdxl_layout}


def load(toy_models: Path, name: str) -> Any:
    absent = {"text_encoder_3": None, "tokenizer_3": None} if name == "toy-sd3" else {}
    return DiffusionPipeline.from_pretrained(toy_models / name, **absent)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layer_of_the_unet_goes_by_its_first_publishers_name(toy_models: Path, name: str) -> None:
    pipeline = load(toy_models, name)
    layers = layers_by_name(pipeline.components)
    published = LAYOUTS[name](toy_models / name)
    by_values = {tensor.double().sum().item(): path for path, tensor in published.items() if tensor.dim() > 1}
    count = 0
    for path, layer in pipeline.unet.named_modules():
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d):
            original = by_values[layer.weight.double().sum().item()]
            stem = original.removeprefix("model.diffusion_model.").removesuffix(".weight")
            assert layers["lora_unet_" + stem.replace(".", "_")] is layer, (path, stem)
            count += 1
    assert count > 40


@pytest.mark.parametrize("name", ["toy-sd15", "toy-sdxl", "toy-sd3"])
def test_paths_behind_every_prefix(toy_models: Path, name: str) -> None:
    pipeline = load(toy_models, name)
    layers = layers_by_name(pipeline.components)
    network = "transformer" if name == "toy-sd3" else "unet"
    path, layer = next(
        (path, layer)
        for path, layer in getattr(pipeline, network).named_modules()
        if path.endswith("attn.to_q") or path.endswith("attn2.to_q")
    )
    for spelt in (f"{network}.{path}", path, f"base_model.model.{path}", f"lora_{network}_" + path.replace(".", "_")):
        assert layers[plain_name(spelt)] is layer
    encoder = pipeline.text_encoder
    query = next(layer for path, layer in encoder.named_modules() if path.endswith("layers.1.self_attn.q_proj"))
    for spelt in ("lora_te_text_model_encoder_layers_1_self_attn_q_proj", "lora_te1_encoder_layers_1_self_attn_q_proj"):
        assert layers[spelt] is query
    assert layers["text_encoder.text_model.encoder.layers.1.self_attn.q_proj"] is query
    if name != "toy-sd15":
        second = layers["lora_te2_text_model_encoder_layers_1_self_attn_q_proj"]
        assert second is not query
        assert second in set(pipeline.text_encoder_2.modules())


def test_old_names_with_the_attentions_processor() -> None:
    assert plain_name("unet.a.attn1.processor.to_q") == "unet.a.attn1.to_q"
    assert plain_name("unet.a.attn1.processor.to_out") == "unet.a.attn1.to_out.0"
