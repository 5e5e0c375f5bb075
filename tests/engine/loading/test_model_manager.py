"""Loading for real, at toy size: every family and form, what goes wrong, what is kept and what is given back."""

from __future__ import annotations

import gc
import hashlib
import json
import shutil
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.toys import save_sd2, save_sd15, save_sdxl
from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.hashes import HashBook, Hashes
from webui.engine.device import HOST, Device, choose_device
from webui.engine.loading import model_manager, placing, single_file
from webui.engine.loading import pipeline as loading
from webui.engine.loading.loaded_checkpoint import LoadedCheckpoint
from webui.engine.loading.memory_budget import Clock, Key
from webui.engine.loading.model_manager import ModelManager
from webui.errors import (
    Cancelled,
    CheckpointBroken,
    CheckpointNotFound,
    CheckpointPickled,
    CheckpointTooLarge,
    DarkroomError,
    FamilyUnknown,
    TaskUnsupported,
)
from webui.events import Loading

ROOT = Path(__file__).resolve().parents[3]
FP32 = choose_device("cpu", "fp32")
ALL = (
    "files/toy-sd15-file",
    "files/toy-sd2-file",
    "files/toy-sdxl-file",
    "toy-sd15",
    "toy-sd15-inpaint",
    "toy-sd2",
    "toy-sd3",
    "toy-sdxl",
)


def manager(
    models: Path, *, budget_bytes: int = 10**9, device: Device = FP32, clock: Clock = time.monotonic
) -> ModelManager:
    return ModelManager(Catalogue(models), device, budget_bytes, models / "tokenizers", clock=clock)


def load(models: ModelManager, id: str) -> LoadedCheckpoint:
    return models.components(id, lambda _event: None, lambda: None)


def networks(loaded: LoadedCheckpoint) -> dict[str, torch.nn.Module]:
    return {name: part for name, part in loaded.components.items() if isinstance(part, torch.nn.Module)}


def mapped_files(folder: Path) -> list[str]:
    gc.collect()  # what other tests left behind
    return sorted(item.path for item in psutil.Process().memory_maps(grouped=False) if str(folder) in item.path)


@pytest.fixture
def models(tmp_path: Path, toy_models: Path) -> Path:
    """A models folder of one's own with one toy of each form, under the ids `folder` and `file`."""
    place = tmp_path / "models"
    shutil.copytree(toy_models / "toy-sd15", place / "folder")
    for source in (toy_models / "files").glob("toy-sd15-file*"):
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, place / source.name.replace("toy-sd15-file", "file"))
    return place


@pytest.mark.parametrize("id", ALL)
def test_every_form_and_family_loads(toy_models: Path, id: str) -> None:
    events: list[Loading] = []
    models = manager(toy_models)
    mapped_before = mapped_files(toy_models)  # by diffusers' own loading in other tests
    loaded = models.components(id, events.append, lambda: None)
    assert loaded.checkpoint.id == id
    for network in networks(loaded).values():
        assert not network.training
        for tensor in (*network.parameters(), *network.buffers()):
            assert not tensor.is_meta
            assert not tensor.requires_grad
            assert tensor.dtype == torch.float32 or not tensor.is_floating_point()
    assert set(networks(loaded)) >= {"vae", "text_encoder", "unet" if loaded.adapter is None else "transformer"}
    assert loaded.components["tokenizer"]("a cat").input_ids
    tensors = [t for network in networks(loaded).values() for t in (*network.parameters(), *network.buffers())]
    assert loaded.size_bytes == models.used_bytes() == sum(tensor.nbytes for tensor in tensors)
    fractions = [event.fraction for event in events]
    assert {event.checkpoint for event in events} == {id}
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert 20 < len(fractions) < 110  # enough to see it move, and no flood
    assert mapped_files(toy_models) == mapped_before  # else a file that shrinks would kill the process


def test_a_single_file_holds_what_its_parts_held(tmp_path: Path, toy_models: Path) -> None:
    """The way through the original layout and back changes nothing but the number type."""
    models = manager(toy_models)
    for id, save, seed in (
        ("files/toy-sd15-file", save_sd15, 4),
        ("files/toy-sd2-file", save_sd2, 5),
        ("files/toy-sdxl-file", save_sdxl, 6),
    ):
        parts = save(tmp_path / Path(id).name, seed=seed)
        for name, network in networks(load(models, id)).items():
            (weights,) = (parts / name).glob("*.safetensors")
            expected = load_file(weights)
            found = {key.removeprefix("text_model."): value for key, value in network.state_dict().items()}
            assert len(found) == len(expected)
            for key, value in expected.items():
                assert torch.equal(found[key.removeprefix("text_model.")], value.half().float()), (id, name, key)


def test_the_device_s_number_type_is_used_whatever_the_file_holds(models: Path) -> None:
    bf16 = Device(torch.device("cpu"), torch.bfloat16, "CPU")
    for id in ("folder", "file"):
        for network in networks(load(manager(models, device=bf16), id)).values():
            assert {t.dtype for t in network.parameters()} == {torch.bfloat16}


def test_noise_is_what_the_catalogue_says(models: Path, toy_models: Path) -> None:
    assert (
        load(manager(toy_models), "files/toy-sd2-file").components["scheduler"].config.prediction_type == "v_prediction"
    )
    (models / "folder" / "darkroom.json").write_text('{"prediction_type": "v_prediction"}')
    assert load(manager(models), "folder").components["scheduler"].config.prediction_type == "v_prediction"
    weights = load_file(models / "file.safetensors")
    save_file({**weights, "v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}, models / "file.safetensors")
    config = load(manager(models), "file").components["scheduler"].config
    assert (config.prediction_type, config.rescale_betas_zero_snr, config.timestep_spacing) == (
        "v_prediction",
        True,
        "trailing",
    )


def test_weights_in_shards_and_in_fp16_files(models: Path) -> None:
    unet = models / "folder" / "unet"
    file = unet / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    file.unlink()
    names = sorted(weights)
    weight_map = {name: f"diffusion_pytorch_model-0000{1 + i % 2}-of-00002.safetensors" for i, name in enumerate(names)}
    for shard in set(weight_map.values()):
        save_file({name: weights[name] for name in names if weight_map[name] == shard}, unet / shard, {"format": "pt"})
    index = {"metadata": {"total_size": sum(w.nbytes for w in weights.values())}, "weight_map": weight_map}
    (unet / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    vae = models / "folder" / "vae" / "diffusion_pytorch_model.safetensors"
    halved = {name: weight.half() for name, weight in load_file(vae).items()}
    save_file(halved, vae.with_name("diffusion_pytorch_model.fp16.safetensors"), {"format": "pt"})
    vae.unlink()
    loaded = networks(load(manager(models), "folder"))
    assert all(torch.equal(value, weights[name]) for name, value in loaded["unet"].state_dict().items())
    assert all(torch.equal(value, halved[name].float()) for name, value in loaded["vae"].state_dict().items())


def test_what_was_loaded_is_kept_without_a_word(toy_models: Path) -> None:
    models = manager(toy_models)
    first = load(models, "toy-sd15")
    events: list[Loading] = []
    assert models.components("toy-sd15", events.append, lambda: None) is first
    assert events == []


def test_the_least_recently_used_goes_first(toy_models: Path) -> None:
    models = manager(toy_models, budget_bytes=8_000_000)  # two toys of 3.6 MB
    load(models, "toy-sd15")
    load(models, "toy-sd2")
    load(models, "toy-sd15")
    load(models, "toy-sd15-inpaint")
    assert models.held() == ("toy-sd15", "toy-sd15-inpaint")
    assert models.used_bytes() <= 8_000_000
    load(models, "toy-sdxl")  # 6.3 MB
    assert models.held() == ("toy-sdxl",)


def test_one_that_nobody_used_for_long_leaves_the_device(toy_models: Path) -> None:
    now = 0.0
    models = manager(toy_models, clock=lambda: now)
    first = weakref.ref(load(models, "toy-sd15").components["unet"])
    assert models.idle_seconds_left() is None
    now = 1e6
    models.drop_idle()
    assert models.held() == ("toy-sd15",)
    models.hold(10**9, 600)
    with models.at_work():
        load(models, "toy-sd15")
        now += 3600  # a long job
    assert models.idle_seconds_left() == 600
    now += 300
    load(models, "toy-sdxl")
    now += 299
    models.drop_idle()
    assert models.held() == ("toy-sd15", "toy-sdxl")
    assert models.idle_seconds_left() == 1
    now += 1
    models.drop_idle()
    assert models.held() == ("toy-sdxl",)
    gc.collect()
    assert first() is None
    models.hold(10**9, None)
    now += 1e6
    models.drop_idle()
    assert models.held() == ("toy-sdxl",)


def test_a_smaller_budget_counts_at_once(toy_models: Path) -> None:
    models = manager(toy_models)
    for id in ("toy-sd15", "toy-sdxl"):
        load(models, id)
    models.hold(1, None)
    assert models.held() == ("toy-sdxl",)


def test_one_that_is_larger_than_the_budget_is_kept_alone(toy_models: Path) -> None:
    models = manager(toy_models, budget_bytes=1)
    for id in ("toy-sd15", "toy-sd2"):
        load(models, id)
        assert models.held() == (id,)


class Layer:
    """A network beside a checkpoint, of so many bytes."""

    def __init__(self, size_bytes: int, device: Device) -> None:
        self.model = torch.nn.Linear(size_bytes // 4, 1, bias=False, device=device.torch_device)
        self.device = device


def beside(models: ModelManager, name: str, size_bytes: int = 400_000, version: str = "") -> Layer:
    return models.network(Key("critic", name), version, size_bytes, lambda device: Layer(size_bytes, device))


def test_networks_beside_a_checkpoint_share_its_budget(toy_models: Path) -> None:
    models = manager(toy_models, budget_bytes=7_500_000)  # two toys of 3.6 MB, and no third thing
    load(models, "toy-sd15")
    newer = load(models, "toy-sd2")
    critic = beside(models, "clip")
    assert models.held() == ("toy-sd2",)
    assert models.used_bytes() == newer.size_bytes + 400_000
    assert beside(models, "clip") is critic
    other = beside(models, "clip", version="changed")
    assert other is not critic
    assert models.used_bytes() == newer.size_bytes + 400_000
    load(models, "toy-sd2")
    gone = weakref.ref(other)
    del other
    load(models, "toy-sd15")  # of toy-sd2 and the critic, the critic was not used for longest
    assert (models.held(), gone()) == (("toy-sd2", "toy-sd15"), None)


def test_what_finds_no_room_beside_the_checkpoint_in_use_is_not_held(toy_models: Path) -> None:
    models = manager(toy_models, budget_bytes=7_500_000)
    loaded = [load(models, id) for id in ("toy-sd15", "toy-sd2")]
    large = beside(models, "large", 4_000_000)
    assert large.device is HOST
    assert models.held() == ("toy-sd15", "toy-sd2")  # nobody left for nothing
    assert models.used_bytes() == sum(one.size_bytes for one in loaded)
    assert beside(models, "large", 4_000_000) is not large


def test_a_network_that_the_device_has_no_memory_for_goes_to_the_machine_s(toy_models: Path) -> None:
    models = manager(toy_models)
    places: list[Device] = []

    def scarce(device: Device) -> Layer:
        places.append(device)
        if device is not HOST:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return Layer(400, device)

    assert models.network(Key("critic", "clip"), "", 400, scarce).device is HOST
    assert len(places) == 2
    assert models.used_bytes() == 0
    held = beside(models, "clip", 400)
    assert models.used_bytes() == 400
    models.move_out(Key("critic", "clip"))
    models.move_out(Key("critic", "clip"))
    assert models.used_bytes() == 0
    assert held.model.weight.device.type == "cpu"


def test_what_is_let_go_is_gone(toy_models: Path) -> None:
    models = manager(toy_models, budget_bytes=1)
    unet = weakref.ref(load(models, "toy-sd15").components["unet"])
    load(models, "toy-sd3").pipeline_for("image_to_image")
    assert unet() is None
    transformer = weakref.ref(load(models, "toy-sd3").components["transformer"])
    models.drop_all()
    assert transformer() is None
    assert models.used_bytes() == 0


def test_a_file_that_changed_is_loaded_again(models: Path) -> None:
    kept = manager(models)
    first = load(kept, "folder")
    file = models / "folder" / "vae" / "diffusion_pytorch_model.safetensors"
    weights = {name: torch.zeros_like(weight) for name, weight in load_file(file).items()}
    save_file(weights, file.with_name("new"), {"format": "pt"})
    file.with_name("new").replace(file)
    second = load(kept, "folder")
    assert second is not first
    assert second.components["vae"].decoder.conv_in.weight.abs().sum() == 0
    assert kept.held() == ("folder",)


def test_a_checkpoint_that_is_gone_is_let_go(models: Path) -> None:
    kept = manager(models)
    load(kept, "folder")
    shutil.rmtree(models / "folder")
    with pytest.raises(CheckpointNotFound):
        load(kept, "folder")
    assert kept.held() == ()


def test_tasks_share_their_parts(toy_models: Path) -> None:
    models = manager(toy_models)
    unet = load(models, "toy-sd15")
    assert unet.pipeline_for("text_to_image") is unet.pipeline_for("image_to_image") is unet.pipeline
    flow = load(models, "toy-sd3")
    assert flow.pipeline_for("text_to_image") is flow.pipeline
    redraw = flow.pipeline_for("image_to_image")
    assert type(redraw).__name__ == "StableDiffusion3Img2ImgPipeline"
    assert flow.pipeline_for("image_to_image") is redraw
    for name, part in networks(flow).items():
        assert redraw.components[name] is part
    with pytest.raises(TaskUnsupported):
        flow.pipeline_for("style_transfer")


def test_a_flow_pipeline_draws(toy_models: Path) -> None:
    loaded = load(manager(toy_models), "toy-sd3")
    for task, extra in (("text_to_image", {}), ("image_to_image", {"image": torch.zeros(1, 3, 64, 64)})):
        pipeline = loaded.pipeline_for(task)
        drawn = pipeline("a cat", num_inference_steps=2, width=64, height=64, output_type="np", **extra).images
        assert drawn.shape == (1, 64, 64, 3)


def test_a_folder_may_name_another_of_its_family_s_pipelines(toy_models: Path, tmp_path: Path) -> None:
    shutil.copytree(toy_models / "toy-sd3", tmp_path / "toy")
    index = tmp_path / "toy" / "model_index.json"
    index.write_text(index.read_text().replace("StableDiffusion3Pipeline", "StableDiffusion3Img2ImgPipeline"))
    loaded = load(manager(tmp_path), "toy")
    assert loaded.checkpoint.family == "StableDiffusion3Pipeline"
    names = [type(loaded.pipeline_for(task)).__name__ for task in ("text_to_image", "image_to_image")]
    assert names == ["StableDiffusion3Pipeline", "StableDiffusion3Img2ImgPipeline"]


def break_weights(file: Path, how: str) -> None:
    weights = load_file(file)
    name = next(name for name in sorted(weights) if name.endswith("encoder.conv_in.weight"))
    if how == "missing":
        del weights[name]
    elif how == "shape":
        weights[name] = weights[name][..., :2].contiguous()
    else:
        weights[name].view(-1)[3] = float(how)
    save_file(weights, file, {"format": "pt"})


@pytest.mark.parametrize(
    ("how", "reason"),
    [("nan", "not_finite"), ("inf", "not_finite"), ("missing", "missing_tensors"), ("shape", "other_shapes")],
)
@pytest.mark.parametrize("file", ["folder/vae/diffusion_pytorch_model.safetensors", "file.safetensors"])
def test_broken_weights_are_an_error_and_leave_nothing(models: Path, file: str, how: str, reason: str) -> None:
    break_weights(models / file, how)
    file_id = file.split("/")[0].removesuffix(".safetensors")
    kept = manager(models)
    with pytest.raises(CheckpointBroken) as caught:
        load(kept, file_id)
    assert caught.value.details == {"checkpoint": file_id, "reason": reason}
    assert caught.value.__context__ is None  # no traceback that holds the tensors
    assert kept.held() == ()
    assert mapped_files(models) == []
    assert load(kept, "file" if file_id == "folder" else "folder")  # and the next job goes on


@pytest.mark.parametrize(
    ("file", "changes", "error", "reason"),
    [
        ("model_index.json", {"unet": ["diffusers", "UNet9DConditionModel"]}, FamilyUnknown, "class_unknown"),
        ("model_index.json", {"unet": ["transformers", "CLIPTextModel"]}, CheckpointBroken, None),
        ("unet/config.json", {"down_block_types": ["EvilBlock", "DownBlock2D"]}, CheckpointBroken, "does_not_load"),
        ("vae/config.json", {"latent_channels": 4, "layers_per_block": 2}, CheckpointBroken, "missing_tensors"),
        ("text_encoder/config.json", {"hidden_size": 64}, CheckpointBroken, None),
        ("scheduler/scheduler_config.json", {"beta_schedule": "none such"}, CheckpointBroken, "does_not_load"),
        ("tokenizer/tokenizer.json", None, CheckpointBroken, None),
    ],
)
def test_parts_that_do_not_fit(
    models: Path, file: str, changes: dict[str, Any] | None, error: type[DarkroomError], reason: str | None
) -> None:
    path = models / "folder" / file
    if changes is None:
        path.write_text("{")
    else:
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(error) as caught:
        load(manager(models), "folder")
    assert reason in (None, caught.value.details["reason"])


def test_refused_ones_are_not_tried(models: Path) -> None:
    (models / "old.ckpt").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(CheckpointPickled):
        load(manager(models), "old")


@pytest.mark.parametrize("after", [1, 3, 20, 60, 100])
def test_loading_can_be_stopped_anywhere(models: Path, after: int) -> None:
    checks: Iterator[int] = iter(range(10_000))

    def check() -> None:
        if next(checks) >= after:
            raise Cancelled

    kept = manager(models)
    for id in ("folder", "file"):
        with pytest.raises(Cancelled):
            kept.components(id, lambda _event: None, check)
    assert kept.held() == ()
    gc.collect()
    assert mapped_files(models) == []


def test_a_file_that_is_cut_off_meanwhile_is_an_error(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = manager(models)
    original = loading.load_pipeline

    def cut_off_first(*arguments: Any) -> Any:
        file = models / "file.safetensors"
        file.write_bytes(file.read_bytes()[:-1000])  # a new inode would be harmless: this is the same file
        return original(*arguments)

    monkeypatch.setattr(model_manager, "load_pipeline", cut_off_first)
    with pytest.raises(CheckpointBroken):
        load(kept, "file")


def test_more_than_the_machine_has(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = manager(models)
    load(kept, "file")
    monkeypatch.setattr(loading.torch, "float32", torch.float32)
    monkeypatch.setattr(model_manager, "loaded_bytes_estimate", lambda checkpoint, dtype: 10**15)
    with pytest.raises(CheckpointTooLarge) as caught:
        load(kept, "folder")
    assert caught.value.details == {"checkpoint": "folder", "device": "CPU", "needed_gb": 1_000_000.0}
    assert kept.held() == ()


def test_memory_that_runs_out_while_loading(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything else is let go and it is tried once more."""
    kept = manager(models)
    load(kept, "file")
    original, calls = placing.place_on_device, 0

    def place(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(*arguments)

    for module in (loading, single_file):
        monkeypatch.setattr(module, "place_on_device", place)
    load(kept, "folder")
    assert kept.held() == ("folder",)
    calls = 1
    kept.drop_all()
    with pytest.raises(CheckpointTooLarge):
        load(kept, "file")


SWAPS = """
import sys, json
from pathlib import Path
import psutil, torch
from webui.checkpoints.catalogue import Catalogue
from webui.engine.device import choose_device
from webui.engine.loading.model_manager import ModelManager

torch.set_num_threads(1)
models = Path(sys.argv[1])
manager = ModelManager(Catalogue(models), choose_device("cpu", "fp32"), 1, models / "tokenizers")
sizes = []
for swap in range(12):
    loaded = manager.components(("one", "two")[swap % 2], lambda event: None, lambda: None)
    with torch.inference_mode():
        latents = torch.zeros(1, 4, 8, 8)
        loaded.components["unet"](latents, 1, torch.zeros(1, 77, 32))
    sizes.append(psutil.Process().memory_info().rss)
    del loaded
print(json.dumps({"rss": sizes, "size": manager.used_bytes()}))
"""


@pytest.mark.slow
def test_swapping_checkpoints_does_not_grow_the_process(tmp_path: Path) -> None:
    """After four swaps to warm up, eight more grow it by under 5 %. A checkpoint here is a tenth of the process."""
    for name, seed in (("one", 1), ("two", 2)):
        save_sd15(tmp_path / name, seed=seed, channels=(160, 320))
    command = [sys.executable, "-c", SWAPS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=300)
    measured = json.loads(done.stdout)
    warm, last = measured["rss"][3], max(measured["rss"][4:])
    assert measured["size"] > 0.08 * warm  # so that a single one left behind would show
    assert last < 1.05 * warm, [round(size / 1e6) for size in measured["rss"]]


def test_weights_are_hashed_once_and_as_they_lie_there(models: Path, tmp_path: Path) -> None:
    book = HashBook(tmp_path / "hashes.json")
    keeper = ModelManager(Catalogue(models), FP32, 10**9, models / "tokenizers", book=book)
    loaded = load(keeper, "file")
    assert loaded.hashes.checkpoint == hashlib.sha256((models / "file.safetensors").read_bytes()).hexdigest()
    book.put(loaded.checkpoint, Hashes(checkpoint="as the book says"))
    keeper.drop_all()
    assert load(keeper, "file").hashes.checkpoint == "as the book says"
    folder = load(manager(models), "folder").hashes
    vae = next((models / "folder" / "vae").glob("*.safetensors"))
    assert folder.vae == hashlib.sha256(vae.read_bytes()).hexdigest()
