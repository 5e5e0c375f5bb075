"""Models of few steps: how they are told, what they were made for, and that what a person chose comes first."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.checkpoints.test_addons import KOHYA
from tests.model_files import save
from tests.toy_families import save_flux, save_sana_sprint, save_z_image
from webui.checkpoints.addons import Addons
from webui.checkpoints.catalogue import Catalogue, Checkpoint
from webui.checkpoints.changing import set_defaults
from webui.checkpoints.few_steps import FEW_STEPS, Signs
from webui.checkpoints.hashes import HashBook
from webui.checkpoints.library import Library
from webui.checkpoints.made_for import made_for, of_lora, plain_words
from webui.checkpoints.quick_loras import quick_lora_for
from webui.checkpoints.safetensors_header import read_header
from webui.downloads.bundles import read_offered
from webui.schedulers import SCHEDULERS, SIGMAS, has_sigmas
from webui.settings import ROOT

TURBO = {"_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "trailing", "prediction_type": "epsilon"}


def edit(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def published(models: Path, source: Path, name: str) -> Path:
    """A toy as somebody would publish it: without a file of ours beside it."""
    folder = shutil.copytree(source, models / name)
    (folder / "darkroom.json").unlink()
    return folder


def one(models: Path, id: str) -> Checkpoint:
    return Catalogue(models).get(id)


def known(checkpoint: Checkpoint) -> tuple[str, str] | None:
    return (checkpoint.made_for.kind, checkpoint.made_for.known_by) if checkpoint.made_for else None


def how(checkpoint: Checkpoint) -> tuple[int, float, str, str]:
    own = checkpoint.defaults
    return own.steps, own.guidance_scale, own.scheduler, own.sigmas


def test_the_table_names_what_there_is() -> None:
    for row in FEW_STEPS:
        assert row.scheduler in {scheduler.id for scheduler in SCHEDULERS}
        assert row.sigmas in SIGMAS
        assert row.sigmas == "default" or has_sigmas(row.scheduler)
        assert row.source.startswith("https://")


def test_an_ordinary_checkpoint_is_none(tmp_path: Path, toy_models: Path) -> None:
    published(tmp_path, toy_models / "toy-sdxl", "photos")
    assert known(one(tmp_path, "photos")) is None
    assert how(one(tmp_path, "photos")) == (25, 6.0, "dpmpp_2m", "karras")


@pytest.mark.parametrize(
    ("toy", "kind", "expected"),
    [("toy-sdxl", "SDXL Turbo", (1, 1.0, "euler_a", "simple")), ("toy-sd2", "SD-Turbo", (1, 1.0, "euler", "simple"))],
)
def test_turbo_by_its_scheduler(
    tmp_path: Path, toy_models: Path, toy: str, kind: str, expected: tuple[int, float, str, str]
) -> None:
    folder = published(tmp_path, toy_models / toy, "downloaded")
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(TURBO))
    assert known(one(tmp_path, "downloaded")) is None, "not at 512 pixels"
    edit(folder / "unet" / "config.json", sample_size=64)
    assert known(one(tmp_path, "downloaded")) == (kind, "metadata")
    assert how(one(tmp_path, "downloaded")) == expected
    assert one(tmp_path, "downloaded").defaults.width == 512
    edit(folder / "scheduler" / "scheduler_config.json", rescale_betas_zero_snr=True)
    assert known(one(tmp_path, "downloaded")) is None


def test_where_a_folder_says_it_comes_from_goes_before_its_name(tmp_path: Path, toy_models: Path) -> None:
    folder = published(tmp_path, toy_models / "toy-sdxl", "my-lcm-mix")
    assert known(one(tmp_path, "my-lcm-mix")) == ("LCM", "name")
    edit(folder / "model_index.json", _name_or_path="somebody/xl-lightning-8steps")
    assert known(one(tmp_path, "my-lcm-mix")) == ("SDXL Lightning", "metadata")
    assert how(one(tmp_path, "my-lcm-mix")) == (8, 1.0, "euler", "sgm_uniform")


def test_sana_sprint_by_its_header(tmp_path: Path) -> None:
    (save_sana_sprint(tmp_path / "sprint") / "darkroom.json").unlink()
    assert known(one(tmp_path, "sprint")) == ("Sana-Sprint", "header")
    assert how(one(tmp_path, "sprint")) == (2, 4.5, "scm", "default")


def test_flux_schnell_by_its_header_and_z_image_turbo_by_its_shift(tmp_path: Path) -> None:
    save_flux(tmp_path / "dev")
    save_flux(tmp_path / "fast", is_dev=False)
    save_z_image(tmp_path / "z")
    for name in ("dev", "fast", "z"):
        (tmp_path / name / "darkroom.json").unlink()
    assert known(one(tmp_path, "dev")) is None
    assert known(one(tmp_path, "fast")) == ("FLUX.1 schnell", "header")
    assert how(one(tmp_path, "fast")) == (4, 0.0, "euler", "default")
    assert known(one(tmp_path, "z")) == ("Z-Image-Turbo", "metadata")
    assert how(one(tmp_path, "z")) == (9, 0.0, "euler", "default")
    edit(tmp_path / "z" / "scheduler" / "scheduler_config.json", shift=6.0)
    assert known(one(tmp_path, "z")) is None
    assert how(one(tmp_path, "z")) == (28, 4.0, "euler", "default")


def test_klein_says_that_it_is_distilled_and_a_consistency_model_hears_guidance() -> None:
    klein = made_for(Signs(family="Flux2KleinPipeline", index={"is_distilled": True}))
    assert klein is not None
    assert (klein.known_by, klein.steps, klein.guidance_scale) == ("metadata", 4, 1.0)
    assert made_for(Signs(family="Flux2KleinPipeline", index={"is_distilled": False})) is None
    consistent = made_for(Signs(family="sd15", tensors={"time_embedding.cond_proj.weight"}))
    assert consistent is not None
    assert (consistent.known_by, consistent.scheduler, consistent.guidance_scale) == ("header", "lcm", 8.0)


def test_a_single_file_by_metadata_by_what_civitai_says_and_by_name(tmp_path: Path, toy_models: Path) -> None:
    """The toys' weights under headers of their own."""
    from safetensors.torch import load_file, save_file

    source = toy_models / "files" / "toy-sdxl-file.safetensors"
    tensors = load_file(source)
    for name, title in (("a", "Stable Diffusion XL 1.0 Turbo"), ("b", "My photos"), ("juggernautXL_v9Lightning", "")):
        save_file(tensors, tmp_path / f"{name}.safetensors", metadata={"modelspec.title": title})
        shutil.copytree(source.with_suffix(".components"), tmp_path / f"{name}.components")
    (tmp_path / "b.civitai.info").write_text(json.dumps({"baseModel": "SDXL Turbo"}))
    assert known(one(tmp_path, "a")) == ("SDXL Turbo", "metadata")
    assert (how(one(tmp_path, "a")), one(tmp_path, "a").defaults.width) == ((1, 1.0, "euler_a", "simple"), 512)
    assert known(one(tmp_path, "b")) == ("SDXL Turbo (merged)", "metadata")
    assert one(tmp_path, "b").defaults.width == 1024, "most are mixed for the larger size"
    assert known(one(tmp_path, "juggernautXL_v9Lightning")) == ("SDXL Lightning", "name")


def test_an_sd_turbo_of_one_file_is_no_v_prediction_of_768(tmp_path: Path, toy_models: Path) -> None:
    source = toy_models / "files" / "toy-sd2-file.safetensors"
    shutil.copyfile(source, tmp_path / "sd_turbo.safetensors")
    shutil.copytree(source.with_suffix(".components"), tmp_path / "sd_turbo.components")
    own = one(tmp_path, "sd_turbo").defaults
    assert (own.prediction_type, own.width, own.steps) == ("epsilon", 512, 1)


@pytest.mark.parametrize(
    ("file", "family", "expected"),
    [
        ("lcm-lora-sdv1-5", "sd15", ("LCM", 4, 1.0, "lcm")),
        ("Hyper-SD15-4steps-lora", "sd15", ("Hyper-SD", 4, 1.0, "euler")),
        ("Hyper-SDXL-8steps-CFG-lora", "sdxl", ("Hyper-SD CFG", 8, 5.0, "euler")),
        ("Hyper-SDXL-12steps-CFG-lora", "sdxl", ("Hyper-SD CFG", 12, 5.0, "euler")),
        ("Hyper-SDXL-1step-lora", "sdxl", ("Hyper-SD 1-step", 1, 1.0, "tcd")),
        ("sdxl_lightning_2step_lora", "sdxl", ("SDXL Lightning", 2, 1.0, "euler")),
        ("dmd2_sdxl_4step_lora_fp16", "sdxl", ("DMD2", 4, 1.0, "lcm")),
        ("TCD-SDXL-LoRA/pytorch_lora_weights", "sdxl", ("TCD", 4, 1.0, "tcd")),
        ("lightning_strikes", "sdxl", None),
        ("turbo_racing", "sdxl", None),
        ("hyperrealism", "sd15", None),
        ("hyperDefinitionXL_v10", "sdxl", None),
        ("HyperVision_v3", "sd15", None),
        ("sdxl_lightning_4step_lora", "sd15", None),
        ("lcm-lora-sdv1-5", None, None),
    ],
)
def test_loras_by_their_names(file: str, family: str | None, expected: tuple[str, int, float, str] | None) -> None:
    found = of_lora(Path(f"{file}.safetensors"), family, {})
    assert expected == ((found.kind, found.steps, found.guidance_scale, found.scheduler) if found else None)
    assert found is None or found.known_by == "name"


def test_a_lora_by_its_metadata_in_the_list_of_models(tmp_path: Path) -> None:
    """What it was trained on says nothing: a style for Turbo makes no other checkpoint quick."""
    path = save(tmp_path / "loras" / "fast.safetensors", {KOHYA: (4, 2048)}, {"ss_output_name": "sdxl_tcd"})
    save(
        tmp_path / "loras" / "ink.safetensors", {KOHYA: (4, 2048)}, {"ss_sd_model_name": "sd_xl_turbo_1.0.safetensors"}
    )
    models = {model.name: model.made_for for model in Library(Catalogue(tmp_path)).look(("lora",))}
    assert models["ink"] is None
    assert models["fast"] == of_lora(path, "sdxl", read_header(path).metadata)
    assert models["fast"] is not None
    assert (models["fast"].kind, models["fast"].known_by) == ("TCD", "metadata")


def test_what_a_person_kept_comes_first_and_goes_back_to_its_own(tmp_path: Path, toy_models: Path) -> None:
    folder = published(tmp_path, toy_models / "toy-sdxl", "sdxl-lightning")
    (folder / "darkroom.json").write_text(json.dumps({"defaults": {"steps": 6}}))
    assert how(one(tmp_path, "sdxl-lightning")) == (6, 1.0, "euler", "sgm_uniform")
    library, book = Library(Catalogue(tmp_path)), HashBook(tmp_path / "hashes.json")
    set_defaults(library, book, library.get("sdxl-lightning"), {"steps": None, "guidance_scale": 2.0})
    assert how(one(tmp_path, "sdxl-lightning")) == (4, 2.0, "euler", "sgm_uniform")
    set_defaults(library, book, library.get("sdxl-lightning"), {"scheduler": "lcm"})
    assert how(one(tmp_path, "sdxl-lightning")) == (4, 2.0, "lcm", "default")


def test_the_bundles_and_the_table_agree() -> None:
    """What a LoRA's name says is what the offer that brings it sets."""
    bundles = [bundle for bundle in read_offered(ROOT / "presets").bundles if bundle.loras]
    assert len(bundles) > 4
    for bundle in bundles:
        (lora,) = bundle.loras
        found = of_lora(Path(f"{lora.name}.safetensors"), bundle.family, {})
        assert found is not None, bundle.id
        own = bundle.settings
        assert (own.scheduler, own.sigmas or "default") == (found.scheduler, found.sigmas), bundle.id
        assert own.guidance_scale == found.guidance_scale
        assert own.steps == found.steps or found.kind == "LCM", bundle.id  # which takes a few more or less


def test_words_are_told_apart() -> None:
    assert plain_words("TCD-SDXL-LoRA") == "tcd sdxl lora"
    assert plain_words("realisticVisionV60B1_v51HyperVAE") == "realistic vision v 60 b 1 v 51 hyper vae"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("realDream_sd15_hyper", "Hyper-SD"),
        ("epicrealism_Hyper_8steps", "Hyper-SD"),
        ("juggernautXL_hyper_fp16", "Hyper-SD"),
        ("realisticVisionV60B1_v51HyperVAE", "Hyper-SD"),
        ("realisticVision_v51HyperInpaintVAE", "Hyper-SD"),
        ("dreamshaperXL_hyper_v1", "Hyper-SD"),
        ("Hyper-SD15-8steps", "Hyper-SD"),
        ("HyperSDXL_1step_unet", "Hyper-SD 1-step"),
        ("hyperDefinitionXL_v10", None),
        ("HyperVision_v3", None),
        ("hyperrealism", None),
        ("my_hyper_realism", None),
    ],
)
def test_checkpoints_by_their_names(name: str, kind: str | None) -> None:
    found = made_for(Signs(family="sdxl", name=plain_words(name)))
    assert (found.kind if found else None) == kind
    assert found is None or found.known_by == "name"


def test_what_could_make_an_ordinary_checkpoint_quick(tmp_path: Path, toy_models: Path) -> None:
    for name, toy in (("plain", "toy-sd15"), ("lcm-mix", "toy-sd15"), ("xl", "toy-sdxl")):
        published(tmp_path, toy_models / toy, name)
    width = {KOHYA: (4, 32)}  # as wide as the toys' texts
    for name in ("sd15-lcm", "sd15-tcd-other", "ink"):
        save(tmp_path / "loras" / f"{name}.safetensors", width, {"ss_base_model_version": "sd_v1"})
    save(tmp_path / "loras" / "real-lcm.safetensors", {KOHYA: (4, 768)})
    loras = Addons(tmp_path).loras()
    found = quick_lora_for(one(tmp_path, "plain"), loras)
    assert found is not None
    assert (found[0], found[1].kind) == ("sd15-lcm", "LCM")
    assert quick_lora_for(one(tmp_path, "lcm-mix"), loras) is None, "it is quick by itself"
    assert quick_lora_for(one(tmp_path, "xl"), loras) is None, "none is for it"
    assert quick_lora_for(one(tmp_path, "plain"), {"real-lcm": loras["real-lcm"]}) is None, "of another width"
