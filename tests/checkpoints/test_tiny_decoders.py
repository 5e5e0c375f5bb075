"""Which tiny decoder belongs to which checkpoint, and where it is the default; configs tell, no weights are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.conftest import checkpoint
from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.tiny_decoders import TinyDecoders

PUBLISHED = {"block_out_channels": [128, 256, 512, 512], "latent_channels": 4, "scaling_factor": 0.18215}
Make = Callable[..., Checkpoint]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(name: str, tiny: dict[str, Any] | None = None, family: str = "sd15", **vae: Any) -> Checkpoint:
        """A folder with the VAE's config, and with a tiny decoder's if `tiny` has some of it."""
        folder = tmp_path / name
        write(folder / "vae" / "config.json", PUBLISHED | vae)
        if tiny is not None:
            write(folder / "tiny_vae" / "config.json", {"_class_name": "AutoencoderTiny", "latent_channels": 4} | tiny)
            (folder / "tiny_vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"")
        return Checkpoint(**vars(checkpoint(name)) | {"path": folder, "family": family})

    return make


def write(file: Path, values: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(values), "utf-8")


def test_its_own_comes_before_another_s(make: Make) -> None:
    one, other, plain = make("a", {}), make("b", {}), make("c")
    found = TinyDecoders([one, other, plain])
    assert [found.of(each) for each in (one, other)] == [one.path / "tiny_vae", other.path / "tiny_vae"]
    assert found.of(plain) == one.path / "tiny_vae"
    assert found.words_for(plain, is_on_cpu=False) == ("full", "tiny")


def test_a_single_file_gets_one_for_the_latents_of_its_family(make: Make, tmp_path: Path) -> None:
    folder, configs = make("a", {}), make("configs").path
    file = Checkpoint(
        **vars(checkpoint("file")) | {"path": tmp_path / "x.safetensors", "form": "file", "components": configs}
    )
    assert TinyDecoders([folder, file]).of(file) == folder.path / "tiny_vae"


@pytest.mark.parametrize(
    "other",
    [{"family": "sdxl"}, {"scaling_factor": 0.13025}, {"latent_channels": 16}, {"block_out_channels": [64] * 4}],
)
def test_other_latents_need_another_decoder(make: Make, other: dict[str, Any]) -> None:
    one, another = make("a", {}), make("b", **other)
    found = TinyDecoders([one, another])
    assert found.of(another) is None
    assert found.words_for(another, is_on_cpu=False) == ("full",)


def test_a_config_that_leaves_the_scale_out_means_stable_diffusion_s(make: Make) -> None:
    one, old = make("a", {}), make("b")
    config = {name: value for name, value in PUBLISHED.items() if name != "scaling_factor"}
    (old.path / "vae" / "config.json").write_text(json.dumps(config), "utf-8")
    assert TinyDecoders([one, old]).of(old) == one.path / "tiny_vae"


@pytest.mark.parametrize(
    "wrong", [{"latent_channels": 16}, {"_class_name": "AutoencoderKL"}, {"decoder_block_out_channels": [64] * 3}]
)
def test_what_is_no_decoder_of_these_latents_is_none(make: Make, wrong: dict[str, Any]) -> None:
    one = make("a", wrong)
    assert TinyDecoders([one]).of(one) is None


def test_without_weights_or_configs_there_is_none(make: Make) -> None:
    one = make("a", {})
    (one.path / "tiny_vae" / "diffusion_pytorch_model.safetensors").unlink()
    assert TinyDecoders([one]).of(one) is None
    (one.path / "vae" / "config.json").write_text("no JSON", "utf-8")
    assert TinyDecoders([one]).words_for(one, is_on_cpu=False) == ("full",)


def test_it_is_the_default_on_a_processor_where_the_full_decoder_is_costly(make: Make) -> None:
    costly, cheap, without = (
        make("a", {}),
        make("b", {}, block_out_channels=[32, 64, 64, 64]),
        make("c", scaling_factor=1.0),
    )
    found = TinyDecoders([costly, cheap, without])
    assert [found.words_for(each, is_on_cpu=True) for each in (costly, cheap, without)] == [
        ("tiny", "full"), ("full", "tiny"), ("full",),
    ]  # fmt: skip
    assert found.words_for(costly, is_on_cpu=False) == ("full", "tiny")


@pytest.mark.parametrize(
    "odd",
    [{"block_out_channels": 7}, {"block_out_channels": ["x"]}, {"block_out_channels": []}, {"latent_channels": [[]]}],
)
def test_odd_configs_hide_no_other_checkpoint(make: Make, odd: dict[str, Any]) -> None:
    one, strange = make("a", {}), make("b", {"decoder_block_out_channels": 7}, **odd)
    found = TinyDecoders([strange, one])
    assert found.words_for(strange, is_on_cpu=True) == ("full",)
    assert found.of(one) == one.path / "tiny_vae"
