"""What InvokeAI, Fooocus, NovelAI, SwarmUI, Easy Diffusion and Draw Things wrote, read as settings."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from tests.metadata.files import chunk, png, png_with
from webui.metadata.embedded_texts import texts_in
from webui.metadata.reading import Inspection, read_pasted, read_texts

LAKE = {"task": "text_to_image", "prompt": "a lake", "negative_prompt": "fog", "seed": 7, "steps": 20, "width": 512}
LAKE |= {"height": 768, "guidance_scale": 6.5, "scheduler": "dpmpp_2m", "sigmas": "karras", "checkpoint": "starter"}


def find(hash: str | None, name: str | None) -> tuple[str, bool | None] | None:
    return ("starter", None) if name in ("starter", "starter.safetensors", "starter.ckpt", "models/starter") else None


def read(content: bytes) -> Inspection:
    return read_texts(texts_in(io.BytesIO(content)), find)


def codes(found: Inspection) -> set[str]:
    return {note.code for note in found.notes} - {"by_name_alone"}


INVOKEAI: dict[str, Any] = {
    "generation_mode": "sdxl_txt2img", "positive_prompt": "a lake", "negative_prompt": "fog", "width": 512,
    "height": 768, "seed": 7, "rand_device": "cpu", "cfg_scale": 6.5, "cfg_rescale_multiplier": 0.0, "steps": 20,
    "scheduler": "dpmpp_2m_k", "clip_skip": 0, "app_version": "5.4.2",
    "model": {"key": "db73", "hash": "blake3:8967", "name": "starter", "base": "sdxl", "type": "main"},
    "loras": [{"model": {"name": "ink"}, "weight": 0.7}],
}  # fmt: skip
SWARMUI = {
    "prompt": "a lake", "negativeprompt": "fog", "model": "models/starter", "seed": 7, "steps": 20, "cfgscale": 6.5,
    "width": 512, "height": 768, "sampler": "dpmpp_2m", "scheduler": "karras", "loras": ["ink"], "loraweights": ["0.7"],
    "swarm_version": "0.9.1.1",
}  # fmt: skip
FOOOCUS = {
    "prompt": "a lake", "negative_prompt": "fog", "styles": "['Fooocus V2']", "performance": "Speed", "steps": 20,
    "resolution": "(512, 768)", "guidance_scale": 6.5, "sharpness": 2.0, "base_model": "starter", "seed": "7",
    "sampler": "dpmpp_2m", "scheduler": "karras", "loras": [["ink", 0.7, "ab"]], "metadata_scheme": "fooocus",
    "full_prompt": ["a lake, cinematic"], "version": "Fooocus v2.5.5", "vae": "Default (model)",
}  # fmt: skip
NOVELAI = {
    "prompt": "a lake", "steps": 20, "height": 768, "width": 512, "scale": 6.5, "cfg_rescale": 0.2, "seed": 7,
    "n_samples": 1, "noise_schedule": "karras", "sampler": "k_dpmpp_2m", "uc": "fog", "strength": 0.7,
    "request_type": "PromptGenerateRequest", "sm": False,
}  # fmt: skip
EASY = {
    "prompt": "a lake", "negative_prompt": "fog", "seed": "7", "use_stable_diffusion_model": "models/starter",
    "clip_skip": "True", "sampler_name": "dpmpp_2m", "width": "512", "height": "768", "num_inference_steps": "20",
    "guidance_scale": "6.5", "tiling": "xy", "use_lora_model": "ink", "lora_alpha": "0.7", "use_vae_model": "",
}  # fmt: skip
DRAW = {
    "c": "a lake", "uc": "fog", "model": "starter.ckpt", "sampler": "DPM++ 2M Karras", "scale": 6.5, "seed": 7,
    "size": "512x768", "steps": 20, "strength": 1, "seed_mode": "Scale Alike",
    "lora": [{"model": "ink", "weight": 0.7}], "v2": {"loras": []},
}  # fmt: skip
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description rdf:about="">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">a lake&#xA;-fog</rdf:li></rdf:Alt></dc:description>
<xmp:CreatorTool>Draw Things</xmp:CreatorTool>
<exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt></exif:UserComment>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
LORA = ("LoRA", "ink: 0.7")


@pytest.mark.parametrize(
    ("source", "content", "more"),
    [
        ("invokeai", png_with(invokeai_metadata=json.dumps(INVOKEAI)), {"guidance_rescale": 0.0, "clip_skip": 1}),
        ("swarmui", png_with(parameters=json.dumps({"sui_image_params": SWARMUI, "sui_models": []})), {}),
        ("fooocus", png_with(parameters=json.dumps(FOOOCUS), fooocus_scheme="fooocus"), {}),
        ("easydiffusion", png_with(**EASY), {"clip_skip": 2, "tiling": "both", "sigmas": "default"}),
        (
            "drawthings",
            png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP.replace("{}", json.dumps(DRAW)).encode())),
            {},
        ),
    ],
)
def test_a_picture_of_each_program(source: str, content: bytes, more: dict[str, Any]) -> None:
    found = read(content)
    assert (found.source, found.settings) == (source, LAKE | more)
    assert LORA in found.unknown


def test_a_picture_of_novelai() -> None:
    found = read(png_with(Software="NovelAI", Source="starter", Description="a lake", Comment=json.dumps(NOVELAI)))
    assert (found.source, found.settings) == ("novelai", LAKE | {"guidance_rescale": 0.2})
    older = {name: NOVELAI[name] for name in ("steps", "sampler", "seed", "strength", "scale", "uc")}
    found = read(png_with(Software="NovelAI", Description="{a} lake", Comment=json.dumps(older)))
    assert (found.settings["prompt"], found.settings["task"]) == ("(a:1.05) lake", "text_to_image")
    fourth = NOVELAI | {
        "v4_prompt": {"caption": {"base_caption": "a pond", "char_captions": [{"char_caption": "a cat"}]}}
    }
    nested = {"Comment": json.dumps(fourth), "Software": "NovelAI", "Description": "x"}
    found = read_texts(texts_in(io.BytesIO(in_exif(json.dumps(nested)))), find)
    assert (found.source, found.settings["prompt"]) == ("novelai", "a pond")
    assert ("prompt of character 1", "a cat") in found.unknown


def in_exif(text: str, form: str = "WEBP") -> bytes:
    """As Pillow writes a comment without the code of its characters, into the first directory."""
    exif, content = Image.Exif(), io.BytesIO()
    exif[0x9286], exif[0x0131], exif[0x927C] = text, "Fooocus v2.5.5", "a1111"
    Image.new("RGB", (8, 8)).save(content, form, exif=exif)
    return content.getvalue()


A1111_OF_FOOOCUS = """a lake, cinematic
Negative prompt: fog
Steps: 20, Sampler: DPM++ 2M, Seed: 7, Size: 512x768, CFG scale: 6.5, Sharpness: 2.0, ADM Guidance: "(1.5, 0.8, 0.3)", \
Model: starter, Model hash: 0123456789, Performance: Speed, Scheduler: karras, Raw prompt: a lake, \
Version: Fooocus v2.5.5"""


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_both_schemes_of_fooocus_in_exif(form: str) -> None:
    found = read(in_exif(A1111_OF_FOOOCUS, form))
    assert (found.source, found.settings) == ("fooocus", LAKE | {"prompt": "a lake, cinematic"})
    found = read(in_exif(json.dumps(FOOOCUS), form))
    assert (found.source, found.settings, codes(found)) == ("fooocus", LAKE, {"styles"})


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("source", "said"),
    [("swarmui", {"sui_image_params": SWARMUI}), ("easydiffusion", EASY), ("easydiffusion", {"reqBody": EASY})],
)
def test_json_in_exif_and_pasted(form: str, source: str, said: dict[str, Any]) -> None:
    for found in (read(in_exif(json.dumps(said), form)), read_pasted(json.dumps(said), find)):
        assert (found.source, found.settings["prompt"], found.settings["steps"]) == (source, "a lake", 20)


@pytest.mark.parametrize(
    ("changes", "settings", "notes"),
    [
        ({"generation_mode": "img2img", "strength": 0.6}, {"denoising_strength": 0.6}, {"needs_picture"}),
        ({"generation_mode": "inpaint", "strength": 0.6}, {"task": "image_to_image"}, {"needs_picture", "needs_mask"}),
        ({"positive_prompt": "a (red)1.3 lake++"}, {"prompt_dialect": "compel"}, set()),
        ({"positive_prompt": "a (red) lake, blue-green"}, {"prompt": "a (red) lake, blue-green"}, set()),
        ({"rand_device": "cuda"}, {"seed": 7}, {"other_noise"}),
        ({"guidance": 4.0}, {"guidance_scale": 4.0}, set()),
        ({"clip_skip": 1, "seamless_x": True}, {"clip_skip": 2, "tiling": "x"}, set()),
        ({"model": {"model_name": "starter", "base_model": "sd-1"}, "hrf_enabled": True}, {"width": 512}, {"hires"}),
    ],
)
def test_invokeai_3_to_6(changes: dict[str, Any], settings: dict[str, Any], notes: set[str]) -> None:
    found = read_pasted(json.dumps(INVOKEAI | changes), find)
    assert (found.source, found.settings["checkpoint"]) == ("invokeai", "starter")
    assert found.settings.items() >= settings.items()
    assert codes(found) == notes


def test_invokeai_1_and_2() -> None:
    image = {
        "prompt": [{"prompt": "a lake [fog]", "weight": 1}], "steps": 20, "cfg_scale": 6.5, "sampler": "k_euler_a",
        "seed": 7, "width": 512, "height": 768, "type": "txt2img", "hires_fix": False, "seamless": True,
    }  # fmt: skip
    said = {"model": "stable diffusion", "model_weights": "starter", "app_version": "2.3.5", "image": image}
    dream = '"a lake [fog]" -s20 -S7 -W512 -H512 -C6.5 -Ak_euler_a'
    both = png_with(**{"sd-metadata": json.dumps(said), "Dream": dream})
    expected = LAKE | {"scheduler": "euler_a", "sigmas": "default", "tiling": "both"}
    assert (read(both).source, read(both).settings) == ("invokeai", expected)
    alone = {name: value for name, value in expected.items() if name not in ("checkpoint", "tiling")} | {"height": 512}
    for found in (read(png_with(Dream=dream)), read_pasted(dream, find)):
        assert (found.source, found.settings) == ("invokeai", alone)


def test_easy_diffusion_in_words() -> None:
    words = {"Prompt": "a lake", "Negative Prompt": "fog", "Seed": "7", "Steps": "20", "Guidance Scale": "6.5"}
    words |= {"Width": "512", "Height": "768", "Sampler": "dpmpp_2m", "Stable Diffusion model": "starter"}
    expected = LAKE | {"sigmas": "default"}
    assert read(png_with(**words)).settings == expected
    assert read_pasted("\n".join(f"{name}: {value}" for name, value in words.items()), find).settings == expected


@pytest.mark.parametrize(
    ("sampler", "scheduler", "sigmas"),
    [("Euler A Trailing", "euler_a", "sgm_uniform"), ("DPM++ 2M AYS", "dpmpp_2m", "ays"), ("DDIM", "ddim", "default")],
)
def test_draw_things_samplers(sampler: str, scheduler: str, sigmas: str) -> None:
    found = read_pasted(json.dumps(DRAW | {"sampler": sampler, "strength": 0.5}), find)
    assert (found.settings["scheduler"], found.settings["sigmas"]) == (scheduler, sigmas)
    assert (found.settings["task"], found.settings["denoising_strength"]) == ("image_to_image", 0.5)


@pytest.mark.parametrize(
    ("said", "meant", "is_sure"),
    [
        ("{{red}} fox", "((red:1.05):1.05) fox", True),
        ("[red], (animal)", "(red:0.9524), \\(animal\\)", True),
        ("1.5::red, blue::, 0.8::snow ::", "(red, blue:1.5), (snow :0.8)", True),
        ("1.5::red 2::blue::", "(red :1.5)(blue:2)", True),
        ("{red", "{red", False),
        ("red}, [x", "red}, \\[x", False),
        ("-1::hat::", "(hat:-1)", False),
    ],
)
def test_novelais_weights(said: str, meant: str, is_sure: bool) -> None:
    found = read_pasted(json.dumps(NOVELAI | {"prompt": said}), find)
    assert (found.settings["prompt"], "novelai_weights" in codes(found)) == (meant, not is_sure)
