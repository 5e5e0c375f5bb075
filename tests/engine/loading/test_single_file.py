"""Single files as other programs save them: the same pictures as from the same weights saved plainly."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.engine.pipelines.adapters.toy_engine import OPTIONS
from tests.engine.test_engine import context
from tests.settling import SettlingEngine
from tests.toys import save_sd2_file, save_sd15_file, save_sdxl_file
from webui.engine.engine import Engine
from webui.errors import DarkroomError, FamilyUnknown
from webui.requests.diffusion import TextToImage
from webui.settings import Settings

Tensors = dict[str, Tensor]
UNET = "model.diffusion_model."
ASKED = TextToImage(**OPTIONS | {"checkpoint": "plain", "steps": 2, "scheduler": "euler", "sigmas": "default"})
SAVE = {"sd15": save_sd15_file, "sd2": save_sd2_file, "sdxl": save_sdxl_file}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each family with its toy, in fp32, as `plain`."""
    folder = tmp_path_factory.mktemp("published")
    for family, save in SAVE.items():
        save(folder / family / "plain.safetensors", dtype=torch.float32)
    return folder


def saved(models: Path, name: str, tensors: Tensors, metadata: dict[str, str] | None = None) -> str:
    """`tensors` beside `plain`, with all that lies beside that."""
    save_file({key: value.contiguous() for key, value in tensors.items()}, models / f"{name}.safetensors", metadata)
    shutil.copyfile(models / "plain.json", models / f"{name}.json")
    shutil.copytree(models / "plain.components", models / f"{name}.components")
    return name


def picture(models: Path, name: str) -> bytes:
    engine: Engine = SettlingEngine(Settings(models_dir=models, data_dir=models, device="cpu", precision="fp32"))
    (image,) = engine.run(TextToImage(**{**vars(ASKED), "checkpoint": name}), context([]))
    return image.rgb


def renamed(change: Callable[[str], str]) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {change(name): tensor for name, tensor in tensors.items()}


FORMS = {
    "no model.": renamed(lambda name: name.removeprefix("model.")),
    "bare U-Net": renamed(lambda name: name.removeprefix(UNET)),
    "bare U-Net and VAE": renamed(lambda name: name.removeprefix(UNET).removeprefix("first_stage_model.")),
    "vae.": renamed(lambda name: name.replace("first_stage_model.", "vae.")),
    "no text_model.": renamed(lambda name: name.replace("transformer.text_model.", "transformer.")),
}


@pytest.mark.parametrize("family", list(SAVE))
@pytest.mark.parametrize("form", list(FORMS))
def test_names_that_other_programs_save(published: Path, tmp_path: Path, family: str, form: str) -> None:
    models = shutil.copytree(published / family, tmp_path / "models")
    name = saved(models, "other", FORMS[form](load_file(models / "plain.safetensors")))
    assert picture(models, name) == picture(models, "plain")


def scaled(tensors: Tensors, name: str, by_row: bool = False) -> tuple[Tensors, Tensors]:
    """Matrices in fp8, their scales under `name`; and what they amount to, in fp32."""
    packed, plain = dict(tensors), dict(tensors)
    for key, weights in tensors.items():
        layer = key.removesuffix(".weight")
        if weights.dim() in (2, 4) and layer != key and "embedding" not in key and "0.0.weight" not in key:
            largest = weights.abs().flatten(1).amax(1) if by_row else weights.abs().max()
            scale = largest.clamp(min=1e-6) / 448  # the largest number of float8_e4m3fn
            spread = scale.view(-1, *(1,) * (weights.dim() - 1)) if by_row else scale
            packed[key] = (weights / spread).to(torch.float8_e4m3fn)
            packed[f"{layer}.{name}"] = scale.view(-1, 1) if by_row else scale
            plain[key] = packed[key].float() * spread
    assert len(packed) > len(tensors) + 60
    return packed, plain


@pytest.mark.parametrize("family", list(SAVE))
@pytest.mark.parametrize(("name", "by_row"), [("scale_weight", False), ("weight_scale", False), ("weight_scale", True)])
def test_scaled_fp8(published: Path, tmp_path: Path, family: str, name: str, by_row: bool) -> None:
    models = shutil.copytree(published / family, tmp_path / "models")
    packed, plain = scaled(load_file(models / "plain.safetensors"), name, by_row)
    if name == "scale_weight":
        packed[f"{UNET}scaled_fp8"] = torch.zeros(2, dtype=torch.float8_e4m3fn)
        packed |= {key.replace("scale_weight", "scale_input"): torch.ones(()) for key in list(packed) if name in key}
    else:
        said = torch.tensor(list(json.dumps({"format": "float8_e4m3fn"}).encode()), dtype=torch.uint8)
        packed |= {key.replace(name, "comfy_quant"): said.clone() for key in list(packed) if name in key}
    assert picture(models, saved(models, "packed", packed)) == picture(models, saved(models, "worth", plain))


LAYER = f"{UNET}input_blocks.1.1.proj_in"


@pytest.mark.parametrize(
    "changes",
    [
        {f"{LAYER}.weight_scale": torch.ones(2, 2)},  # blocks
        {f"{LAYER}.weight": torch.ones(32, 16, dtype=torch.uint8), f"{LAYER}.weight_scale": torch.ones(32, 1)},
        {f"{LAYER}.weight": torch.ones(32, 32, dtype=torch.int8)},
        {f"{LAYER}.scale_weight": torch.ones(()), f"{LAYER}.weight_scale": torch.ones(())},
        {f"{LAYER}.weight_scale_2": torch.ones(())},
        {f"{LAYER}.weight.absmax": torch.ones(4)},
        {f"{UNET}nowhere.weight_scale": torch.ones(())},
    ],
)
def test_what_is_packed_otherwise_is_refused(published: Path, tmp_path: Path, changes: Tensors) -> None:
    models = shutil.copytree(published / "sd15", tmp_path / "models")
    assert refused(models, load_file(models / "plain.safetensors") | changes) == "quantised"


@pytest.mark.parametrize(
    "said", ['{"format": "nvfp4"}', '{"format": "float8_e4m3fn", "convrot": true}', "{}", "[]", "not JSON", "[" * 9999]
)
def test_a_format_that_is_not_known_is_refused(published: Path, tmp_path: Path, said: str) -> None:
    models = shutil.copytree(published / "sd15", tmp_path / "models")
    plain = load_file(models / "plain.safetensors")
    bytes_said = torch.tensor(list(said.encode()), dtype=torch.uint8)
    assert refused(models, plain | {f"{LAYER}.comfy_quant": bytes_said}) == "quantised"
    if said[0] != "n":
        metadata = {"_quantization_metadata": f'{{"layers": {{"{LAYER}": {said}}}}}'}
        assert refused(models, plain, metadata) == "quantised"


@pytest.mark.parametrize(
    ("changes", "metadata", "reason"),
    [
        ({"edm_mean": torch.zeros(1, 4, 1, 1), "edm_std": torch.ones(1, 4, 1, 1)}, {}, "edm"),
        ({"edm_vpred.sigma_max": torch.tensor(120.0)}, {}, "edm"),
        ({}, {"modelspec.prediction_type": "rectified_flow"}, "flow_unet"),
    ],
)
def test_other_noise_is_refused(
    published: Path, tmp_path: Path, changes: Tensors, metadata: dict[str, str], reason: str
) -> None:
    models = shutil.copytree(published / "sdxl", tmp_path / "models")
    assert refused(models, load_file(models / "plain.safetensors") | changes, metadata) == reason


def refused(models: Path, tensors: Tensors, metadata: dict[str, str] | None = None) -> str:
    for place in models.glob("odd.*"):
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    with pytest.raises(DarkroomError) as caught:
        picture(models, saved(models, "odd", tensors, metadata))
    assert isinstance(caught.value, FamilyUnknown)
    return str(caught.value.details["reason"])
