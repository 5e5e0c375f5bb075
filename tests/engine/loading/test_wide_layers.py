"""Weights kept in 16 bits give exactly the pictures of a float32 network that holds the same rounded weights."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests import toy_families
from tests.engine.loras.test_merging import UNET, low_rank
from tests.engine.test_engine import REFERENCE, context
from tests.number_types import a_cpu
from tests.settling import SettlingEngine
from tests.toys import save_sd3, save_sd15, save_sd15_file, save_sdxl
from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.kept_weights import WIDE_SHARE
from webui.engine.device import choose_device, narrow_dtype, precision_of
from webui.engine.loading.loaded_checkpoint import LoadedCheckpoint
from webui.engine.loading.model_manager import ModelManager
from webui.engine.loading.pipeline import loaded_bytes_estimate
from webui.errors import CheckpointTooLarge
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.settings import Settings
from webui.worker.messages import RawImage

GIGABYTE = 10**9
FAMILIES: dict[str, Callable[[Path], Path]] = {
    "sd15": save_sd15,
    "sdxl": save_sdxl,
    "sd3": save_sd3,
    "flux": toy_families.save_flux,
    "z_image": toy_families.save_z_image,
    "sana": toy_families.save_sana,
    "pixart": toy_families.save_pixart_sigma,
}


@contextmanager
def memory(available: int) -> Iterator[None]:
    """While this lasts, the machine has so many bytes to spare."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=GIGABYTE, available=available))
        yield


def wanted_bytes(models: Path, id: str = "toy") -> int:
    """What its weights take in float32."""
    return loaded_bytes_estimate(Catalogue(models).get(id), torch.float32)


def store_as(folder: Path, stored: str, *, is_wide: bool = False) -> None:
    """Rewrites a checkpoint's weights in 16 bits, or rounded to what 16 bits hold."""
    for file in folder.rglob("*.safetensors"):
        rounded = {
            name: tensor.to(narrow_dtype(stored)) if tensor.is_floating_point() else tensor
            for name, tensor in load_file(file).items()
        }
        wide = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in rounded.items()}
        save_file(wide if is_wide else rounded, file)


def engine(models: Path) -> SettlingEngine:
    return SettlingEngine(Settings(models_dir=models, data_dir=models / "data", device="cpu", precision="fp32"))


def drawn(engine: SettlingEngine, request: TextToImage | ImageToImage, available: int) -> RawImage:
    with memory(available), a_cpu(multiplies_bf16=False):
        (image,) = engine.run(request, context([]))
    return image


@pytest.mark.parametrize("stored", ["F16", "BF16", "F32"])
@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_are_those_of_float32_with_the_same_weights(tmp_path: Path, family: str, stored: str) -> None:
    toy = FAMILIES[family](tmp_path / "toy")
    rounded = shutil.copytree(toy, tmp_path / "rounded")
    store_as(rounded, stored, is_wide=True)
    if stored != "F32":
        store_as(toy, stored)
    studio, short = engine(tmp_path), int(wanted_bytes(tmp_path) * 1.2)
    request = TextToImage(prompt="a red cat", checkpoint="toy", seed=1, steps=2)
    narrow = drawn(studio, request, short)
    wide = drawn(studio, TextToImage(**vars(request) | {"checkpoint": "rounded"}), GIGABYTE)
    assert narrow.info["weights_precision"] == precision_of(narrow_dtype(stored))
    assert "weights_precision" not in wide.info
    assert narrow.rgb == wide.rgb


def test_so_are_pictures_that_go_in_and_pictures_that_tile(tmp_path: Path) -> None:
    store_as(save_sd15(tmp_path / "toy"), "F16")
    store_as(shutil.copytree(tmp_path / "toy", tmp_path / "rounded"), "F16", is_wide=True)
    studio, short = engine(tmp_path), int(wanted_bytes(tmp_path) * 1.2)
    values = {"prompt": "a ((red)) cat", "seed": 1, "steps": 3}
    for ask in (
        lambda id: ImageToImage(init_image=REFERENCE, checkpoint=id, **values),
        lambda id: TextToImage(tiling="both", checkpoint=id, **values),
    ):
        assert drawn(studio, ask("toy"), short).rgb == drawn(studio, ask("rounded"), GIGABYTE).rgb


def test_loras_are_merged_and_leave_no_trace(tmp_path: Path) -> None:
    store_as(save_sd15(tmp_path / "toy"), "F16")
    store_as(shutil.copytree(tmp_path / "toy", tmp_path / "rounded"), "F16", is_wide=True)
    (tmp_path / "loras").mkdir()
    save_file(low_rank(UNET, 32, 32), tmp_path / "loras" / "much.safetensors")
    studio, short = engine(tmp_path), int(wanted_bytes(tmp_path) * 1.2)

    def with_lora(id: str, prompt: str, available: int) -> RawImage:
        return drawn(studio, TextToImage(prompt=prompt, checkpoint=id, seed=1, steps=2), available)

    before = with_lora("toy", "a cat", short)
    merged = with_lora("toy", "a cat <lora:much:1>", short)
    studio.kept_steps.forget()
    assert with_lora("toy", "a cat", short).rgb == before.rgb != merged.rgb
    wide = with_lora("rounded", "a cat <lora:much:1>", GIGABYTE)
    differences = torch.tensor(list(merged.rgb)).float() - torch.tensor(list(wide.rgb)).float()
    assert differences.abs().mean() < 1  # the merged weights are rounded once more


def load(models: Path, id: str, available: int, budget_bytes: int = GIGABYTE) -> LoadedCheckpoint:
    manager = ModelManager(Catalogue(models), choose_device("cpu", "fp32"), budget_bytes, models / "tokenizers")
    with memory(available):
        return manager.components(id, lambda _event: None, lambda: None)


def test_memory_decides(tmp_path: Path) -> None:
    save_sd15(tmp_path / "toy")
    wanted = wanted_bytes(tmp_path)
    roomy, short = load(tmp_path, "toy", int(wanted / WIDE_SHARE) + 1), load(tmp_path, "toy", int(wanted * 0.8))
    assert (roomy.kept_in, short.kept_in) == ("", "bf16")
    assert short.size_bytes < 0.6 * roomy.size_bytes
    with pytest.raises(CheckpointTooLarge) as raised:
        load(tmp_path, "toy", int(wanted * 0.4))
    assert raised.value.details["checkpoint"] == "toy"


def test_a_single_file_is_kept_narrow_too(tmp_path: Path) -> None:
    save_sd15_file(tmp_path / "file.safetensors")
    loaded = load(tmp_path, "file", int(wanted_bytes(tmp_path, "file") * 0.8))
    assert loaded.kept_in == "fp16"
    for network in (loaded.components[name] for name in ("unet", "vae", "text_encoder")):
        assert network.dtype == torch.float32
        kept = {parameter.dtype for parameter in network.parameters()}
        assert kept == {torch.float32, narrow_dtype("F16")}


def test_other_number_types_are_left_alone(tmp_path: Path) -> None:
    save_sd15(tmp_path / "toy")
    device = choose_device("cpu", "bf16")
    manager = ModelManager(Catalogue(tmp_path), device, GIGABYTE, tmp_path / "tokenizers")
    with memory(wanted_bytes(tmp_path)):
        assert manager.components("toy", lambda _event: None, lambda: None).kept_in == ""
