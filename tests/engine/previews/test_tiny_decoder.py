"""The tiny decoder that a checkpoint may bring along for its previews."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny
from PIL import Image

from tests.settling import SettlingEngine
from webui.engine.context import Context
from webui.engine.device import Device
from webui.engine.previews.tiny_decoder import FOLDER, TinyDecoder, load_tiny_decoder
from webui.events import EngineEvent, Step
from webui.requests.diffusion import TextToImage
from webui.settings import Settings

CPU = Device(torch.device("cpu"), torch.float32, "CPU")
GREEN = (0.1, 0.8, 0.3)
pytestmark = pytest.mark.filterwarnings("ignore:The config attributes:UserWarning")


def tiny_vae(channels: int = 4) -> AutoencoderTiny:
    """Four pixels a latent; it draws GREEN, whatever the latents are."""
    torch.manual_seed(0)
    made = AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8),
        num_encoder_blocks=(0, 0, 0),
        decoder_block_out_channels=(8, 8, 8),
        num_decoder_blocks=(1, 0, 0),
        latent_channels=channels,
    )
    last = made.decoder.layers[-1]
    torch.nn.init.zeros_(last.weight)
    last.bias.data = torch.tensor(GREEN)  # the network works in [0, 1] and gives [-1, 1]
    return made.eval()


def vae(channels: int = 4) -> Any:
    return SimpleNamespace(config={"latent_channels": channels})


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    tiny_vae().save_pretrained(tmp_path / FOLDER)
    return tmp_path


def test_it_draws_what_the_network_draws(checkpoint: Path) -> None:
    decoder = load_tiny_decoder(checkpoint, vae(), CPU)
    assert decoder is not None
    picture = decoder(torch.randn(4, 12, 20))
    assert picture.shape == (48, 80, 3)
    assert picture.dtype == np.uint8
    assert np.abs(picture - np.array(GREEN) * 255).max() <= 1


@pytest.mark.parametrize(("size", "wanted"), [((64, 64), (256, 256)), ((96, 160), (128, 216)), ((128, 64), (256, 128))])
def test_large_latents_are_shrunk_to_a_preview_s_size(
    checkpoint: Path, size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    decoder = load_tiny_decoder(checkpoint, vae(), CPU)
    assert decoder is not None
    assert decoder(torch.randn(4, *size)).shape[:2] == wanted


def test_numbers_that_are_none_do_not_stop_a_preview() -> None:
    picture = TinyDecoder(tiny_vae())(torch.full((4, 2, 2), float("nan")))
    assert picture.shape == (8, 8, 3)


def test_without_a_folder_there_is_none(tmp_path: Path) -> None:
    assert load_tiny_decoder(tmp_path, vae(), CPU) is None
    assert load_tiny_decoder(tmp_path / "single.safetensors", vae(), CPU) is None


def _other_class(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"_class_name": "AutoencoderKL"}), "utf-8")


def _cut_off(folder: Path) -> None:
    weights = folder / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def _no_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def _other_widths(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"decoder_block_out_channels": [16, 16, 16]}), "utf-8")


@pytest.mark.parametrize("spoil", [_other_class, _cut_off, _no_config, _other_widths])
def test_one_that_is_broken_is_named_and_left_alone(
    checkpoint: Path, spoil: Any, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(checkpoint / FOLDER)
    assert load_tiny_decoder(checkpoint, vae(), CPU) is None
    assert "cannot use the decoder in" in caplog.text


def test_one_for_other_latents_is_left_alone(checkpoint: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert load_tiny_decoder(checkpoint, vae(16), CPU) is None
    assert "cannot use the decoder in" in caplog.text


def test_the_engine_shows_it(toy_models: Path, tmp_path: Path) -> None:
    shutil.copytree(toy_models / "toy-sd15", tmp_path / "models" / "toy")
    tiny_vae().save_pretrained(tmp_path / "models" / "toy" / FOLDER)
    engine = SettlingEngine(
        Settings(models_dir=tmp_path / "models", data_dir=tmp_path / "data", device="cpu", precision="fp32")
    )
    events: list[EngineEvent] = []
    context = Context(events.append, lambda: None, lambda: False, lambda _reference: b"")
    engine.run(TextToImage(prompt="a", checkpoint="toy", seed=1, steps=4), context)
    shown = [event.preview for event in events if isinstance(event, Step) and event.phase == "denoise"]
    assert len(shown) == 4
    for preview in shown:
        assert preview is not None
        mean = np.asarray(Image.open(io.BytesIO(preview)), float).mean(axis=(0, 1))
        assert np.abs(mean - np.array(GREEN) * 255).max() < 6
