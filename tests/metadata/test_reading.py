"""What A1111, Forge, SD.Next, ComfyUI and we ourselves wrote, read as settings; and any text whatever."""

from __future__ import annotations

import dataclasses
import json
import string
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.storage.a1111 import read_infotext as a1111_reads
from tests.storage.conftest import raw
from webui.metadata.embedded_texts import Text
from webui.metadata.findings import MAX_UNKNOWN, MAX_VALUE_CHARACTERS
from webui.metadata.infotext import read_infotext, read_pairs
from webui.metadata.reading import Inspection, read_pasted, read_texts
from webui.requests import from_dict, to_dict
from webui.requests.diffusion import TextToImage
from webui.requests.style_transfer import LayerWeights, StyleTransfer
from webui.storage.metadata import darkroom_json, infotext

REFERENCE = "sha256:" + "0" * 64
A1111 = """a (lake:1.2), stars
second line
Negative prompt: fog,
blur
Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 965400086, Size: 512x768, \
Model hash: 0123456789, Model: dreamy, VAE: vae-ft.safetensors, Clip skip: 2, \
Lora hashes: "one: 12, two: 34", Version: v1.10.1"""

PICTURE = "sha256:" + "0" * 64


def find(hash: str | None, name: str | None) -> tuple[str, bool | None] | None:
    if hash == "0123456789" or hash == "c" * 64:
        return "folder/dreamy", True
    return ("starter", None) if name in ("starter", "starter.safetensors", "folder/starter") else None


def codes(found: Inspection) -> set[str]:
    return {note.code for note in found.notes}


def test_a1111s_line() -> None:
    found = read_pasted(A1111, find)
    assert found.source == "a1111"
    assert found.settings == {
        "task": "text_to_image",
        "prompt": "a (lake:1.2), stars\nsecond line",
        "negative_prompt": "fog,\nblur",
        "steps": 20,
        "scheduler": "dpmpp_2m",
        "sigmas": "karras",
        "guidance_scale": 6.5,
        "seed": 965400086,
        "width": 512,
        "height": 768,
        "checkpoint": "folder/dreamy",
        "clip_skip": 2,
        "noise_source": "nv",  # a card's, unless the line says otherwise
    }
    assert found.unknown == (("VAE", "vae-ft.safetensors"),)
    assert codes(found) == set()


@pytest.mark.parametrize(("said", "source"), [("CPU", "cpu"), ("NV", "nv"), ("GPU", "nv"), ("cpu", "cpu")])
def test_whose_noise_it_was(said: str, source: str) -> None:
    found = read_pasted(f"{A1111}, RNG: {said}", find)
    assert found.settings["noise_source"] == source


def test_a_vae_that_taesd_decoded_in_place_of_is_no_setting() -> None:
    found = read_pasted(A1111 + ", VAE Decoder: TAESD", find, {"vae-ft.safetensors": "vae/ft"}.get)
    assert found.settings["decoder"] == "tiny"
    assert ("vae" in found.settings, found.unknown) == (False, ())


def test_a_vae_that_is_here_is_a_setting_and_none_is_nothing() -> None:
    found = read_pasted(A1111, find, {"vae-ft.safetensors": "vae/ft"}.get)
    assert (found.settings["vae"], found.unknown) == ("vae/ft", ())
    for word in ("Automatic", "None"):
        found = read_pasted(A1111.replace("vae-ft.safetensors", word), find)
        assert ("vae" in found.settings, found.unknown) == (False, ())


@pytest.mark.parametrize(("word", "decoder"), [("TAESD", "tiny"), ("Full", "full")])
def test_what_decoded_it_is_read_in_a1111_s_words(word: str, decoder: str) -> None:
    found = read_pasted(A1111.replace("VAE: vae-ft.safetensors", f"VAE Decoder: {word}"), find)
    assert (found.settings["decoder"], found.unknown) == (decoder, ())


def test_an_old_combined_sampler_and_a_hires_pass() -> None:
    found = read_pasted(
        "x\nSteps: 9, Sampler: DPM++ SDE Karras, Seed: 3, Denoising strength: 0.4, Hires upscale: 2, Size: 510x64", find
    )
    assert (found.settings["scheduler"], found.settings["sigmas"]) == ("dpmpp_sde", "karras")
    assert (found.settings["width"], found.settings["task"]) == (512, "text_to_image")
    assert "denoising_strength" not in found.settings
    assert dict(found.unknown).keys() == {"Hires upscale", "Denoising strength"}
    assert codes(found) == {"hires", "size_rounded"}


@pytest.mark.parametrize(
    ("sizes", "taken"),
    [
        ("Size: 1024x768, First pass size: 512x384", (512, 384)),
        ("First pass size: 0x0, Size: 1024x1024", (512, 512)),
        ("Size: 1024x576, First pass size: 0x0", (704, 384)),
    ],
)
def test_the_old_hires_pass(sizes: str, taken: tuple[int, int]) -> None:
    found = read_pasted(f"x\nSteps: 9, Sampler: Euler a, Seed: 3, RNG: CPU, {sizes}, Denoising strength: 0.7", find)
    assert (found.settings["width"], found.settings["height"]) == taken
    assert (found.settings["task"], codes(found)) == ("text_to_image", {"hires"})
    assert dict(found.unknown).keys() == {"Size", "Denoising strength"}


@pytest.mark.parametrize(
    "value",
    [
        '[{"modelName": "A, Seed: 77, Steps: 3", "weight": 0.7}, {"type": "checkpoint, Sampler: DDIM"}]',
        '{"model": "0123456789, Seed: 77", "lora:ink": "ab"}',
        '[{"modelName": "' + "湖" * 900 + '"}]',
    ],
)
@pytest.mark.parametrize("line", ["Steps: 9, Resources: {}, Seed: 5", "Resources: {}, Steps: 9, Seed: 5"])
def test_a_list_or_an_object_is_one_value(value: str, line: str) -> None:
    found = read_pasted("x\n" + line.replace("{}", value), find)
    assert (found.settings["seed"], found.settings["steps"]) == (5, 9)
    assert found.unknown == (("Resources", value),)


def test_brackets_that_are_no_json_end_at_the_comma() -> None:
    assert read_pairs("Hires prompt: [a|b], Seed: 5, Note: [1] of 2, More: {a") == {
        "Hires prompt": "[a|b]", "Seed": "5", "Note": "[1] of 2", "More": "{a"
    }  # fmt: skip


def test_a_picture_that_came_from_another_one() -> None:
    found = read_pasted("x\nSteps: 9, Seed: 3, RNG: CPU, Denoising strength: 0.4, Model: starter", find)
    assert (found.settings["task"], found.settings["denoising_strength"]) == ("image_to_image", 0.4)
    assert codes(found) == {"needs_picture", "by_name_alone"}


@pytest.mark.parametrize(
    ("said", "unknown"),
    [
        ("Steps: 1e9", "Steps"),
        ("Steps: 0", "Steps"),
        ("Size: 99999x1", "Size"),
        ("Size: 1x1x1", "Size"),
        ("CFG scale: nan", "CFG scale"),
        ("CFG scale: 31", "CFG scale"),
        ("Seed: 4294967296", "Seed"),
        ("Seed: -2", "Seed"),
        ("Sampler: DPM adaptive", "Sampler"),
        ("Schedule type: KL Optimal", "Schedule type"),
        ("Clip skip: 13", "Clip skip"),
        ("Model: ../../etc/passwd", "Model"),
        ("Tiling of mine: yes", "Tiling of mine"),
    ],
)
def test_what_is_out_of_bounds_is_said_and_not_taken(said: str, unknown: str) -> None:
    found = read_pasted(
        f"x\nAlso: 1, Seed: 1, More: 2, {said}" if "Seed" not in said else f"x\n{said}, A1: 1, B2: 2", find
    )
    assert unknown in dict(found.unknown)
    value = said.partition(": ")[2]
    assert value in dict(found.unknown)[unknown]
    assert value not in map(str, found.settings.values())


def test_forge_and_sdnext() -> None:
    forge = read_pasted("x\nSteps: 4, Sampler: Euler, Seed: 1, Distilled CFG Scale: 3.5, Version: f2.0.1v1.10.1", find)
    assert (forge.source, forge.unknown) == ("forge", (("Distilled CFG Scale", "3.5"),))
    text = (
        "a lake\nNegative prompt: fog\nTemplate: a __place__\nNegative Template: {fog|mist}\n"
        "Steps: 25, Size: 64x128, Sampler: UniPC, Seed: 7, CFG scale: 6, App: SD.Next, Parser: native, Pipeline: Stable"
    )
    sdnext = read_pasted(text, find)
    assert sdnext.source == "sdnext"
    assert (sdnext.settings["prompt"], sdnext.settings["negative_prompt"]) == ("a lake", "fog")
    assert (sdnext.settings["scheduler"], sdnext.settings["height"]) == ("unipc", 128)
    assert dict(sdnext.unknown).items() >= {"Template": "a __place__", "Pipeline": "Stable"}.items()
    split = read_pasted("a lake\nSteps: 25, Seed: 7\nSampler: Euler a", find)
    assert (split.settings["steps"], split.settings["scheduler"]) == (25, "euler_a")


def test_our_own_line_and_json_give_the_request_back(request_: TextToImage) -> None:
    image = dataclasses.replace(raw(9), info={"checkpoint_hash": "c" * 64, "steps": 20})
    for found in (
        read_pasted(infotext(request_, dataclasses.replace(image, info={})), find),
        read_texts([Text("parameters", "x"), Text("darkroom", darkroom_json(request_, image))], find),
    ):
        assert found.source == "darkroom"
        assert found.unknown == ()
        again = to_dict(from_dict(found.settings))
        asked = to_dict(request_)
        del again["checkpoint"], asked["checkpoint"]
        assert again == asked | {"seed": 9}
    assert found.settings["checkpoint"] == "folder/dreamy"


def test_our_own_line_of_a_style_transfer() -> None:
    request = StyleTransfer(
        content_image=PICTURE,
        style_image=PICTURE,
        iterations=30,
        seed=2,
        style_scale=2.0,
        style_loss="gram",
        keep_colours="coral",
        layer_weights=LayerWeights(conv1_1=0.5),
    )
    found = read_pasted(infotext(request, raw()), find)
    settings = dict(found.settings)
    assert settings.pop("layer_weights") == {"conv1_1": 0.5}
    assert (settings["style_scale"], settings["style_loss"], settings["keep_colours"]) == (2.0, "gram", "coral")
    assert (settings["task"], settings["iterations"]) == ("style_transfer", 30)
    assert found.unknown == ()
    of_json = read_pasted(darkroom_json(request, raw()), find).settings
    assert from_dict({**of_json, "seed": 2}) == request


def test_a_request_of_another_version_is_read_field_by_field() -> None:
    asked = {"task": "image_to_image", "prompt": "x", "steps": 900, "seed": 3, "from_2030": {"a": 1}}
    said = {"request": asked | {"init_image": REFERENCE, "denoising_strength": 0.3}, "seed": 4, "info": []}
    found = read_pasted(json.dumps(said), find)
    assert found.settings == {
        "task": "image_to_image", "prompt": "x", "seed": 4, "init_image": REFERENCE, "denoising_strength": 0.3
    }  # fmt: skip
    assert dict(found.unknown) == {"steps": "900", "from_2030": "{'a': 1}"}


def test_what_a_newer_version_asked_for_is_named() -> None:
    request = {
        "task": "text_to_image",
        "schema_version": 9,
        "prompt": "x",
        "from_2030": 1,
        "walk_to": {"seed": 1, "a": 1},
    }
    found = read_pasted(json.dumps({"request": request, "seed": 4}), find)
    assert found.settings == {"task": "text_to_image", "prompt": "x", "seed": 4}
    assert dict(found.unknown) == {"from_2030": "1", "walk_to": "{'seed': 1, 'a': 1}"}
    assert codes(found) == {"newer"}


def test_a_task_of_a_newer_version_is_named_beside_what_others_can_read() -> None:
    ours = json.dumps({"request": {"task": "text_to_video", "schema_version": 9, "prompt": "x"}, "seed": 4})
    alone = read_pasted(ours, find)
    assert (alone.source, alone.settings, alone.unknown) == ("none", {}, (("task", "text_to_video"),))
    assert codes(alone) == {"newer"}
    found = read_texts([Text("darkroom", ours), Text("parameters", A1111)], find)
    assert (found.source, found.settings["steps"]) == ("a1111", 20)
    assert found.unknown == (("task", "text_to_video"), ("VAE", "vae-ft.safetensors"))
    assert codes(found) == {"newer"}


def test_what_wildcards_became_is_said(request_: TextToImage) -> None:
    image = dataclasses.replace(raw(9), info={"prompt": "a red lake"})
    found = read_pasted(darkroom_json(request_, image), find)
    assert [(note.code, note.details["prompt"]) for note in found.notes if note.code == "wildcards"] == [
        ("wildcards", "a red lake")
    ]


def comfy(**changes: Any) -> dict[str, Any]:
    graph = {
        "3": {"class_type": "KSampler", "inputs": {
            "seed": ["11", 0], "steps": 20, "cfg": 8.0, "sampler_name": "dpmpp_2m_sde_gpu", "scheduler": "normal",
            "denoise": 1.0, "model": ["10", 0], "positive": ["12", 0], "negative": ["12", 1],
            "latent_image": ["5", 0]}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "starter.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 256, "batch_size": 2}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a (lake:1.3)", "clip": ["13", 0]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": ["14", 0], "clip": ["13", 0]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0]}},
        "10": {"class_type": "LoraLoader", "inputs": {
            "lora_name": "ink.safetensors", "strength_model": 0.7, "model": ["4", 0], "clip": ["4", 1]}},
        "11": {"class_type": "PrimitiveInt", "inputs": {"value": 42}},
        "12": {"class_type": "ControlNetApplyAdvanced", "inputs": {"positive": ["6", 0], "negative": ["7", 0]}},
        "13": {"class_type": "CLIPSetLastLayer", "inputs": {"stop_at_clip_layer": -2, "clip": ["10", 1]}},
        "14": {"class_type": "String", "inputs": {"string": "fog"}},
    }  # fmt: skip
    return graph | changes


def test_comfyuis_graph() -> None:
    found = read_texts([Text("prompt", json.dumps(comfy()))], find)
    assert found.source == "comfyui"
    assert found.settings == {
        "task": "text_to_image", "prompt": "a (lake:1.3)", "negative_prompt": "fog", "seed": 42, "steps": 20,
        "guidance_scale": 8.0, "scheduler": "dpmpp_2m_sde", "sigmas": "default", "width": 512, "height": 256,
        "num_images": 2, "clip_skip": 2, "checkpoint": "starter",
    }  # fmt: skip
    assert found.unknown == (("LoRA", "ink.safetensors: 0.7"),)
    assert codes(found) == {"by_name_alone", "other_weights"}


def test_of_two_samplers_the_first_in_time_is_told() -> None:
    second = {"class_type": "KSampler", "inputs": {
        "seed": 1, "steps": 9, "cfg": 2.0, "sampler_name": "euler", "scheduler": "karras", "denoise": 0.5,
        "latent_image": ["21", 0]}}  # fmt: skip
    upscale = {"class_type": "LatentUpscale", "inputs": {"samples": ["3", 0]}}
    decode = {"class_type": "VAEDecode", "inputs": {"samples": ["20", 0]}}
    found = read_pasted(json.dumps(comfy(**{"20": second, "21": upscale, "8": decode})), find)
    assert (found.settings["steps"], found.settings["seed"]) == (20, 42)
    assert "several_samplers" in codes(found)


def test_a_drawn_workflow() -> None:
    nodes = [
        {"id": 1, "type": "KSampler", "widgets_values": [7, "fixed", 12, 5, "euler_ancestral", "karras", 1], "inputs": [
            {"name": "model", "link": 1}, {"name": "positive", "link": 2}, {"name": "latent_image", "link": 3}]},
        {"id": 2, "type": "CheckpointLoaderSimple", "widgets_values": ["starter.safetensors"]},
        {"id": 3, "type": "CLIPTextEncode", "widgets_values": ["a lake"], "inputs": [{"name": "clip", "link": 4}]},
        {"id": 4, "type": "EmptyLatentImage", "widgets_values": [128, 64, 1]},
        {"id": 5, "type": "PreviewImage", "inputs": [{"name": "images", "link": 5}]},
    ]  # fmt: skip
    links = [
        [1, 2, 0, 1, 0, "MODEL"],
        [2, 3, 0, 1, 1, ""],
        [3, 4, 0, 1, 3, ""],
        [4, 2, 1, 3, 0, ""],
        [5, 1, 0, 5, 0, ""],
    ]
    found = read_texts([Text("workflow", json.dumps({"nodes": nodes, "links": links}))], find)
    assert found.settings == {
        "task": "text_to_image", "prompt": "a lake", "seed": 7, "steps": 12, "guidance_scale": 5.0, "width": 128,
        "height": 64, "num_images": 1, "scheduler": "euler_a", "sigmas": "karras", "checkpoint": "starter",
    }  # fmt: skip


def test_circles_come_to_an_end() -> None:
    for id in comfy():
        graph = comfy()
        graph[id]["inputs"] = {name: [id, 0] for name in graph[id]["inputs"]} | {"images": ["3", 0], "value": [id, 0]}
        read_pasted(json.dumps(graph), find)


NAMES = ["Steps", "Seed", "Size", "Sampler", "CFG scale", "Eta", "Model", "Version", "Tile X", "Template", "湖湖"]
VALUES = st.one_of(
    st.sampled_from(["20", "1e309", "-1", "512x512", '"a, b"', '"', "True", "Euler a"]), st.text(max_size=20)
)


@settings(max_examples=200, deadline=None)
@given(
    start=st.text(max_size=50),
    pairs=st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=12),
    end=st.text(string.printable, max_size=30),
)
def test_no_line_makes_it_raise(start: str, pairs: list[tuple[str, str]], end: str) -> None:
    line = start + "\n" + ", ".join(f"{name}: {value}" for name, value in pairs) + end
    check(read_pasted(line, find))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_json_makes_it_raise(data: st.DataObject) -> None:
    graph = comfy()
    for _ in range(data.draw(st.integers(1, 4))):
        node = graph[data.draw(st.sampled_from(list(graph)))]
        if not isinstance(node.get("inputs"), dict) or not node["inputs"] or data.draw(st.booleans()):
            node[data.draw(st.sampled_from(["inputs", "class_type"]))] = data.draw(JSON)
        else:
            link = st.tuples(st.sampled_from(list(graph)), st.just(0)).map(list)
            node["inputs"][data.draw(st.sampled_from(list(node["inputs"])))] = data.draw(JSON | link)
    check(read_texts([Text("prompt", json.dumps(graph))], find))
    said = {
        "request": {"task": "text_to_image", "steps": data.draw(JSON), "x": data.draw(JSON)},
        "seed": data.draw(JSON),
    }
    check(read_pasted(json.dumps(said | {"info": data.draw(JSON)}), find))
    check(read_pasted(json.dumps(data.draw(JSON)), find))


def check(found: Inspection) -> None:
    """Every bound holds: what was found is a request, as far as it goes."""
    if found.source == "none":
        assert not found.settings
        return
    given_pictures = {name: REFERENCE for name in ("init_image",) if found.settings["task"] == "image_to_image"}
    from_dict(given_pictures | found.settings)
    assert len(found.unknown) <= MAX_UNKNOWN
    for name, value in found.unknown:
        (name + value).encode()
        assert len(value) <= MAX_VALUE_CHARACTERS


@pytest.mark.parametrize(
    "text",
    ["a" * 500_000, "a," * 250_000, 'a:"' * 160_000, 'a:"\\",' * 80_000, "Steps: 1\n" * 50_000, " " * 500_000,
     "{" * 500_000, 'aa: [{"bb": [1,' * 30_000, "x\nSteps: 1, Seed: 2, aa: " + '[{"b": [1,' * 50_000,
     "aa: [1" + ",1" * 200_000,
     "aa: [" * 100_000, '"aa: [", ' * 60_000, '{"a":' * 100_000, '"' * 500_000, "a: " + " " * 500_000, "\n" * 500_000],
)  # fmt: skip
def test_long_texts_take_no_time(text: str) -> None:
    began = time.process_time()
    read_pasted(text, find)
    assert time.process_time() - began < 2, "a second, and another for a busy machine"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(NAMES[:8]), st.text(string.ascii_letters + ' ,:"\\', min_size=1)), max_size=6)
)
def test_pairs_are_read_as_a1111_reads_them(said: list[tuple[str, str]]) -> None:
    values = dict(said)
    line = ", ".join(f"{name}: {json.dumps(value)}" for name, value in values.items())
    assert read_pairs(line) == values
    infotext = read_infotext(f"a lake\nNegative prompt: fog\nSteps: 1, Seed: 2, {line}, Size: 8x8")
    theirs = a1111_reads(f"a lake\nNegative prompt: fog\nSteps: 1, Seed: 2, {line}, Size: 8x8")
    assert infotext is not None
    assert (infotext.prompt, infotext.negative_prompt) == (theirs["Prompt"], theirs["Negative prompt"])
