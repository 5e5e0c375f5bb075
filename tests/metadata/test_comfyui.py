"""ComfyUI's graphs of many kinds, known by what their nodes do: prompts that come through others, custom samplers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webui.metadata.reading import Inspection, read_pasted


def find(hash: str | None, name: str | None) -> tuple[str, bool | None] | None:
    return ("starter", None) if name == "starter.safetensors" else None


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def link(id: str, slot: int = 0) -> list[Any]:
    return [id, slot]


def graph(**changes: Any) -> dict[str, Any]:
    """An ordinary graph, with other nodes in places of its own: `sample load latent yes no decode save`."""
    plain = {
        "sample": node(
            "KSampler", seed=5, steps=20, cfg=7.0, sampler_name="euler", scheduler="normal", denoise=1.0,
            model=link("load"), positive=link("yes"), negative=link("no"), latent_image=link("latent"),
        ),
        "load": node("CheckpointLoaderSimple", ckpt_name="starter.safetensors"),
        "latent": node("EmptyLatentImage", width=512, height=256, batch_size=1),
        "yes": node("CLIPTextEncode", text="a lake", clip=link("load", 1)),
        "no": node("CLIPTextEncode", text="fog", clip=link("load", 1)),
        "decode": node("VAEDecode", samples=link("sample"), vae=link("load", 2)),
        "save": node("SaveImage", images=link("decode")),
    }  # fmt: skip
    return plain | changes


def read(**changes: Any) -> Inspection:
    return read_pasted(json.dumps(graph(**changes)), find)


def notes(found: Inspection) -> dict[str, dict[str, Any]]:
    return {note.code: note.details for note in found.notes}


def test_a_zeroed_negative_prompt_is_empty() -> None:
    found = read(no=node("ConditioningZeroOut", conditioning=link("yes")))
    assert (found.settings["prompt"], found.settings["negative_prompt"]) == ("a lake", "")


@pytest.mark.parametrize(
    "between",
    [
        {"t": node("StringConcatenate", string_a="a", string_b=["u", 0], delimiter=" "), "u": node("S", value="lake")},
        {"t": node("Text Concatenate", delimiter=" ", text_a="a", text_b="lake")},
        {"t": node("StringFunction|pysssss", action="append", tidy_tags="no", text_a="a ", text_b="lake")},
        {"t": node("PrimitiveStringMultiline", value="a lake")},
        {"t": node("ShowText|pysssss", text=["u", 0]), "u": node("Text Multiline", text="a lake")},
        {"t": node("ImpactWildcardProcessor", wildcard_text="a {lake|sea}", populated_text="a lake", mode=True)},
    ],
)
def test_a_text_that_comes_through_other_nodes(between: dict[str, Any]) -> None:
    found = read(yes=node("CLIPTextEncode", text=["t", 0], clip=link("load", 1)), **between)
    assert (found.settings["prompt"], found.settings["negative_prompt"]) == ("a lake", "fog")
    assert notes(found).keys() == {"by_name_alone"}


@pytest.mark.parametrize(
    "conditioning",
    [
        {"yes": node("FluxGuidance", conditioning=["t", 0], guidance=3.5), "t": node("CLIPTextEncode", text="a lake")},
        {"yes": node("MyOwnEncoder++", prompt="a lake", clip=["load", 1])},
        {"yes": node("CLIPTextEncodeSDXL", text_g="a lake", text_l="a lake", width=1024, clip=["load", 1])},
        {"yes": node("CLIPTextEncodeFlux", clip_l="a lake", t5xxl="a lake", guidance=3.5, clip=["load", 1])},
        {"yes": node("ReferenceLatent", conditioning=["t", 0], latent=["x", 0]), "t": node("Encode", text="a lake")},
    ],
)
def test_an_encoder_of_any_kind(conditioning: dict[str, Any]) -> None:
    assert read(**conditioning).settings["prompt"] == "a lake"


@pytest.mark.parametrize("kind", ["ConditioningCombine", "ConditioningConcat", "ConditioningAverage"])
def test_combined_conditionings_give_all_their_texts(kind: str) -> None:
    names = (
        ("conditioning_1", "conditioning_2") if kind.endswith("Combine") else ("conditioning_to", "conditioning_from")
    )
    both = dict(zip(names, (["one", 0], ["two", 0]), strict=True))
    found = read(
        yes=node(kind, **both), one=node("CLIPTextEncode", text="a lake"), two=node("CLIPTextEncode", text="stars")
    )
    assert found.settings["prompt"] == "a lake, stars"
    assert notes(found)["joined_prompts"] == {"count": 2}


def test_what_an_encoder_was_given_besides_is_not_lost() -> None:
    found = read(yes=node("CLIPTextEncodeSDXL", text_g="a lake", text_l="oil", clip=link("load", 1)))
    assert (found.settings["prompt"], found.unknown) == ("a lake", (("text_l", "oil"),))


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"yes": node("CLIPTextEncode", text=["t", 0]), "t": node("OllamaGenerate", prompt="write")}, "prompt"),
        ({"no": node("CLIPTextEncode", text=["t", 0]), "t": node("Florence2", image=["x", 0])}, "negative_prompt"),
        ({"latent": node("EmptyLatentImage", width=["t", 0], height=64), "t": node("Math", a=1, b=2)}, "size"),
        ({"yes": node("CLIPTextEncode", text=["gone", 0])}, "prompt"),
    ],
)
def test_what_only_comfyui_could_compute_is_said(changes: dict[str, Any], names: str) -> None:
    found = read(**changes)
    assert notes(found)["not_followed"] == {"names": names}
    assert not ({"width", "height"} if names == "size" else {names}) & found.settings.keys()


@pytest.mark.parametrize(
    ("latent", "size"),
    [
        (node("EmptyHunyuanLatentVideo", width=512, height=256, length=1), (512, 256)),
        (node("SomebodysEmptyLatent", width=["w", 0], height=256, batch_size=1), (512, 256)),
        (node("SDXLEmptyLatentSizePicker+", resolution="512x256 (2.0)", batch_size=1), (512, 256)),
        (node("Efficient Loader", empty_latent_width=512, empty_latent_height=256, ckpt_name="x"), (512, 256)),
        (node("LatentBatch", samples=["e", 0]), (64, 64)),
    ],
)
def test_an_empty_latent_of_any_class(latent: dict[str, Any], size: tuple[int, int]) -> None:
    extra = {"w": node("Int", value=512), "e": node("EmptyLatentImage", width=64, height=64)}
    found = read(latent=latent, **extra)
    assert (found.settings["task"], found.settings["width"], found.settings["height"]) == ("text_to_image", *size)


@pytest.mark.parametrize(
    "latent",
    [
        {"latent": node("VAEEncode", pixels=["p", 0]), "p": node("LoadImage", image="x.png")},
        {"latent": node("SetLatentNoiseMask", samples=["q", 0]), "q": node("VAEEncodeForInpaint", pixels=["p", 0])},
        {"latent": node("LoadLatent", latent="x.latent")},
    ],
)
def test_a_picture_upstream_makes_it_image_to_image(latent: dict[str, Any]) -> None:
    found = read(**latent)
    assert found.settings["task"] == "image_to_image"
    assert "needs_picture" in notes(found)


CUSTOM = {
    "sample": node(
        "SamplerCustomAdvanced", noise=link("noise"), guider=link("guide"), sampler=link("select"),
        sigmas=link("split"), latent_image=link("latent"),
    ),
    "noise": node("RandomNoise", noise_seed=77),
    "guide": node("BasicGuider", model=link("load"), conditioning=link("yes")),
    "select": node("KSamplerSelect", sampler_name="dpmpp_2m"),
    "split": node("SplitSigmas", sigmas=link("plan"), step=9),
    "plan": node("BasicScheduler", scheduler="karras", steps=12, denoise=1.0, model=link("load")),
    "load": node("UNETLoader", unet_name="starter.safetensors"),
    "yes": node("FluxGuidance", conditioning=link("encode"), guidance=3.5),
    "encode": node("CLIPTextEncode", text="a lake", clip=link("clips")),
    "clips": node("DualCLIPLoader", clip_name1="a", clip_name2="b"),
}  # fmt: skip


def test_a_custom_sampler() -> None:
    found = read(**CUSTOM)
    assert found.settings == {
        "task": "text_to_image", "prompt": "a lake", "seed": 77, "steps": 12, "guidance_scale": 3.5, "width": 512,
        "height": 256, "num_images": 1, "scheduler": "dpmpp_2m", "sigmas": "karras", "checkpoint": "starter",
    }  # fmt: skip


def test_samplers_and_schedulers_that_are_classes() -> None:
    found = read(
        sample=node(
            "SamplerCustom", noise_seed=3, cfg=4.0, model=link("load"), positive=link("yes"), negative=link("no"),
            sampler=link("select"), sigmas=link("plan"), latent_image=link("latent"),
        ),
        select=node("SamplerEulerAncestral", eta=1.0),
        plan=node("AlignYourStepsScheduler", model_type="SD1", steps=10, denoise=1.0),
    )  # fmt: skip
    assert (found.settings["scheduler"], found.settings["sigmas"]) == ("euler_a", "ays")
    assert (found.settings["seed"], found.settings["steps"], found.settings["guidance_scale"]) == (3, 10, 4.0)


def test_a_loader_that_does_everything() -> None:
    loader = node(
        "Efficient Loader", ckpt_name="starter.safetensors", clip_skip=-2, lora_name="None", positive="a lake",
        negative="fog", empty_latent_width=512, empty_latent_height=256, batch_size=1,
    )  # fmt: skip
    links = {"model": 0, "positive": 1, "negative": 2, "latent_image": 3}
    inputs = graph()["sample"]["inputs"] | {name: ["load", slot] for name, slot in links.items()}
    found = read(load=loader, sample=node("KSampler (Efficient)", **inputs))
    assert found.settings == read().settings | {"clip_skip": 2}


def test_prompts_through_a_pipe() -> None:
    pipe = node("ToBasicPipe", model=link("load"), positive=link("yes"), negative=link("no"))
    sample = node("SomePipeSampler", basic_pipe=["p", 0], pipe=["p", 0], seed=1, steps=4, cfg=2.0, sampler_name="euler")
    found = read(p=pipe, sample=sample)
    assert (found.settings["prompt"], found.settings["negative_prompt"]) == ("a lake", "fog")
    assert found.settings["checkpoint"] == "starter"


def test_loras_of_a_loader_of_many() -> None:
    lora = {"on": True, "lora": "ink.safetensors", "strength": 0.7}
    power = node("Power Lora Loader (rgthree)", model=["base", 0], lora_1=lora, lora_2=lora | {"on": False})
    found = read(load=power, base=node("CheckpointLoaderSimple", ckpt_name="starter.safetensors"))
    assert (found.unknown, found.settings["checkpoint"]) == ((("LoRA", "ink.safetensors: 0.7"),), "starter")


@pytest.mark.parametrize(
    "body", [{"prompt": graph(), "client_id": "x"}, {"prompt": [1, "id", graph(), {}, ["save"]]}, {"output": graph()}]
)
def test_a_call_of_comfyuis_api(body: dict[str, Any]) -> None:
    assert read_pasted(json.dumps(body), find).settings["prompt"] == "a lake"


def test_graphs_that_grow_without_end_take_no_time() -> None:
    doubling = {f"t{n}": node("JoinStrings", string1=[f"t{n + 1}", 0], string2=[f"t{n + 1}", 0]) for n in range(60)}
    read(yes=node("CLIPTextEncode", text=["t0", 0]), **doubling, t60=node("S", value="x" * 900))
    combined = {
        f"c{n}": node("ConditioningCombine", conditioning_1=[f"c{n + 1}", 0], conditioning_2=[f"c{n + 1}", 0])
        for n in range(3000)
    }
    found = read(yes=node("ConditioningConcat", conditioning_to=["c0", 0]), **combined)
    assert notes(found)["not_followed"] == {"names": "prompt"}
