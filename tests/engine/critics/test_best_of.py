"""The best of several, on a toy checkpoint with a toy critic."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from tests.settling import SettlingEngine
from tests.toy_critics import save_clip
from webui.checkpoints.catalogue import Catalogue
from webui.engine.context import Context
from webui.engine.critics import best_of
from webui.engine.critics.critic import Critic, load_critic
from webui.engine.device import choose_device
from webui.engine.engine import Engine
from webui.engine.loading.loaded_checkpoint import LoadedCheckpoint
from webui.engine.loading.model_manager import ModelManager
from webui.engine.unet import diffusion
from webui.errors import Cancelled, CheckpointTooLarge, CriticBroken, CriticMissing, InvalidRequest
from webui.events import EngineEvent, Step
from webui.requests import Request
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.settings import Settings
from webui.worker.messages import RawImage

ASKED: dict[str, Any] = {"checkpoint": "toy-sd15", "seed": 1, "steps": 1, "num_images": 4, "keep_best": 2}
REFERENCE = "sha256:" + "0" * 64


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_clip(tmp_path_factory.mktemp("clip") / "toy")


@pytest.fixture(scope="module")
def engine(toy_models: Path, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return engine_with(toy_models, tmp_path_factory.mktemp("judged"), {"clip/toy": clip})


def engine_with(toy_models: Path, folder: Path, critics: dict[str, Path]) -> Engine:
    models = folder / "models"
    (models / "clip").mkdir(parents=True)
    (models / "toy-sd15").symlink_to(toy_models / "toy-sd15")
    for name, place in critics.items():
        (models / name).symlink_to(place)
    return SettlingEngine(Settings(models_dir=models, data_dir=folder, device="cpu", precision="fp32"))


def run(
    engine: Engine, request: Request, check: Callable[[], None] = lambda: None
) -> tuple[list[RawImage], list[Step]]:
    events: list[EngineEvent] = []
    buffer = io.BytesIO()
    Image.new("RGB", (90, 70), (200, 40, 40)).save(buffer, "PNG")
    images = engine.run(request, Context(events.append, check, lambda: False, lambda _reference: buffer.getvalue()))
    return images, [event for event in events if isinstance(event, Step)]


def test_the_highest_scores_are_kept_and_none_is_lost(engine: Engine, clip: Path) -> None:
    images, steps = run(engine, TextToImage(prompt="a ((red)) cat # at night", **ASKED))
    pictures = [Image.frombytes("RGB", (image.width, image.height), image.rgb) for image in images]
    wanted = load_critic(clip, choose_device("cpu")).score(pictures, "a red cat")
    assert [image.info["score"] for image in images] == pytest.approx(wanted, abs=1e-5)
    assert len(set(wanted)) == 4
    best_first = sorted(range(4), key=lambda index: -wanted[index])
    assert [image.info["rank"] for image in images] == [best_first.index(index) + 1 for index in range(4)]
    assert {index for index, image in enumerate(images) if image.info["kept"]} == set(best_first[:2])
    assert [image.seed for image in images] == [1, 2, 3, 4]
    assert {image.info["critic"] for image in images} == {"clip/toy"}
    assert [(step.image, step.index, step.total) for step in steps if step.phase == "score"] == [
        (index, 1, 1) for index in range(4)
    ]
    again, _ = run(engine, TextToImage(prompt="a ((red)) cat # at night", **ASKED))
    assert [image.info for image in again] == [image.info for image in images]
    plain, _ = run(engine, TextToImage(prompt="a ((red)) cat # at night", **ASKED | {"keep_best": 0}))
    assert [image.rgb for image in plain] == [image.rgb for image in images]
    assert not plain[0].info.keys() & {"score", "rank", "kept", "critic"}


def test_image_to_image_and_wildcards(engine: Engine, clip: Path) -> None:
    request = ImageToImage(prompt="a {red|blue|dog} cat", init_image=REFERENCE, denoising_strength=0.9, **ASKED)
    images, _ = run(engine, request)
    critic = load_critic(clip, choose_device("cpu"))
    for image in images:
        picture = Image.frombytes("RGB", (image.width, image.height), image.rgb)
        assert image.info["score"] == pytest.approx(critic.score([picture], str(image.info["prompt"]))[0], abs=1e-5)
    assert len({image.info["prompt"] for image in images}) > 1
    assert sum(bool(image.info["kept"]) for image in images) == 2


def nothing_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "text_to_image", lambda *_: pytest.fail("something was drawn"))


def test_no_critic_is_said_before_anything_is_drawn(
    toy_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_with(toy_models, tmp_path, {})
    nothing_drawn(monkeypatch)
    with pytest.raises(CriticMissing) as caught:
        run(engine, TextToImage(prompt="a cat", **ASKED))
    assert caught.value.details == {"checkpoint": "toy-sd15", "folder": "models/clip"}


def damaged(clip: Path, place: Path, damage: str) -> Path:
    place.mkdir()
    for file in clip.iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    weights = place / "model.safetensors"
    match damage:
        case "truncated":
            weights.write_bytes(weights.read_bytes()[:-100])
        case "missing_tensors":
            tensors = load_file(weights)
            save_file({name: t for name, t in tensors.items() if "visual_projection" not in name}, weights)
        case "not_finite":
            tensors = load_file(weights)
            tensors["visual_projection.weight"][0] = torch.nan
            save_file(tensors, weights)
        case "does_not_load":  # pictures of a size that the network does not take
            processor = place / "preprocessor_config.json"
            said = json.loads(processor.read_text("utf-8"))
            processor.write_text(
                json.dumps(said | {"size": {"shortest_edge": 48}, "crop_size": {"height": 48, "width": 48}})
            )
    return place


@pytest.mark.parametrize("damage", ["truncated", "missing_tensors", "not_finite", "does_not_load"])
def test_a_damaged_critic_is_said_before_anything_is_drawn(
    toy_models: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    engine = engine_with(toy_models, tmp_path, {"clip/toy": damaged(clip, tmp_path / "damaged", damage)})
    nothing_drawn(monkeypatch)
    with pytest.raises(CriticBroken) as caught:
        run(engine, TextToImage(prompt="a cat", **ASKED))
    assert caught.value.details == {"critic": "clip/toy", "reason": damage}


def model_manager(engine: Engine, budget_bytes: int = 10**9) -> ModelManager:
    """One that holds nothing yet."""
    models_dir = engine.catalogue.models_dir
    return ModelManager(engine.catalogue, choose_device("cpu", "fp32"), budget_bytes, models_dir / "tokenizers")


def prompt_critic(engine: Engine, models: ModelManager, *words: str) -> best_of.PromptCritic:
    checkpoint, folder = engine.catalogue.get("toy-sd15"), engine.catalogue.models_dir
    return best_of.load_prompt_critic(words or ["a cat"], checkpoint, models, folder, lambda: None)


def test_a_critic_that_the_machine_cannot_hold_is_not_loaded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    free = type("Memory", (), {"available": 1000})()
    with monkeypatch.context() as patch:
        patch.setattr(best_of.psutil, "virtual_memory", lambda: free)
        with pytest.raises(CheckpointTooLarge) as caught:
            prompt_critic(engine, model_manager(engine))
    assert caught.value.details == {"checkpoint": "clip/toy", "device": "CPU", "needed_gb": 0.0}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"keep_best": 4}, "keeps_all"), ({"keep_best": 16}, "keeps_all"), ({"prompt": "# nothing"}, "nothing_to_fit")],
)
def test_what_means_nothing_is_refused(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], reason: str
) -> None:
    nothing_drawn(monkeypatch)
    with pytest.raises(InvalidRequest) as caught:
        run(engine, TextToImage(**{"prompt": "a cat"} | ASKED | changes))
    assert (caught.value.details["field"], caught.value.details["reason"]) == ("keep_best", reason)


def test_stop_is_heard_while_pictures_are_judged(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[int] = []
    real = Critic.embed_pictures

    def counted(self: Critic, pictures: Any, check: Any) -> Any:
        judged.append(len(pictures))
        return real(self, pictures, check)

    def check() -> None:
        if len(judged) == 3:  # of four, or of these and the grey one
            raise Cancelled

    monkeypatch.setattr(Critic, "embed_pictures", counted)
    with pytest.raises(Cancelled):
        run(engine, TextToImage(prompt="a cat", **ASKED), check)
    assert len(judged) == 3


def test_memory_that_runs_out_costs_no_picture(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """While drawing: the ladder, as ever. While judging on the device: the rest is judged on the CPU."""
    drawn: list[tuple[list[int], bool]] = []
    real, judge = diffusion.text_to_image, Critic.embed_pictures
    judged: list[int] = []

    def scarce(asked: Any, run_context: Any, indices: list[int]) -> Any:
        drawn.append((indices, run_context.is_tiled))
        if len(indices) > 2 or not run_context.is_tiled:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(asked, run_context, indices)

    def scarce_too(self: Critic, pictures: Any, check: Any) -> Any:
        judged.append(1)
        if len(judged) == 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return judge(self, pictures, check)

    request = TextToImage(prompt="a cat", **ASKED | {"num_images": 8, "width": 64, "height": 64})
    wanted, _ = run(engine, request)
    monkeypatch.setattr(diffusion, "text_to_image", scarce)
    monkeypatch.setattr(Critic, "embed_pictures", scarce_too)
    monkeypatch.setattr(type(engine.device), "is_cpu", property(lambda _self: False))  # so that it makes groups
    images, steps = run(engine, request)
    assert drawn[:3] == [(list(range(8)), False), (list(range(8)), True), ([0, 1, 2, 3], True)]
    assert drawn[3:] == [([0, 1], True), ([2, 3], True), ([4, 5], True), ([6, 7], True)]
    assert [step.image for step in steps if step.phase == "score"] == list(range(8))
    assert {image.info["fallback"] for image in images} == {"vae_tiling"}
    scores = [image.info["score"] for image in images]
    assert scores == pytest.approx([image.info["score"] for image in wanted], abs=0.02)  # tiles change pixels a little
    assert sum(bool(image.info["kept"]) for image in images) == 2


def load(models: ModelManager, id: str) -> LoadedCheckpoint:
    return models.components(id, lambda _event: None, lambda: None)


def size_bytes(critic: Critic) -> int:
    return sum(tensor.nbytes for tensor in (*critic.model.parameters(), *critic.model.buffers()))


def test_it_is_loaded_once_and_lies_within_the_budget_of_checkpoints(engine: Engine) -> None:
    models = model_manager(engine)
    first = prompt_critic(engine, models, "a cat", "a dog", "a cat")
    assert first.wanted.shape == (3, 16)
    assert torch.equal(first.wanted[0], first.wanted[2])
    assert not torch.equal(first.wanted[0], first.wanted[1])
    assert models.used_bytes() == size_bytes(first.critic)
    assert prompt_critic(engine, models).critic is first.critic
    assert models.held() == ()  # no checkpoint


@pytest.mark.parametrize(
    ("budget_bytes", "held", "is_held"),
    [
        (8_000_000, ("toy-sd2", "toy-sd15"), True),  # two toys are 3.8 and 3.6 MB, a critic is 0.25 MB
        (7_500_000, ("toy-sd15",), True),
        (3_700_000, ("toy-sd15",), False),
    ],
    ids=("all find room", "the idle checkpoint leaves", "the critic is not held"),
)
def test_it_finds_room_beside_the_checkpoint_in_use(
    toy_models: Path, engine: Engine, budget_bytes: int, held: tuple[str, ...], is_held: bool
) -> None:
    models = ModelManager(Catalogue(toy_models), choose_device("cpu", "fp32"), budget_bytes, toy_models / "tokenizers")
    sizes = {id: load(models, id).size_bytes for id in ("toy-sd2", "toy-sd15")}
    critic = prompt_critic(engine, models).critic
    assert models.held() == held
    assert models.used_bytes() == sum(sizes[id] for id in held) + is_held * size_bytes(critic)
    load(models, "toy-sd2")
    assert models.used_bytes() <= budget_bytes or models.held() == ("toy-sd2",)


def test_a_critic_whose_files_change_is_read_again(engine: Engine, clip: Path, tmp_path: Path) -> None:
    models = model_manager(engine)
    critic = prompt_critic(engine, models).critic
    assert not [item for item in psutil.Process().memory_maps(grouped=False) if str(clip) in item.path]
    (clip / "preprocessor_config.json").touch()
    assert prompt_critic(engine, models).critic is not critic
