"""The catalogue: what it finds, what it refuses and why, and that it looks again only where something changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from webui.checkpoints import catalogue as checkpoints
from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.notes import read_notes
from webui.errors import (
    CheckpointBroken,
    CheckpointNotFound,
    CheckpointPickled,
    DarkroomError,
    FamilyUnknown,
    NoCheckpoint,
)
from webui.texts import LANGUAGES, Texts


@pytest.fixture
def models(tmp_path: Path, toy_models: Path) -> Path:
    """A models folder of one's own, with one toy folder and one toy file."""
    folder = tmp_path / "models"
    shutil.copytree(toy_models / "toy-sd15", folder / "toy")
    for source in (toy_models / "files").glob("toy-sd2-file*"):
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, folder / source.name)
    return folder


def ids(models: Path) -> list[str]:
    return [checkpoint.id for checkpoint in Catalogue(models).list()]


def problem(models: Path, id: str) -> DarkroomError:
    found = {checkpoint.id: checkpoint.problem for checkpoint in Catalogue(models).refused()}[id]
    assert found is not None
    with pytest.raises(type(found)) as caught:
        Catalogue(models).get(id)
    assert caught.value.details == found.details
    return found


def edit(file: Path, **changes: Any) -> None:
    values = json.loads(file.read_text())
    file.write_text(json.dumps({name: value for name, value in {**values, **changes}.items() if value is not ...}))


def test_folders_and_files_of_every_family_are_found(toy_models: Path) -> None:
    found = {checkpoint.id: checkpoint for checkpoint in Catalogue(toy_models).list()}
    assert {id: (c.form, c.family, c.is_inpainting, c.defaults.prediction_type) for id, c in found.items()} == {
        "files/toy-sd15-file": ("file", "sd15", False, "epsilon"),
        "files/toy-sd2-file": ("file", "sd2", False, "v_prediction"),
        "files/toy-sdxl-file": ("file", "sdxl", False, "epsilon"),
        "toy-sd15": ("folder", "sd15", False, "epsilon"),
        "toy-sd15-inpaint": ("folder", "sd15", True, "epsilon"),
        "toy-sd2": ("folder", "sd2", False, "v_prediction"),
        "toy-sd3": ("folder", "StableDiffusion3Pipeline", False, None),
        "toy-sdxl": ("folder", "sdxl", False, "epsilon"),
    }
    assert Catalogue(toy_models).refused() == ()
    layers = {id: checkpoint.clip_layers for id, checkpoint in found.items()}
    assert layers["toy-sd3"] is None, "its CLIP cannot be cut short"
    assert [layers[id] for id in ("toy-sd15", "toy-sdxl", "files/toy-sdxl-file")] == [3, 3, 3]
    for checkpoint in found.values():
        files = [checkpoint.path] if checkpoint.form == "file" else checkpoint.path.rglob("*.safetensors")
        assert checkpoint.size_bytes == sum(file.stat().st_size for file in files)
        assert checkpoint.tasks == {"text_to_image", "image_to_image"}
        assert (checkpoint.defaults.width, checkpoint.defaults.steps) == (64, 4)


def test_the_starter_is_the_default_or_else_the_first(models: Path) -> None:
    assert Catalogue(models).default().id == "toy"
    shutil.copytree(models / "toy", models / "starter")
    shutil.copytree(models / "toy", models / "another")
    assert Catalogue(models).default().id == "starter"
    shutil.rmtree(models / "starter")
    assert Catalogue(models).default().id == "another"


@pytest.mark.parametrize("exists", [True, False])
def test_nothing_at_all(tmp_path: Path, exists: bool) -> None:
    folder = tmp_path / "models"
    if exists:
        folder.mkdir()
    assert Catalogue(folder).list() == ()
    with pytest.raises(NoCheckpoint) as caught:
        Catalogue(folder).default()
    assert caught.value.details == {"folder": "models"}
    with pytest.raises(CheckpointNotFound):
        Catalogue(folder).get("starter")


def test_components_and_other_tools_folders_are_not_checkpoints(models: Path) -> None:
    weights = models / "toy" / "vae" / "diffusion_pytorch_model.safetensors"
    for place in ("vae", "loras/people", "tokenizers/sd15", "VGG19", ".hidden", "__pycache__", "controlnet"):
        (models / place).mkdir(parents=True)
        shutil.copyfile(weights, models / place / "file.safetensors")
    (models / "notes.txt").write_text("not a checkpoint")
    assert ids(models) == ["toy", "toy-sd2-file"]
    assert Catalogue(models).refused() == ()


def test_files_lie_as_deep_as_one_likes(models: Path) -> None:
    deep = models / "photo" / "2024 十月"
    deep.mkdir(parents=True)
    for source in list(models.glob("toy-sd2-file*")):
        source.rename(deep / source.name)
    assert ids(models) == ["photo/2024 十月/toy-sd2-file", "toy"]


def test_the_same_id_twice(models: Path) -> None:
    shutil.copytree(models / "toy", models / "toy-sd2-file")
    (models / "toy.ckpt").write_bytes(b"pickle")
    catalogue = Catalogue(models)
    assert [c.id for c in catalogue.list()] == ["toy", "toy-sd2-file", "toy-sd2-file.safetensors"]
    assert catalogue.get("toy-sd2-file").form == "folder"
    assert [c.id for c in catalogue.refused()] == ["toy.ckpt"]


def test_links_are_followed_but_not_in_circles(models: Path, tmp_path: Path) -> None:
    outside = tmp_path / "collection"
    shutil.move(models / "toy", outside / "toy")
    (models / "linked").symlink_to(outside)
    (outside / "back").symlink_to(models)
    (models / "self").symlink_to(models / "self")
    (models / "gone.safetensors").symlink_to(tmp_path / "nowhere")
    assert ids(models) == ["linked/toy", "toy-sd2-file"]
    assert problem(models, "gone").details["reason"] == "unreadable"


@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".pth", ".bin", ".CKPT"])
def test_pickles_are_refused_unread(models: Path, suffix: str) -> None:
    (models / f"old{suffix}").write_bytes(b"\x80\x04.")
    found = problem(models, "old")
    assert isinstance(found, CheckpointPickled)
    assert ids(models) == ["toy", "toy-sd2-file"]


def test_a_folder_with_only_pickles(models: Path) -> None:
    weights = models / "toy" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    assert isinstance(problem(models, "toy"), CheckpointPickled)


@pytest.mark.parametrize("place", ["pipeline.py", "unet/modeling.py", "tokenizer/tokenization.py"])
def test_folders_with_code_of_their_own_are_refused(models: Path, place: str) -> None:
    (models / "toy" / place).write_text("raise SystemExit")
    found = problem(models, "toy")
    assert isinstance(found, FamilyUnknown)
    assert found.details["reason"] == "contains_code"


def test_code_in_folders_that_are_no_components_is_nobody_s_business(models: Path) -> None:
    (models / "toy" / "recipe").mkdir()
    (models / "toy" / "recipe" / "train.py").write_text("raise SystemExit")
    assert "toy" in ids(models)


def test_a_list_of_numbers_is_a_setting_and_no_part(models: Path) -> None:
    edit(models / "toy" / "model_index.json", text_encoder_select_layers=[1, 2])
    assert "toy" in ids(models)


@pytest.mark.parametrize(
    ("file", "changes", "reason"),
    [
        ("model_index.json", {"_class_name": ["my_pipeline", "MyPipeline"]}, "contains_code"),
        ("model_index.json", {"unet": ["os", "System"]}, "contains_code"),
        ("model_index.json", {"unet": ["diffusers", "os.system"]}, "contains_code"),
        ("model_index.json", {"unet": ["my_unet", "MyUNet"]}, "contains_code"),
        ("text_encoder/config.json", {"auto_map": {"AutoModel": "modeling.Model"}}, "contains_code"),
        ("tokenizer/tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["tok.T", None]}}, "contains_code"),
        ("model_index.json", {"_class_name": "StableVideoDiffusionPipeline"}, "pipeline_video"),
        ("model_index.json", {"_class_name": "sd15"}, "other_pipeline"),
        ("model_index.json", {"_class_name": "FluxSchnell"}, "other_pipeline"),
        ("model_index.json", {"_class_name": "FluxKontextPipeline"}, "pipeline_edits"),
        ("model_index.json", {"_class_name": "HiDreamImagePipeline"}, "pipeline_not_here"),
        ("model_index.json", {"_class_name": "StableDiffusionXLImg2ImgPipeline", "text_encoder": ...}, "refiner"),
        ("unet/config.json", {"in_channels": 8}, "other_shapes"),
        ("scheduler/scheduler_config.json", {"_class_name": "EDMEulerScheduler"}, "edm"),
        ("scheduler/scheduler_config.json", {"_class_name": "EDMDPMSolverMultistepScheduler"}, "edm"),
        ("scheduler/scheduler_config.json", {"_class_name": "FlowMatchEulerDiscreteScheduler"}, "flow_unet"),
        ("scheduler/scheduler_config.json", {"prediction_type": "flow_prediction"}, "flow_unet"),
    ],
)
def test_folders_that_are_no_checkpoint_of_ours(models: Path, file: str, changes: dict[str, Any], reason: str) -> None:
    edit(models / "toy" / file, **changes)
    found = problem(models, "toy")
    assert isinstance(found, FamilyUnknown)
    assert found.details["reason"] == reason


def test_a_folder_with_scales_that_its_config_does_not_know_is_refused(models: Path) -> None:
    """The libraries would leave the scales unused."""
    file = models / "toy" / "unet" / "diffusion_pytorch_model.safetensors"
    save_file({**load_file(file), "conv_in.weight_scale": torch.ones(())}, file)
    assert problem(models, "toy").details["reason"] == "quantised"


def test_a_pipeline_that_is_refused_is_named(models: Path) -> None:
    edit(models / "toy" / "model_index.json", _class_name="FluxKontextPipeline")
    found = problem(models, "toy")
    for language in LANGUAGES:
        sentence, _ = Texts().word(found.kind, found.details, language)
        assert "FluxKontextPipeline" in sentence
    edit(models / "toy" / "model_index.json", _class_name="<b>[x](http://example.com)" + "y" * 500)
    assert problem(models, "toy").details["pipeline"] == "bxhttpexamplecom" + "y" * 64


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("model_index.json", "{", "config_unreadable"),
        ("model_index.json", "[1]", "config_unreadable"),
        ("model_index.json", "[" * 100_000, "config_unreadable"),
        ("vae/config.json", "\x00", "config_unreadable"),
        ("darkroom.json", "not json", "notes"),
        ("darkroom.json", '{"defaults": {"width": 513}}', "notes"),
        ("darkroom.json", '{"defaults": {"scheduler": "magic"}}', "notes"),
        ("darkroom.json", '{"prediction_type": "guess"}', "notes"),
        ("darkroom.json", '{"examples": [{"prompt": "a", "picture": "../../secret.png"}]}', "notes"),
        ("unet/diffusion_pytorch_model.safetensors", "<html>", "not_safetensors"),
    ],
)
def test_folders_with_damaged_files(models: Path, file: str, content: str, reason: str) -> None:
    (models / "toy" / file).write_text(content)
    found = problem(models, "toy")
    assert isinstance(found, CheckpointBroken)
    assert found.details["reason"] == reason
    assert ids(models) == ["toy-sd2-file"]  # and nothing else is touched by it


def test_folders_with_missing_parts(models: Path) -> None:
    (models / "toy" / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    assert problem(models, "toy").details["reason"] == "component_missing"
    shutil.rmtree(models / "toy" / "vae")
    assert problem(models, "toy").details["reason"] == "component_missing"


@pytest.mark.parametrize("name", ["../../vae/diffusion_pytorch_model.safetensors", "/etc/passwd", "weights.bin", 7])
def test_an_index_may_not_point_elsewhere(models: Path, name: str) -> None:
    unet = models / "toy" / "unet"
    (unet / "diffusion_pytorch_model.safetensors").rename(unet / "part.safetensors")
    index = unet / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "part.safetensors", "b": name}}))
    assert problem(models, "toy").details["reason"] == "points_outside"
    index.write_text(json.dumps({"weight_map": {"a": "part.safetensors", "b": "part-2.safetensors"}}))
    assert problem(models, "toy").details["reason"] == "component_missing"
    index.write_text(json.dumps({"weight_map": {"a": "part.safetensors"}}))
    assert "toy" in ids(models)


def test_fp16_variants_count_where_there_is_nothing_else(models: Path) -> None:
    unet = models / "toy" / "unet"
    (unet / "diffusion_pytorch_model.safetensors").rename(unet / "diffusion_pytorch_model.fp16.safetensors")
    folder = Catalogue(models).get("toy").folder
    assert folder is not None
    assert folder.components["unet"].variant == "fp16"
    assert folder.components["vae"].variant is None


def test_a_cut_off_file_is_broken_and_heals(models: Path) -> None:
    file = models / "toy-sd2-file.safetensors"
    content = file.read_bytes()
    catalogue = Catalogue(models)
    assert catalogue.get("toy-sd2-file").family == "sd2"
    file.write_bytes(content[:-1])
    with pytest.raises(CheckpointBroken) as caught:
        catalogue.get("toy-sd2-file")
    assert caught.value.details == {"checkpoint": "toy-sd2-file", "reason": "truncated"}
    assert [checkpoint.id for checkpoint in catalogue.list()] == ["toy"]
    file.write_bytes(content)
    assert catalogue.get("toy-sd2-file").problem is None


def test_a_lora_is_named_as_what_it_is(models: Path) -> None:
    entry = {"lora_unet_a.lora_down.weight": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}}
    text = json.dumps(entry).encode()
    (models / "style.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))
    found = problem(models, "style")
    assert isinstance(found, FamilyUnknown)
    message, _ = Texts().word(found.kind, found.details, "en")
    assert "it is a LoRA" in message


def test_notes_beside_a_checkpoint_change_its_defaults(models: Path) -> None:
    (models / "toy" / "cat.png").write_bytes(b"png")
    (models / "toy" / "darkroom.json").write_text(
        json.dumps(
            {
                "name": "My cats",
                "defaults": {"width": 128, "scheduler": "DPM++ 2M Karras", "sigmas": "Automatic"},
                "prediction_type": "v_prediction",
                "examples": [{"prompt": "a cat", "prompt_zh": "一只猫", "seed": 7, "picture": "cat.png"}],
                "something else": True,
            }
        )
    )
    found = Catalogue(models).get("toy")
    assert found.name == "My cats"
    assert (found.defaults.width, found.defaults.height) == (128, 64)  # the toy's own size stays for what is not said
    assert (found.defaults.scheduler, found.defaults.sigmas) == ("dpmpp_2m", "default")
    assert found.defaults.prediction_type == "v_prediction"
    (example,) = found.examples
    assert (example.prompt_zh, example.seed, example.picture) == ("一只猫", 7, (models / "toy/cat.png").resolve())


def test_notes_name_the_words_that_a_checkpoint_knows(models: Path) -> None:
    assert Catalogue(models).get("toy").vocabulary == {}
    cat = {"en": "cat", "zh": "猫", "plural": "cats", "measure_zh": "只", "goes_with": {"colour": ["black"]}}
    words = {"thing": [cat], "colour": [{"en": "black", "zh": "黑色的"}]}
    (models / "toy" / "darkroom.json").write_text(json.dumps({"vocabulary": words}))
    found = Catalogue(models).get("toy").vocabulary
    assert [word.zh for word in found["thing"]] == ["猫"]
    assert found["thing"][0].goes_with == {"colour": ("black",)}
    assert found["colour"][0].plural is None
    words["colour"] = []
    (models / "toy" / "darkroom.json").write_text(json.dumps({"vocabulary": words}))
    assert isinstance(problem(models, "toy"), CheckpointBroken)
    (models / "toy" / "darkroom.json").write_text(json.dumps({"vocabulary": {"mood": []}}))
    assert isinstance(problem(models, "toy"), CheckpointBroken)


def test_a_folder_s_size_is_what_it_was_trained_at(models: Path) -> None:
    (models / "toy" / "darkroom.json").unlink()
    assert Catalogue(models).get("toy").defaults.width == 64
    edit(models / "toy" / "unet" / "config.json", sample_size=96)
    assert Catalogue(models).get("toy").defaults.width == 768
    edit(models / "toy" / "unet" / "config.json", sample_size=[96, 64])
    assert Catalogue(models).get("toy").defaults.width == 512  # the family's


@pytest.mark.parametrize(
    ("name", "prediction_type", "size"),
    [
        ("v2-1_768-ema-pruned", "v_prediction", 768),
        ("illuminati", "v_prediction", 768),
        ("512-base-ema", "epsilon", 512),
        ("v2-1_512-ema-pruned", "epsilon", 512),
        ("My Base Mix", "epsilon", 512),
    ],
)
def test_the_guess_for_sd2_and_the_setting_that_overrules_it(
    models: Path, name: str, prediction_type: str, size: int
) -> None:
    for source in list(models.glob("toy-sd2-file*")):
        source.rename(source.with_name(source.name.replace("toy-sd2-file", name)))
    notes = models / f"{name}.json"
    notes.unlink()
    defaults = Catalogue(models).get(name).defaults
    assert (defaults.prediction_type, defaults.width) == (prediction_type, size)
    notes.write_text('{"prediction_type": "sample"}')
    assert Catalogue(models).get(name).defaults.prediction_type == "sample"


def test_looking_again_reads_nothing_that_has_not_changed(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Catalogue(models)
    before = catalogue.list()
    read: list[str] = []
    monkeypatch.setattr(
        checkpoints, "read_notes", lambda path: (read.append(path.relative_to(models).parts[0]), read_notes(path))[1]
    )
    assert catalogue.list() == before
    assert read == []
    os.utime(models / "toy" / "unet" / "diffusion_pytorch_model.safetensors", ns=(1, 1))
    after = catalogue.get("toy")
    assert read == ["toy"]
    assert after.version != before[0].version
    (models / "toy-sd2-file.json").write_text('{"name": "Two"}')
    assert [checkpoint.name for checkpoint in catalogue.list()] == ["toy", "Two"]
    assert read == ["toy", "toy-sd2-file.json"]
    shutil.rmtree(models / "toy")
    assert [checkpoint.id for checkpoint in catalogue.list()] == ["toy-sd2-file"]


def test_many_may_look_at_once(toy_models: Path) -> None:
    catalogue = Catalogue(toy_models)
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.append(len(catalogue.list()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [8] * 8


def test_looking_needs_no_torch(toy_models: Path) -> None:
    code = "import sys; from pathlib import Path; from webui.checkpoints.catalogue import Catalogue; "
    code += "print(len(Catalogue(Path(sys.argv[1])).list()), 'torch' in sys.modules, 'safetensors' in sys.modules)"
    command = [sys.executable, "-c", code, str(toy_models)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout.split() == ["8", "False", "False"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("odd/vae/config.json", '{"latent_channels": null}'),
        ("odd/vae/config.json", '{"latent_channels": "four"}'),
        ("odd/darkroom.json", '{"examples": [{"prompt": "a lake", "picture": "a\\u0000b"}]}'),
        ("odd/unet/diffusion_pytorch_model.safetensors.index.json", '{"weight_map": {"a": ["b"]}}'),
        ("toy-sd2-file.components/unet/config.json", "{}"),
        ("toy-sd2-file.components/unet/config.json", "[]"),
        ("toy-sd2-file.components/unet/config.json", "not json"),
    ],
)
def test_one_odd_file_hides_nothing_else(models: Path, file: str, text: str) -> None:
    shutil.copytree(models / "toy", models / "odd")
    if "index" in file:
        (models / "odd/unet/diffusion_pytorch_model.safetensors").unlink()
    (models / file).write_text(text)
    catalogue = Catalogue(models)
    assert "toy" in [checkpoint.id for checkpoint in catalogue.list()]
    assert [type(checkpoint.problem) for checkpoint in catalogue.refused()] == [CheckpointBroken]


def test_a_note_that_names_a_scheduler_leaves_the_family_s_sigmas(models: Path) -> None:
    for said, expected in (
        ({"scheduler": "ddim"}, ("ddim", "default")),
        ({"scheduler": "DPM++ 2M Karras"}, ("dpmpp_2m", "karras")),
        ({"scheduler": "Heun", "sigmas": "Exponential"}, ("heun", "exponential")),
    ):
        (models / "toy/darkroom.json").write_text(json.dumps({"defaults": said}))
        defaults = Catalogue(models).get("toy").defaults
        assert (defaults.scheduler, defaults.sigmas) == expected
    (models / "toy/darkroom.json").write_text(json.dumps({"defaults": {"scheduler": "ddim", "sigmas": "karras"}}))
    assert problem(models, "toy").details["reason"] == "notes"
