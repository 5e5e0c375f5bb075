"""Another VAE than the checkpoint's own draws what a checkpoint with that VAE inside would draw."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.engine.test_engine import REFERENCE, context
from tests.ldm_layout import sd1_layout
from tests.settling import SettlingEngine
from tests.toys import save_sd15, save_sd15_file, save_tiny_vae, toy_vae
from webui.errors import InvalidRequest, ModelUnusable
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.settings import Settings
from webui.worker.messages import RawImage


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`plain`, `other` with another VAE, and that VAE alone in every form."""
    models = tmp_path_factory.mktemp("vaes") / "models"
    plain, other = save_sd15(models / "plain"), models / "other"
    shutil.copytree(plain, other)
    torch.manual_seed(7)
    toy_vae().save_pretrained(other / "vae", safe_serialization=True)
    shutil.copytree(other / "vae", models / "vae" / "folder")
    shutil.copy(other / "vae" / "diffusion_pytorch_model.safetensors", models / "vae" / "diffusers.safetensors")
    first = {name: tensor.contiguous() for name, tensor in sd1_layout(other).items() if name.startswith("first_stage")}
    save_file(first, models / "vae" / "published.safetensors")
    bare = {name.removeprefix("first_stage_model."): tensor for name, tensor in first.items()}
    save_file(bare, models / "vae" / "bare.safetensors")
    save_tiny_vae(plain)
    file = save_sd15_file(models / "file.safetensors")
    save_file(bare, file.with_name("file.vae.safetensors"))
    return models


@pytest.fixture(scope="module")
def draw(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., RawImage]:
    data = tmp_path_factory.mktemp("data")
    engine = SettlingEngine(Settings(models_dir=models, data_dir=data, device="cpu", precision="fp32"))

    def draw(checkpoint: str, vae: str | None = None, *, over: bool = False, decoder: str | None = None) -> RawImage:
        values: dict[str, Any] = {"checkpoint": checkpoint, "vae": vae, "decoder": decoder}
        values |= {"prompt": "a cat", "seed": 1, "steps": 2}
        request = ImageToImage(init_image=REFERENCE, **values) if over else TextToImage(**values)
        (image,) = engine.run(request, context([]))
        return image

    return draw


@pytest.mark.parametrize("form", ["folder", "diffusers", "published", "bare"])
def test_it_draws_as_if_it_were_inside(draw: Callable[..., RawImage], form: str) -> None:
    inside, plain, drawn = draw("other"), draw("plain"), draw("plain", f"vae/{form}")
    assert drawn.rgb == inside.rgb != plain.rgb
    assert drawn.info["vae_hash"] != plain.info["vae_hash"]
    assert drawn.info["checkpoint_hash"] == plain.info["checkpoint_hash"]
    assert draw("plain").rgb == plain.rgb  # nothing of it stays


def test_pictures_go_in_through_it_too(draw: Callable[..., RawImage]) -> None:
    assert draw("plain", "vae/folder", over=True).rgb == draw("other", over=True).rgb


def test_automatic_takes_the_one_beside_the_file(draw: Callable[..., RawImage]) -> None:
    assert draw("file", "automatic").rgb == draw("file", "vae/bare").rgb != draw("file").rgb
    assert draw("plain", "automatic").rgb == draw("plain").rgb


@pytest.mark.parametrize(("checkpoint", "vae"), [("plain", "vae/bare"), ("file", "automatic")])
@pytest.mark.parametrize("over", [False, True])
def test_a_tiny_decoder_does_not_take_its_place(
    draw: Callable[..., RawImage], checkpoint: str, vae: str, over: bool
) -> None:
    with pytest.raises(InvalidRequest) as raised:
        draw(checkpoint, vae, decoder="tiny", over=over)
    assert (raised.value.details["field"], raised.value.details["reason"]) == ("decoder", "vae_decodes")
    assert draw(checkpoint, vae, decoder="full").rgb == draw(checkpoint, vae).rgb


def test_where_none_is_beside_it_a_tiny_decoder_may_draw(draw: Callable[..., RawImage]) -> None:
    assert draw("plain", "automatic", decoder="tiny").rgb == draw("plain", decoder="tiny").rgb != draw("plain").rgb


def test_it_goes_by_its_files_name_as_well(draw: Callable[..., RawImage]) -> None:
    assert draw("plain", "Bare.safetensors").rgb == draw("plain", "vae/bare").rgb


@pytest.mark.parametrize(("channels", "reason"), [(16, "other_checkpoint"), (None, "no_such_vae")])
def test_what_cannot_be_used_is_refused(
    models: Path, draw: Callable[..., RawImage], channels: int | None, reason: str
) -> None:
    if channels is not None:
        toy_vae(latent_channels=channels).save_pretrained(models / "vae" / "wrong", safe_serialization=True)
    with pytest.raises(InvalidRequest) as raised:
        draw("plain", "vae/wrong" if channels else "vae/none")
    assert (raised.value.details["field"], raised.value.details["reason"]) == ("vae", reason)


def test_one_that_lacks_layers_says_so(models: Path, draw: Callable[..., RawImage]) -> None:
    tensors = load_file(models / "vae" / "diffusers.safetensors")
    save_file(
        {name: tensor for name, tensor in tensors.items() if "mid_block" not in name},
        models / "vae" / "cut.safetensors",
    )
    with pytest.raises(ModelUnusable) as raised:
        draw("plain", "vae/cut")
    assert raised.value.details["reason"] == "does_not_load"
    assert draw("plain", "vae/diffusers").rgb == draw("other").rgb
