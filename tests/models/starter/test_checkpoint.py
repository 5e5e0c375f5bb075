"""The starter as a folder: sizes, number types, defaults."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image
from safetensors import safe_open

MIB = 1024 * 1024


def test_it_stays_small(starter: Path) -> None:
    files = [path for path in starter.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 40 * MIB
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


def test_defaults_and_examples_are_named_beside_it(starter: Path) -> None:
    card = json.loads((starter / "darkroom.json").read_text("utf-8"))
    assert card["defaults"]["width"] == card["defaults"]["height"] == 256
    for number, example in enumerate(card["examples"], start=1):
        assert example["prompt"]
        assert example["prompt_zh"]
        assert isinstance(example["seed"], int)
        with Image.open(starter / "examples" / f"{number}.webp") as picture:
            assert picture.size == (256, 256)
