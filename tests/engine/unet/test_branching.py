"""Steps that are kept and branches: the same pixels from memory as from the beginning, and each setting at work."""

from __future__ import annotations

import dataclasses
import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diffusers import UNet2DConditionModel
from PIL import Image
from safetensors.torch import save_file

from tests.engine.loras.test_merging import UNET, low_rank
from tests.engine.test_engine import context
from tests.settling import SettlingEngine
from webui.engine.context import Context
from webui.engine.engine import Engine
from webui.errors import Cancelled, InvalidRequest
from webui.events import EngineEvent, Step
from webui.requests import Request
from webui.requests.diffusion import Branch, ImageToImage, TextToImage, WalkEnd
from webui.rules.branches import branched, image_alone, step_kept
from webui.settings import Settings

REFERENCE = "sha256:" + "0" * 64
STEPS = 6


@pytest.fixture(scope="module")
def engine(toy_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("data")
    return SettlingEngine(Settings(models_dir=toy_models, data_dir=folder, device="cpu", precision="fp32"))


@pytest.fixture
def forgetful(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The same engine, which keeps nothing."""
    monkeypatch.setattr(engine.kept_steps, "limit_bytes", 0)
    engine.kept_steps.forget()
    return engine


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The timesteps at which the network was asked."""
    asked: list[float] = []
    real = UNet2DConditionModel.forward

    def counted(self: Any, sample: Any, timestep: Any, *arguments: Any, **options: Any) -> Any:
        asked.append(float(timestep))
        return real(self, sample, timestep, *arguments, **options)

    monkeypatch.setattr(UNet2DConditionModel, "forward", counted)
    return asked


def text(**values: Any) -> TextToImage:
    asked: dict[str, Any] = {
        "prompt": "a red cat",
        "checkpoint": "toy-sd15",
        "seed": 5,
        "steps": STEPS,
        "width": 64,
        "height": 64,
        "scheduler": "euler",
        "sigmas": "default",
        "guidance_scale": 5.0,
    }
    return TextToImage(**asked | values)


def picture(**values: Any) -> ImageToImage:
    asked = dataclasses.asdict(text())
    del asked["task"], asked["walk_to"]
    return ImageToImage(**asked | {"init_image": REFERENCE, "denoising_strength": 0.7} | values)


def is_kept(engine: Engine, request: Request) -> bool:
    return all(engine.keeps(digest) for digest in engine.digests_of(request))


def pixels(engine: Engine, request: Request) -> bytes:
    (image,) = engine.run(request, context([]))
    return image.rgb


@pytest.mark.parametrize(
    "scheduler",
    ["euler", "euler_a", "heun", "dpm2_a", "lms", "dpmpp_2m", "dpmpp_3m_sde", "dpmpp_sde", "ddim", "pndm", "unipc"],
)
def test_from_memory_and_from_the_beginning_the_pixels_are_the_same(
    engine: Engine, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = text(scheduler=scheduler, steps=4)
    whole = pixels(engine, origin)
    requests = [
        step_kept(origin, 0, 2),
        branched(origin, 0, 2, {}),
        branched(origin, 0, 2, {"prompt": "a blue lake", "guidance_scale": 2.0}),
        branched(origin, 0, 2, {"seed": 77}),
    ]
    remembered = [pixels(engine, request) for request in requests]
    assert is_kept(engine, origin)
    monkeypatch.setattr(engine.kept_steps, "limit_bytes", 0)
    engine.kept_steps.forget()
    assert [pixels(engine, request) for request in requests] == remembered
    assert remembered[1] == whole  # nothing was changed, so nothing is
    assert len({whole, *remembered}) == 4


def test_memory_saves_what_the_network_has_done(engine: Engine, calls: list[float]) -> None:
    origin = text(seed=11)
    engine.run(origin, context([]))
    assert len(calls) == STEPS
    engine.run(step_kept(origin, 0, STEPS), context([]))
    engine.run(branched(origin, 0, 4, {}), context([]))
    assert len(calls) == STEPS + 2
    again = branched(branched(origin, 0, 4, {"prompt": "a dog"}), 0, 5, {"prompt": "a lake"})
    engine.run(again, context([]))
    assert len(calls) == STEPS + 2 + 2
    engine.run(again, context([]))
    assert len(calls) == STEPS + 2 + 2


def test_a_kept_step_is_the_estimate_that_its_preview_shows(engine: Engine) -> None:
    events: list[EngineEvent] = []
    origin = text(seed=12)
    engine.run(origin, context(events))
    (kept,) = engine.run(step_kept(origin, 0, 3), context(shown := []))
    assert kept.info["steps"] == 3
    steps = [event for event in shown if isinstance(event, Step) and event.phase == "denoise"]
    assert [(step.index, step.total) for step in steps] == [(1, STEPS), (2, STEPS), (3, STEPS)]
    before = [event for event in events if isinstance(event, Step) and event.phase == "denoise"]
    assert steps[2].preview == before[2].preview is not None


def test_steps_of_a_stopped_job_can_be_kept(engine: Engine, calls: list[float]) -> None:
    def stop_in_the_fifth() -> None:
        if len(calls) == 5:
            raise Cancelled

    origin = text(seed=13)
    with pytest.raises(Cancelled):
        engine.run(origin, context([], stop_in_the_fifth))
    assert is_kept(engine, origin)
    (kept,) = engine.run(step_kept(origin, 0, 4), context([]))
    assert (kept.info["steps"], len(calls)) == (4, 5)
    engine.run(step_kept(origin, 0, 5), context([]))  # whose end it never came to
    assert len(calls) == 6


def test_one_image_of_several_is_the_same_alone(engine: Engine) -> None:
    several = text(seed=20, num_images=3, variation_strength=0.3, variation_seed=4)
    images = engine.run(several, context([]))
    events: list[EngineEvent] = []
    (alone,) = engine.run(image_alone(several, 2), context(events))
    assert (alone.rgb, alone.seed, alone.info["variation_seed"]) == (images[2].rgb, 20, 6)
    assert {event.image for event in events if isinstance(event, Step)} == {0}


def test_each_image_of_a_walk_is_the_same_alone(engine: Engine) -> None:
    walk = text(walk_to=WalkEnd(prompt="a blue lake", seed=9), num_images=3, scheduler="euler_a")
    images = engine.run(walk, context([]))
    for index, image in enumerate(images):
        (alone,) = engine.run(image_alone(walk, index), context([]))
        assert (alone.rgb, alone.info["walked"]) == (image.rgb, index / 2)
    assert pixels(engine, branched(walk, 2, 3, {})) != images[2].rgb  # its prompts are of the start, and say so


@pytest.mark.parametrize("scheduler", ["euler", "dpmpp_2m", "pndm", "heun"])
def test_images_over_a_picture_branch_too(engine: Engine, scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = picture(scheduler=scheduler)
    whole = pixels(engine, origin)
    total = int(STEPS * 0.7)
    requests = [
        branched(origin, 0, total - 1, {}),
        branched(origin, 0, 2, {"seed": 6}),
        step_kept(origin, 0, total),
    ]
    remembered = [pixels(engine, request) for request in requests]
    monkeypatch.setattr(engine.kept_steps, "limit_bytes", 0)
    engine.kept_steps.forget()
    assert [pixels(engine, request) for request in requests] == remembered
    assert remembered[0] == whole


def test_a_branch_s_own_lora_that_was_replaced_is_heard(toy_models: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(toy_models, models)
    (models / "loras").mkdir(exist_ok=True)
    engine = SettlingEngine(Settings(models_dir=models, data_dir=tmp_path / "data", device="cpu", precision="fp32"))
    origin = text(steps=4)
    branch = branched(origin, 0, 2, {"prompt": "a red cat <lora:late:1>"})
    whole = pixels(engine, origin)
    seen = []
    for size in (0.3, 0.9):
        save_file(low_rank(UNET, 32, 32, size=size), models / "loras" / "late.safetensors", {"size": str(size) * 9})
        seen.append(pixels(engine, branch))
        assert pixels(engine, branch) == seen[-1]
        assert is_kept(engine, branch)
    assert len({whole, *seen}) == 3


def test_several_images_of_a_branch_have_seeds_of_their_own(engine: Engine) -> None:
    origin = text(seed=30)
    images = engine.run(branched(origin, 0, 2, {"num_images": 3}), context(events := []))
    assert [(image.seed, image.info["branched_at"], image.info["steps"]) for image in images] == [
        (30, 2, STEPS),
        (31, 2, STEPS),
        (32, 2, STEPS),
    ]
    assert images[0].rgb == pixels(engine, origin)
    assert len({image.rgb for image in images}) == 3
    assert {event.image for event in events if isinstance(event, Step)} == {0, 1, 2}


def test_a_branch_of_a_branch_goes_all_the_way_back(engine: Engine, forgetful: Engine) -> None:
    origin = text(seed=40)
    first = branched(origin, 0, 2, {"prompt": "a dog"})
    before_it_left = branched(first, 0, 1, {"prompt": "a lake"})
    assert pixels(engine, before_it_left) == pixels(engine, branched(origin, 0, 1, {"prompt": "a lake"}))
    assert pixels(engine, branched(first, 0, 4, {})) == pixels(engine, first)


def test_the_oldest_go_when_memory_is_short(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.kept_steps.forget()
    one = STEPS * 4 * 8 * 8 * 4
    monkeypatch.setattr(engine.kept_steps, "limit_bytes", 2 * one)
    origins = [text(seed=seed) for seed in (50, 51, 52)]
    for origin in origins:
        engine.run(origin, context([]))
    assert [is_kept(engine, origin) for origin in origins] == [False, True, True]
    assert engine.kept_steps.size_bytes == 2 * one
    monkeypatch.setattr(engine.kept_steps, "limit_bytes", one - 1)
    engine.run(text(seed=53), context([]))
    assert not is_kept(engine, text(seed=53))


def test_what_is_not_there_is_refused(engine: Engine) -> None:
    origin = text()
    for request, field in (
        (dataclasses.replace(origin, stop_after=STEPS + 1), "stop_after"),
        (dataclasses.replace(origin, branch_from=Branch(origin=origin, step=STEPS)), "branch_from"),
        (dataclasses.replace(branched(origin, 0, 2, {}), steps=STEPS + 1), "steps"),
        (branched(text(num_images=2), 0, 2, {"variation_strength": 0.5, "variation_seed": 1}), "variation_strength"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            engine.run(request, context([]))
        assert caught.value.details["field"] == field
    with pytest.raises(InvalidRequest):
        image_alone(origin, 1)
    flow = branched(text(checkpoint="toy-sd3"), 0, 2, {})
    with pytest.raises(InvalidRequest) as caught:
        engine.run(flow, context([]))
    assert caught.value.details == {"field": "branch_from", "reason": "only_unet"}


def test_new_noise_is_as_strong_as_the_old(engine: Engine) -> None:
    """A branch with another seed late on the way stays close to its origin; early on, it does not."""
    origin = text(seed=60, steps=12)
    whole = np.frombuffer(pixels(engine, origin), np.uint8).astype(float)
    late = np.frombuffer(pixels(engine, branched(origin, 0, 11, {"seed": 61})), np.uint8)
    early = np.frombuffer(pixels(engine, branched(origin, 0, 1, {"seed": 61})), np.uint8)
    assert np.abs(late - whole).mean() < np.abs(early - whole).mean()


def test_a_branch_of_an_inpainted_picture_keeps_what_is_not_masked(engine: Engine) -> None:
    """The context of these tests reads one picture for every reference; as a mask its left half is redrawn."""
    rows = np.zeros((64, 64, 3), np.uint8)
    rows[:, :32] = 255
    buffer = io.BytesIO()
    Image.fromarray(rows).save(buffer, "PNG")
    half = Context(lambda _event: None, lambda: None, lambda: False, lambda _reference: buffer.getvalue())
    origin = picture(mask=REFERENCE, mask_blur=0, scheduler="dpmpp_2m", denoising_strength=1.0)
    requests = [origin, step_kept(origin, 0, 3), branched(origin, 0, 3, {"seed": 8, "prompt": "a dog"})]
    remembered = [engine.run(request, half)[0].rgb for request in requests]
    engine.kept_steps.forget()
    assert [engine.run(request, half)[0].rgb for request in requests[::-1]] == remembered[::-1]
    drawn = [np.frombuffer(rgb, np.uint8).reshape(64, 64, 3) for rgb in remembered]
    assert all((one[:, 32:] == 0).all() for one in drawn)
    assert len({one[:, :32].tobytes() for one in drawn}) == 3
