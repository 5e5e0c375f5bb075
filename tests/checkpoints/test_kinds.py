"""What a file is by its header, wherever it lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkpoints.test_architecture import header, published_header
from tests.model_files import ANY, EMBEDDING, LORA_SDXL, VAE
from webui.checkpoints.kinds import Known, kind_in
from webui.checkpoints.refusals import Unrecognised
from webui.checkpoints.upscalers import upscaler_in

PATH = Path("one.safetensors")


@pytest.mark.parametrize("family", ["sd15", "sd2", "sdxl"])
def test_checkpoints_by_their_family(family: str) -> None:
    assert kind_in(published_header(family), PATH) == Known("checkpoint", family)


@pytest.mark.parametrize(
    ("shapes", "known"),
    [
        (LORA_SDXL, Known("lora", "sdxl")),
        (EMBEDDING, Known("embedding")),
        ({"word": (3, 1280)}, Known("embedding")),
        (VAE, Known("vae")),
        ({"encoder.down_blocks.0.x": (1,), **VAE}, Known("vae")),
        ({"controlnet_cond_embedding.conv_in.weight": (1,)}, Known("control")),
        ({"model.0.weight": (1,), "model.1.sub.0.RDB1.conv1.0.weight": (1,)}, Known("upscaler", "ESRGAN")),
    ],
)
def test_all_else(shapes: dict[str, tuple[int, ...]], known: Known) -> None:
    assert kind_in(header(shapes), PATH) == known


@pytest.mark.parametrize(
    ("shapes", "reason"),
    [
        (ANY, "foreign"),
        ({"word": (80, 768)}, "foreign"),
        ({"word": (3, 100)}, "foreign"),
        ({"word": (1, 1, 768)}, "foreign"),
        ({"double_blocks.0.x": (1,)}, "transformer"),
        ({"text_model.encoder.x": (1,)}, "component"),
    ],
)
def test_what_has_no_place(shapes: dict[str, tuple[int, ...]], reason: str) -> None:
    with pytest.raises(Unrecognised) as raised:
        kind_in(header(shapes), PATH)
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("names", "architecture"),
    [
        (["conv_first.weight", "RRDB_trunk.0.RDB1.conv1.weight"], "ESRGAN"),
        (["conv_first.weight", "layers.0.residual_group.blocks.0.norm1.weight"], "SwinIR"),
        (["conv_first.weight", "layers.0.residual_group.overlap_attn.qkv.weight"], "HAT"),
        (["conv_first.weight", "before_RG.1.weight", "layers.0.blocks.0.norm1.weight"], "DAT"),
        (["m_head.0.weight", "m_body.0.x", "m_tail.0.weight"], "SCUNet"),
        (["body.0.weight", "body.1.weight", "body.2.weight"], "ESRGAN compact"),
        (["conv_first.weight"], None),
    ],
)
def test_upscalers_by_their_makers_names(names: list[str], architecture: str | None) -> None:
    assert upscaler_in(names) == architecture
