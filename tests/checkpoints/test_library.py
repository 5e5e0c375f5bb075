"""Models of every kind: what their headers and the files beside them say, and what is wrong with them."""

from __future__ import annotations

import base64
import json
import os
import time
from pathlib import Path

import pytest

from tests.model_files import ANY, EMBEDDING, LORA_SD15, LORA_SDXL, VAE, fill, save, with_starter
from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.fitting import Fitting
from webui.checkpoints.library import Library
from webui.checkpoints.model import Model
from webui.checkpoints.places import KINDS
from webui.errors import ModelNotFound

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def library(models: Path) -> Library:
    return Library(Catalogue(models))


def only(models: Path) -> Model:
    (model,) = library(models).look()
    return model


def test_a_checkpoint(tmp_path: Path) -> None:
    model = only(with_starter(tmp_path))
    assert (model.id, model.kind, model.family, model.dtype) == ("starter", "checkpoint", "sd15", "bf16")
    assert model.size_bytes > 1_000_000
    assert model.defaults == Catalogue(tmp_path).get("starter").defaults


def test_every_kind_by_its_folder(tmp_path: Path) -> None:
    places = ("loras", "embeddings", "vae", "upscalers", "controlnet", "ip-adapter", "clip_vision", "detectors")
    shapes = {"loras": LORA_SD15, "embeddings": EMBEDDING, "vae": VAE}
    for place in places:
        save(tmp_path / place / "deep" / "one.safetensors", shapes.get(place, ANY))
    found = library(tmp_path).look()
    assert [(model.id, model.kind) for model in found] == [
        (f"{place}/deep/one", kind) for place, kind in zip(places, KINDS[1:], strict=True)
    ]
    assert all(model.problem is None and model.dtype == "fp16" for model in found)


def test_a_diffusers_folder_is_one_model(tmp_path: Path) -> None:
    folder = tmp_path / "vae" / "sharp"
    save(folder / "diffusion_pytorch_model.safetensors", VAE)
    (folder / "config.json").write_text("{}")
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: mit\n---\n# Sharp\n")
    model = only(tmp_path)
    assert (model.id, model.license, model.widths) == ("vae/sharp", "mit", (4,))


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"modelspec.trigger_phrase": "inkwash, paper"}, ("inkwash", "paper")),
        ({"ss_tag_frequency": json.dumps({"5_x": {"inkwash": 20, "tree": 3}})}, ("inkwash", "tree")),
        ({"ss_dataset_dirs": json.dumps({"10_inkwash": {"n_repeats": 10}})}, ("inkwash",)),
        ({"ss_tag_frequency": "[" * 2000, "modelspec.trigger_phrase": ""}, ()),
    ],
)
def test_trigger_words(tmp_path: Path, metadata: dict[str, str], words: tuple[str, ...]) -> None:
    save(tmp_path / "loras" / "ink.safetensors", LORA_SD15, metadata)
    assert only(tmp_path).words.trigger == words


def test_what_other_programs_put_beside_it_counts_more(tmp_path: Path) -> None:
    file = save(tmp_path / "loras" / "ink.safetensors", LORA_SD15, {"modelspec.trigger_phrase": "theirs"})
    file.with_suffix(".json").write_text(json.dumps({"activation text": "mine, too", "preferred weight": 0.6}))
    assert (only(tmp_path).words.trigger, only(tmp_path).words.weight) == (("mine", "too"), 0.6)


def test_previews_from_beside_and_from_within(tmp_path: Path) -> None:
    uri = "data:image/png;base64," + base64.b64encode(PNG).decode()
    save(tmp_path / "loras" / "within.safetensors", LORA_SD15, {"modelspec.thumbnail": uri})
    save(tmp_path / "loras" / "beside.safetensors", LORA_SD15)
    save(tmp_path / "loras" / "none.safetensors", LORA_SD15)
    (tmp_path / "loras" / "beside.preview.png").write_bytes(PNG)
    found = library(tmp_path)
    assert {model.name: model.has_preview for model in found.look()} == {"within": True, "beside": True, "none": False}
    assert [found.preview(model) for model in found.look()] == [PNG, None, PNG]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("loras/dora.safetensors", {**LORA_SD15, "lora_unet_a.dora_scale": (4,)}, "lora_kind"),
        ("loras/vae.safetensors", VAE, "foreign"),
        ("loras/cut.safetensors", b"<html>", "not_safetensors"),
        ("embeddings/wide.safetensors", {"emb_params": (99, 768)}, "other_shapes"),
        ("embeddings/old.pt", b"x", "pickled"),
        ("vae/other.safetensors", LORA_SD15, "no_vae"),
        ("upscalers/cut.safetensors", b"", "truncated"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path: Path, name: str, content: object, reason: str) -> None:
    if isinstance(content, bytes):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(content)
    else:
        save(tmp_path / name, content)  # type: ignore[arg-type]
    problem = only(tmp_path).problem
    assert problem is not None
    assert problem.details["reason"] == reason


def test_what_fits_the_checkpoint(tmp_path: Path) -> None:
    with_starter(tmp_path)
    width = 256  # of the starter's text encoder
    save(tmp_path / "loras" / "ours.safetensors", {next(iter(LORA_SD15)): (4, width)})
    save(tmp_path / "loras" / "xl.safetensors", LORA_SDXL)
    save(tmp_path / "embeddings" / "ours.safetensors", {"emb_params": (2, width)})
    save(tmp_path / "embeddings" / "sd15.safetensors", EMBEDDING)
    save(tmp_path / "vae" / "sd15.safetensors", VAE)
    save(tmp_path / "vae" / "ours.safetensors", {"decoder.conv_in.weight": (8, 16, 3, 3)})
    found = library(tmp_path)
    fitting = Fitting(found.catalogue.get("starter"))
    fits = {model.id for model in found.look() if fitting.why_not(model) is None}
    assert fits == {"starter", "loras/ours", "embeddings/ours", "vae/ours"}


def test_a_changed_file_is_read_again_and_one_that_went_is_gone(tmp_path: Path) -> None:
    found = library(tmp_path)
    file = save(tmp_path / "loras" / "ink.safetensors", LORA_SD15)
    assert found.get("loras/ink").family == "sd15"
    save(file, LORA_SDXL)
    os.utime(file, (1, 1))
    assert found.get("loras/ink").family == "sdxl"
    file.unlink()
    with pytest.raises(ModelNotFound):
        found.get("loras/ink")


def test_five_hundred_are_listed_in_a_moment(tmp_path: Path) -> None:
    fill(tmp_path, 500)
    found = library(tmp_path)
    assert len(found.look()) == 500
    times = []
    for _ in range(3):
        start = time.perf_counter()
        found.look()
        times.append(time.perf_counter() - start)
    assert min(times) <= 0.3
