"""The engine as a whole on toy checkpoints: tasks, families, memory running out, status."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from tests.settling import SettlingEngine
from webui.engine.context import Context
from webui.engine.engine import Engine
from webui.engine.unet import diffusion
from webui.errors import Cancelled, OutOfMemory
from webui.events import EngineEvent, Loading, Step
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.settings import Settings

REFERENCE = "sha256:" + "0" * 64


@pytest.fixture(scope="module")
def engine(toy_models: Path, tmp_path_factory: pytest.TempPathFactory, multiplies_bf16: bool) -> Engine:
    """In the number type that the CPU multiplies, one after the other."""
    return SettlingEngine(Settings(models_dir=toy_models, data_dir=tmp_path_factory.mktemp("data"), device="cpu"))


def context(events: list[EngineEvent], check: Any = lambda: None) -> Context:
    buffer = io.BytesIO()
    Image.new("RGB", (90, 70), (200, 40, 40)).save(buffer, "PNG")
    return Context(events.append, check, lambda: False, lambda _reference: buffer.getvalue())


@pytest.mark.parametrize("checkpoint", ["toy-sd15", "toy-sd15-inpaint", "toy-sd2", "toy-sdxl", "toy-sd3"])
def test_every_family_does_both_tasks(engine: Engine, checkpoint: str) -> None:
    events: list[EngineEvent] = []
    text = TextToImage(prompt="a red+ cat", checkpoint=checkpoint, seed=1, steps=2, num_images=2, width=72, height=64)
    drawn = engine.run(text, context(events))
    assert [(image.width, image.height, image.seed) for image in drawn] == [(72, 64, 1), (72, 64, 2)]
    assert all(len(str(drawn[0].info[name])) == 64 for name in ("checkpoint_hash", "vae_hash"))
    image = ImageToImage(
        prompt="a dog", checkpoint=checkpoint, seed=1, steps=2, init_image=REFERENCE, denoising_strength=0.5
    )
    assert len(engine.run(image, context(events))) == 1
    assert isinstance(events[0], Loading)
    phases = {event.phase for event in events if isinstance(event, Step)}
    assert {"denoise", "decode"} <= phases


def test_previews_are_made_for_every_family(engine: Engine) -> None:
    for checkpoint in ("toy-sd15", "toy-sd3"):
        events: list[EngineEvent] = []
        engine.run(TextToImage(prompt="a", checkpoint=checkpoint, seed=1, steps=6), context(events))
        steps = [event for event in events if isinstance(event, Step) and event.phase == "denoise"]
        assert [step.index for step in steps if step.preview] == [2, 3, 5, 6]


def test_a_stopped_job_does_not_start(engine: Engine) -> None:
    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        engine.run(TextToImage(prompt="a", checkpoint="toy-sd15", seed=1), context([], stop))


def test_out_of_memory_goes_down_the_ladder(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[list[int], bool]] = []
    real = diffusion.text_to_image

    def scarce(asked: Any, run_context: Any, indices: list[int]) -> Any:
        tried.append((indices, run_context.is_tiled))
        if len(indices) > 1 or not run_context.is_tiled:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(asked, run_context, indices)

    monkeypatch.setattr(diffusion, "text_to_image", scarce)
    monkeypatch.setattr(type(engine.device), "is_cpu", property(lambda _self: False))  # so that it makes groups
    request = TextToImage(prompt="a", checkpoint="toy-sd15", seed=1, steps=1, width=512, height=256, num_images=3)
    images = engine.run(request, context([]))
    assert tried == [([0, 1, 2], False), ([0, 1, 2], True), ([0], True), ([1], True), ([2], True)]
    assert {image.info["fallback"] for image in images} == {"vae_tiling"}


def test_out_of_memory_ends_in_an_error_and_the_next_job_works(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def scarce(*_arguments: Any) -> Any:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    request = TextToImage(prompt="a", checkpoint="toy-sd15", seed=1, steps=1, width=64, height=72)
    with monkeypatch.context() as patch:
        patch.setattr(diffusion, "text_to_image", scarce)
        with pytest.raises(OutOfMemory) as caught:
            engine.run(request, context([]))
    assert caught.value.details == {"width": 64, "height": 72, "device": "CPU"}
    assert len(engine.run(request, context([]))) == 1


def test_status_and_preload(engine: Engine, multiplies_bf16: bool) -> None:
    engine.preload(None, lambda: None)
    status = engine.status()
    assert (status.device, status.precision) == ("CPU", "bf16" if multiplies_bf16 else "fp32")
    assert 0 < status.memory_used_bytes < status.memory_total_bytes


def test_nothing_to_preload_is_no_error(tmp_path: Path) -> None:
    SettlingEngine(Settings(models_dir=tmp_path, data_dir=tmp_path, device="cpu")).preload(None, lambda: None)
