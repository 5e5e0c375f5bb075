"""The starter as a folder: sizes, number types, defaults."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from safetensors import safe_open

MIB = 1024 * 1024


def test_it_stays_small(starter: Path) -> None:
    files = [path for path in starter.rglob("*") if path.is_file()]
    shipped = [path for path in files if "recipe" not in path.relative_to(starter).parts]
    weights = [path for path in files if path.suffix == ".safetensors"]  # the recipe's judge among them
    assert sum(path.stat().st_size for path in shipped) < 40 * MIB
    assert sum(path.stat().st_size for path in weights) < 40 * MIB
    assert max(path.stat().st_size for path in files) < 15 * MIB
    assert not list(starter.rglob("*.bin"))
    assert not list(starter.rglob("*.ckpt"))


def test_all_weights_are_bf16_and_finite(starter: Path) -> None:
    files = list(starter.rglob("*.safetensors"))
    assert files
    for path in files:
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118 - not a mapping
                tensor = file.get_tensor(name)
                assert str(tensor.dtype) in ("torch.bfloat16", "torch.int64"), name
                assert bool(tensor.isfinite().all()), name


def test_the_scheduler_ends_in_pure_noise(starter: Path) -> None:
    config = json.loads((starter / "scheduler" / "scheduler_config.json").read_text("utf-8"))
    assert config["prediction_type"] == "v_prediction"
    assert config["rescale_betas_zero_snr"] is True
    assert config["timestep_spacing"] == "trailing"


def native_size(starter: Path) -> int:
    """Side in pixels that the U-Net was trained at."""
    unet = json.loads((starter / "unet" / "config.json").read_text("utf-8"))
    vae = json.loads((starter / "vae" / "config.json").read_text("utf-8"))
    return int(unet["sample_size"] * 2 ** (len(vae["block_out_channels"]) - 1))


def test_defaults_and_examples_are_named_beside_it(starter: Path) -> None:
    card = json.loads((starter / "darkroom.json").read_text("utf-8"))
    size = native_size(starter)
    assert card["defaults"]["width"] == card["defaults"]["height"] == size >= 256
    for number, example in enumerate(card["examples"], start=1):
        assert example["prompt"]
        assert example["prompt_zh"]
        assert isinstance(example["seed"], int)
        with Image.open(starter / "examples" / f"{number}.webp") as picture:
            assert picture.size == (size, size)


def test_a_tiny_decoder_knows_the_same_latents(starter: Path) -> None:
    vae = json.loads((starter / "vae" / "config.json").read_text("utf-8"))
    if len(vae["block_out_channels"]) == 5:
        pytest.skip("the first checkpoint had none")
    tiny = json.loads((starter / "tiny_vae" / "config.json").read_text("utf-8"))
    assert tiny["_class_name"] == "AutoencoderTiny"
    assert tiny["latent_channels"] == vae["latent_channels"]
    assert sum(path.stat().st_size for path in (starter / "tiny_vae").iterdir()) < MIB // 2
