"""A small Hub, an empty models folder, and downloads from one to the other."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.downloads.small_hub import Repo, SmallHub, small_hub
from tests.jobs.conftest import eventually
from webui.downloads.download import State
from webui.downloads.downloads import Downloads
from webui.downloads.options import DownloadOptions
from webui.downloads.setup import open_shop
from webui.downloads.sources import Asked
from webui.downloads.views import DownloadView

ROOMY = (10**13, 10**13 - 1)  # bytes of a disk, and free


def weights(size: int = 100_000, seed: int = 0) -> bytes:
    """A sound safetensors file of about that many bytes that nobody recognises."""
    data = random.Random(seed).randbytes(size - size % 4)
    header = json.dumps({"w": {"dtype": "F32", "shape": [len(data) // 4], "data_offsets": [0, len(data)]}}).encode()
    return len(header).to_bytes(8, "little") + header + data


def lora(seed: int = 0) -> bytes:
    """What the header of a LoRA looks like."""
    header = json.dumps(
        {"lora_unet_x.lora_down.weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    ).encode()
    return len(header).to_bytes(8, "little") + header + random.Random(seed).randbytes(4)


def folder(seed: int = 0, size: int = 50_000) -> dict[str, bytes]:
    """A repository of a diffusers folder, with all that is not to be fetched."""
    index = {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.20.0",
        "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
        "requires_safety_checker": True,
    }
    shards = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    return {
        ".gitattributes": b"*.bin",
        "README.md": b"# A model",
        "model_index.json": json.dumps(index).encode(),
        "v1-5.safetensors": weights(size, seed + 9),
        "v1-5.ckpt": b"pickle",
        "handler.py": b"import os",
        "scheduler/scheduler_config.json": b"{}",
        "text_encoder/config.json": b'{"hidden_size": 8}',
        "text_encoder/model.safetensors.index.json": json.dumps(shards).encode(),
        "text_encoder/model-00001-of-00002.safetensors": weights(size, seed + 1),
        "text_encoder/model-00002-of-00002.safetensors": weights(size, seed + 2),
        "text_encoder/pytorch_model.bin": b"pickle",
        "tokenizer/vocab.json": b"{}",
        "tokenizer/merges.txt": b"#version: 0.2",
        "unet/config.json": b'{"_class_name": "UNet2DConditionModel"}',
        "unet/diffusion_pytorch_model.safetensors": weights(2 * size, seed + 3),
        "unet/diffusion_pytorch_model.fp16.safetensors": weights(size, seed + 4),
        "vae/config.json": b'{"_class_name": "AutoencoderKL"}',
        "vae/diffusion_pytorch_model.safetensors": weights(size, seed + 5),
        "safety_checker/model.safetensors": weights(size, seed + 6),
    }


@pytest.fixture
def hub() -> Iterator[SmallHub]:
    with small_hub() as hub:
        hub.repos["anna/one"] = Repo({"one.safetensors": weights()})
        yield hub


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees what other programs of this machine have downloaded."""
    cache = tmp_path / "hub-cache"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("webui.downloads.transfer.WAITS_SECONDS", (0.05, 0.05, 0.05))
    return cache


Make = Callable[..., Downloads]


@pytest.fixture
def make(hub: SmallHub, tmp_path: Path) -> Iterator[Make]:
    """Makes and starts one after the other over the same folders. `now` says where models come from at each call."""
    made: list[Downloads] = []

    def one(usage: tuple[int, int] = ROOMY, **options: Any) -> Downloads:
        (tmp_path / "models").mkdir(exist_ok=True)
        said = {"hub": hub.url, "loopback": (hub.url,)} | options
        now = said.pop("now", None) or (lambda: DownloadOptions(**said))
        downloads = open_shop(
            tmp_path / "models", tmp_path / "data", tmp_path / "presets", now, usage=lambda _: usage
        ).downloads
        downloads.start()
        made.append(downloads)
        return downloads

    yield one
    for downloads in made:
        downloads.close()


def wait(downloads: Downloads, id: str, *states: str) -> DownloadView:
    """The download once it is in one of the states; by default once it has ended."""
    wanted = states or (State.FINISHED, State.FAILED)
    eventually(lambda: downloads.get(id).state in wanted, 30)
    return downloads.get(id)


def finished(downloads: Downloads, **asked: Any) -> DownloadView:
    """The whole download."""
    view = wait(downloads, downloads.ask(Asked(**asked)).id)
    assert view.state == "finished", view.error
    return view


def listed(models: Path) -> set[str]:
    """All files that a catalogue could see."""
    return {
        path.relative_to(models).as_posix()
        for path in models.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(models).parts)
    }


def hidden(models: Path) -> set[str]:
    """All files that none could."""
    return {path.name for path in (models / ".downloads").rglob("*") if path.is_file()}
