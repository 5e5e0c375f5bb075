"""Pictures with LoRAs, on toys: the change is there while it is asked for, and gone without a trace afterwards."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline
from safetensors.torch import save_file
from torch import Tensor

from tests.engine.test_engine import context
from tests.settling import SettlingEngine
from tests.toys import save_sd15
from webui.checkpoints.addons import Addons
from webui.engine.engine import Engine
from webui.engine.loras.merging import LoraMerger
from webui.errors import Cancelled, LoraUnusable
from webui.prompts.a1111 import Lora
from webui.requests.diffusion import TextToImage, WalkEnd
from webui.rules.branches import branched
from webui.settings import Settings
from webui.worker.messages import RawImage

UNET = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_v"
TEXT = "lora_te_text_model_encoder_layers_1_mlp_fc1"
JOINT = "transformer.transformer_blocks.0.attn.to_q"
REQUEST = TextToImage(prompt="a red cat", checkpoint="toy-sd15", seed=3, steps=2)


def low_rank(layer: str, out: int, inner: int, size: float = 0.3) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(out + inner)
    down, up = torch.randn(4, inner, generator=generator), torch.randn(out, 4, generator=generator) * size
    return {f"{layer}.lora_down.weight": down, f"{layer}.lora_up.weight": up, f"{layer}.alpha": torch.tensor(4.0)}


@pytest.fixture(scope="module")
def models_dir(toy_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name in ("toy-sd15", "toy-sd3"):
        shutil.copytree(toy_models / name, folder / name)
    (folder / "loras").mkdir()
    unet, text = low_rank(UNET, 32, 32), low_rank(TEXT, 64, 32)
    joint = low_rank(JOINT, 32, 32)
    files: dict[str, dict[str, Tensor]] = {
        "unet": unet,
        "text": text,
        "both": unet | text,
        "joint": joint,
        "elsewhere": low_rank("lora_unet_down_blocks_9_attentions_0_proj_in", 8, 8),
        "wide": low_rank(UNET, 32, 48),
        "dora": unet | {f"{UNET}.dora_scale": torch.ones(32)},
        "partly": unet | low_rank("lora_unet_down_blocks_9_attentions_0_proj_in", 8, 8) | low_rank(TEXT, 64, 48),
        "half": {name: tensor for name, tensor in unet.items() if "up" not in name},
        "endless": {name: tensor * float("inf") if "up" in name else tensor for name, tensor in unet.items()},
    }
    for name, tensors in files.items():
        save_file(tensors, folder / "loras" / f"{name}.safetensors")
    return folder


@pytest.fixture(scope="module")
def engine(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    data = tmp_path_factory.mktemp("data")
    return SettlingEngine(Settings(models_dir=models_dir, data_dir=data, device="cpu", precision="fp32"))


def draw(engine: Engine, prompt: str, **values: Any) -> RawImage:
    return engine.run(replace(REQUEST, prompt=prompt, **values), context([]))[0]


@pytest.mark.parametrize("name", ["unet", "text", "both"])
def test_a_lora_changes_the_picture_and_leaves_no_trace(engine: Engine, name: str) -> None:
    before = draw(engine, "a red cat")
    changed = draw(engine, f"a red cat<lora:{name}:1>")
    assert changed.rgb != before.rgb
    assert draw(engine, f"a red cat<lora:{name}:1>").rgb == changed.rgb
    assert draw(engine, f"a red cat<lora:{name}:0.5>").rgb not in (before.rgb, changed.rgb)
    assert draw(engine, f"a red cat<lora:{name}:0>").rgb == before.rgb
    after = draw(engine, "a red cat")
    assert after.rgb == before.rgb
    assert after.info.get("lora_hashes") is None
    assert str(changed.info["lora_hashes"]).startswith(f"{name}: ")


def test_each_network_has_its_own_weight(engine: Engine) -> None:
    unet_alone = draw(engine, "a<lora:both:0:1>")
    assert unet_alone.rgb == draw(engine, "a<lora:unet:1>").rgb
    assert draw(engine, "a<lora:both:te=1:unet=0>").rgb == draw(engine, "a<lora:text:1>").rgb
    assert unet_alone.rgb != draw(engine, "a").rgb


def test_several_add_up_in_any_order_and_so_does_one_named_twice(engine: Engine) -> None:
    both = draw(engine, "a<lora:both:1>").rgb
    assert draw(engine, "a<lora:unet:1><lora:text:1>").rgb == both
    assert draw(engine, "a<lora:unet:0.25><lora:unet:0.75>").rgb == draw(engine, "a<lora:unet:1>").rgb


def test_layers_that_the_checkpoint_lacks_are_left_out_and_counted(engine: Engine) -> None:
    """One is not there, and one is there in another size."""
    whole, partly = draw(engine, "a<lora:unet:1>"), draw(engine, "a<lora:partly:1>")
    assert partly.rgb == whole.rgb
    assert partly.info["lora_layers"] == "partly: 1/3"
    assert "lora_layers" not in whole.info


def test_a_transformer_has_loras_too(engine: Engine) -> None:
    before = draw(engine, "a", checkpoint="toy-sd3")
    assert draw(engine, "a<lora:joint:2>", checkpoint="toy-sd3").rgb != before.rgb
    assert draw(engine, "a", checkpoint="toy-sd3").rgb == before.rgb


def test_on_a_walk_one_goes_and_the_other_comes(engine: Engine) -> None:
    request = replace(REQUEST, prompt="a<lora:unet:1>", num_images=3, walk_to=WalkEnd(prompt="a<lora:text:1>", seed=3))
    start, between, end = engine.run(request, context([]))
    assert start.rgb == draw(engine, "a<lora:unet:1>").rgb
    assert end.rgb == draw(engine, "a<lora:text:1>").rgb
    assert between.rgb not in (start.rgb, end.rgb)
    assert str(between.info["lora_hashes"]).count(": ") == 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("elsewhere", "lora_fit"),
        ("wide", "lora_fit"),
        ("joint", "lora_fit"),
        ("half", "lora_broken"),
        ("endless", "lora_not_finite"),
    ],
)
def test_one_that_will_not_do_is_refused_and_nothing_of_it_stays(engine: Engine, name: str, reason: str) -> None:
    before = draw(engine, "a")
    with pytest.raises(LoraUnusable) as caught:
        draw(engine, f"a<lora:unet:1><lora:{name}:1>")
    assert caught.value.details == {"name": name, "reason": reason}
    assert draw(engine, "a").rgb == before.rgb


@pytest.mark.parametrize(
    ("name", "details"), [("dora", {"reason": "lora_kind", "kind": "DoRA"}), ("nothing", {"reason": "lora_missing"})]
)
def test_what_a_submit_would_refuse_is_refused_when_the_job_runs(
    models_dir: Path, name: str, details: dict[str, str]
) -> None:
    """Files may change in between. Nothing stays of what was merged before it."""
    pipeline = DiffusionPipeline.from_pretrained(models_dir / "toy-sd15")
    before = {name: weights.clone() for name, weights in pipeline.unet.state_dict().items()}
    with pytest.raises(LoraUnusable) as caught:
        LoraMerger(Addons(models_dir)).apply(pipeline, (Lora("unet"), Lora(name)), lambda: None)
    assert caught.value.details == {"name": name, **details}
    assert all(torch.equal(weights, before[name]) for name, weights in pipeline.unet.state_dict().items())


def test_weights_come_back_bit_by_bit_after_a_stop_too(models_dir: Path) -> None:
    pipeline = DiffusionPipeline.from_pretrained(models_dir / "toy-sd15").to(torch.bfloat16)
    before = {name: weights.clone() for name, weights in pipeline.unet.state_dict().items()}
    merger = LoraMerger(Addons(models_dir))

    def changed() -> set[str]:
        return {name for name, weights in pipeline.unet.state_dict().items() if not torch.equal(weights, before[name])}

    assert merger.apply(pipeline, (Lora("unet"),), lambda: None)[1]
    assert changed() == {"down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_v.weight"}
    assert not merger.apply(pipeline, (Lora("unet"),), lambda: None)[1]
    calls = iter(range(9))

    def stop() -> None:
        if next(calls) == 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        merger.apply(pipeline, (Lora("both", 0.5, 0.5), Lora("unet")), stop)
    assert not changed()
    assert merger.apply(pipeline, (Lora("both"),), lambda: None)[1]
    assert merger.apply(pipeline, (), lambda: None) == ({}, True)
    assert not changed()


def test_a_file_that_changed_is_read_again(models_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(models_dir / "loras", tmp_path / "loras")
    pipeline = DiffusionPipeline.from_pretrained(models_dir / "toy-sd15")
    merger = LoraMerger(Addons(tmp_path))
    first, _ = merger.apply(pipeline, (Lora("unet"),), lambda: None)
    save_file(low_rank(UNET, 32, 32, size=0.9), tmp_path / "loras" / "unet.safetensors", {"a": "longer header"})
    second, is_changed = merger.apply(pipeline, (Lora("unet"),), lambda: None)
    assert is_changed
    assert first != second


def test_alpha_from_diffusers_metadata(tmp_path: Path) -> None:
    """As `save_lora_weights` writes it: α for the U-Net as a whole, another for one layer."""
    (tmp_path / "loras").mkdir()
    layer = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_v"
    down, up = torch.ones(2, 32), torch.ones(32, 2)
    tensors = {f"{layer}.lora_A.weight": down, f"{layer}.lora_B.weight": up}
    pattern = layer.removeprefix("unet.")
    metadata = {"lora_adapter_metadata": json.dumps({"unet.lora_alpha": 8, "unet.alpha_pattern": {pattern: 1}})}
    save_file(tensors, tmp_path / "loras" / "one.safetensors", metadata)
    save_file(tensors, tmp_path / "loras" / "all.safetensors", {"lora_adapter_metadata": '{"unet.lora_alpha": 8}'})
    save_file(tensors, tmp_path / "loras" / "dora.safetensors", {"lora_adapter_metadata": '{"unet.use_dora": true}'})
    pipeline = DiffusionPipeline.from_pretrained(save_sd15(tmp_path / "toy"))
    weight = pipeline.unet.get_submodule(pattern).weight
    before, merger = weight.detach().clone(), LoraMerger(Addons(tmp_path))
    for name, alpha in (("one", 1), ("all", 8)):
        merger.apply(pipeline, (Lora(name),), lambda: None)
        torch.testing.assert_close(weight.detach() - before, torch.full_like(before, alpha / 2 * 2), atol=1e-5, rtol=0)
    with pytest.raises(LoraUnusable, match="lora_kind"):
        merger.apply(pipeline, (Lora("dora"),), lambda: None)


def test_a_branch_may_ask_for_other_loras_than_its_origin(models_dir: Path) -> None:
    settings = Settings(models_dir=models_dir, data_dir=models_dir, device="cpu", precision="fp32")
    origin = replace(
        REQUEST, prompt="a red cat <lora:unet:1>", steps=4, scheduler="euler", sigmas="default", guidance_scale=5.0,
        width=64, height=64,
    )  # fmt: skip
    asked = [branched(origin, 0, 2, {"prompt": prompt}) for prompt in (origin.prompt, "a red cat <lora:text:1>")]
    engine = SettlingEngine(settings)
    (whole,) = engine.run(origin, context([]))
    remembered = [engine.run(request, context([]))[0] for request in asked]
    again = [SettlingEngine(settings).run(request, context([]))[0] for request in asked]
    assert [one.rgb for one in remembered] == [one.rgb for one in again]
    assert remembered[0].rgb == whole.rgb != remembered[1].rgb
    assert str(remembered[1].info["lora_hashes"]).startswith("text: ")
