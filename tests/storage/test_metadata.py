"""What a file says about itself."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import pytest
from PIL import Image

from tests.storage.conftest import raw
from webui import __version__
from webui.requests import from_dict
from webui.requests.diffusion import Diffusion, ImageToImage, TextToImage
from webui.requests.style_transfer import StyleTransfer
from webui.storage.metadata import MAX_METADATA_BYTES, TRAINED_ALGORITHMIC_MEDIA, infotext, read_darkroom
from webui.storage.pictures import encode_png

REFERENCE = "sha256:" + "ab" * 32


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def test_the_request_can_be_read_back(request_: TextToImage) -> None:
    image = opened(encode_png(request_, raw(5)))
    said = read_darkroom(image)
    assert said is not None
    assert from_dict(said["request"]) == request_
    assert (said["seed"], said["version"], said["info"]) == (5, __version__, {"device": "cpu"})
    assert image.tobytes() == raw(5).rgb


def test_it_is_marked_as_made_by_a_machine(request_: TextToImage) -> None:
    image = opened(encode_png(request_, raw()))
    assert TRAINED_ALGORITHMIC_MEDIA in image.text["XML:com.adobe.xmp"]
    xmp = image.getxmp() if _has_xml() else {}
    assert not xmp or "DigitalSourceType" in json.dumps(xmp)


def _has_xml() -> bool:
    try:
        import defusedxml  # noqa: F401
    except ImportError:
        return False
    return True


def test_infotext_reads_as_a1111_writes_it(request_: TextToImage) -> None:
    assert infotext(request_, raw(3)) == (
        "a lake at night, stars\n"
        "Negative prompt: fog\n"
        "Steps: 20, Sampler: Euler a, Schedule type: Karras, CFG scale: 7, Seed: 3, Size: 128x64, Model: starter, "
        f"RNG: CPU, Version: Darkroom {__version__}"
    )


def test_infotext_of_image_to_image(request_: TextToImage) -> None:
    values = {field.name: getattr(request_, field.name) for field in dataclasses.fields(Diffusion)}
    request = ImageToImage(**{**values, "negative_prompt": "", "sigmas": "default"}, init_image=REFERENCE)
    lines = infotext(request, raw()).splitlines()
    assert len(lines) == 2
    assert "Schedule type: Automatic" in lines[1]
    assert "Denoising strength: 0.6, " in lines[1]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"sigmas": "sgm_uniform"}, "Schedule type: SGM Uniform, "),
        ({"sigmas": "ays"}, "Schedule type: Align Your Steps, "),
        ({"scheduler": "dpmpp_2m", "sigmas": "default"}, "Schedule type: Uniform, "),  # Automatic would be Karras
        ({"clip_skip": 2}, ", Clip skip: 2, RNG: CPU, "),
        ({"vae": "vae/sharp"}, ", VAE: vae/sharp, "),
        ({"tiling": "both"}, ", Tiling: True, "),
        ({"tiling": "y"}, ", Tile X: False, Tile Y: True, "),
        ({"guidance_rescale": 0.7}, ", CFG Rescale: 0.7, "),
        ({"guidance_start": 0.2}, ", Skip Early CFG: 0.2, "),
        ({"guidance_end": 0.8}, ", Guidance end: 0.8, "),
        ({"eta": 0.5}, ", Eta: 0.5, "),
        ({"eta": 0.0}, ", Eta: 0, "),
        ({"scheduler": "ddim", "sigmas": "default", "eta": 0.5}, ", Eta DDIM: 0.5, "),
        ({"emphasis": "no_norm"}, ", Emphasis: No norm, "),
        ({"decoder": "tiny"}, ", VAE Decoder: TAESD, "),
        ({"prompt_dialect": "compel"}, ", Prompt dialect: Compel, "),
    ],
)
def test_infotext_has_a1111s_own_names(request_: TextToImage, values: dict[str, Any], said: str) -> None:
    assert said in infotext(dataclasses.replace(request_, **values), raw())
    assert said not in infotext(request_, raw())


def test_infotext_of_a_variation_names_the_images_own_seed(request_: TextToImage) -> None:
    request = dataclasses.replace(request_, variation_seed=7, variation_strength=0.25)
    second = dataclasses.replace(raw(3), info={"variation_seed": 8})
    assert ", Variation seed: 8, Variation seed strength: 0.25, " in infotext(request, second)
    assert ", Variation seed: 7, " in infotext(request, raw(3)), "where the worker said nothing"
    assert "Variation" not in infotext(request_, raw(3))


def test_infotext_quotes_what_would_break_it(request_: TextToImage) -> None:
    request = dataclasses.replace(request_, checkpoint="my, model: v2")
    assert 'Model: "my, model: v2", ' in infotext(request, raw())


def test_infotext_of_a_style_transfer() -> None:
    request = StyleTransfer(content_image=REFERENCE, style_image=REFERENCE, iterations=30, seed=2)
    assert infotext(request, raw(2)).startswith("Steps: 30, Seed: 2, Size: 128x64, ")


@pytest.mark.parametrize(
    "prompt", ["秋树环绕的宁静湖泊", "emoji 🧑‍🎨", "a\nb\tc", "<img onerror=1>", "x" * 10_000, "湖" * 10_000]
)
def test_any_prompt_survives_the_file(request_: TextToImage, prompt: str) -> None:
    request = dataclasses.replace(request_, prompt=prompt, negative_prompt=prompt)
    image = opened(encode_png(request, raw()))
    said = read_darkroom(image)
    assert said is not None
    assert said["request"]["prompt"] == prompt
    assert image.text["parameters"].startswith(prompt)
    assert sum(len(text.encode()) for text in image.text.values()) < MAX_METADATA_BYTES


def test_text_that_no_file_can_hold_is_gone_before_it_gets_here() -> None:
    request = TextToImage(prompt="a\ud800b\0c\x1b[31m e\u0301", steps=1)
    assert request.prompt == "abc[31m é"
    assert read_darkroom(opened(encode_png(request, raw()))) is not None


def test_too_much_of_what_happened_is_left_out(request_: TextToImage) -> None:
    image = dataclasses.replace(raw(), info={"log": "x" * MAX_METADATA_BYTES})
    said = read_darkroom(opened(encode_png(request_, image)))
    assert said is not None
    assert "info" not in said


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[" * 100_000, '{"request": 1, "seed": 1}', '{"request": {}, "seed": "1"}']
)
def test_foreign_text_reads_as_none(text: str) -> None:
    image = Image.new("RGB", (1, 1))
    image.text = {"darkroom": text}  # type: ignore[attr-defined]
    assert read_darkroom(image) is None


def test_all_texts_together_keep_to_the_limit() -> None:
    wide = "🧑" * 10_000
    request = TextToImage(prompt=wide, negative_prompt=wide, steps=1, seed=1)
    became = "湖" + wide[1:]
    image = dataclasses.replace(raw(), info={"prompt": became, "negative_prompt": became})
    texts = opened(encode_png(request, image)).text
    assert len(texts["darkroom"].encode()) + len(texts["parameters"].encode()) <= MAX_METADATA_BYTES
    assert json.loads(texts["darkroom"])["request"]["prompt"] == wide
    assert texts["parameters"].startswith(became), "the templates are in our JSON, and left out here"
    assert "Template" not in texts["parameters"]
