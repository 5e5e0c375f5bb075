"""A1111's own parser reads back what the infotext says."""

from __future__ import annotations

import dataclasses
import string
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic.dataclasses import dataclass

from tests.storage.a1111 import read_infotext
from tests.storage.conftest import raw
from webui import __version__
from webui.metadata import findings, from_infotext
from webui.metadata.reading import read_pasted
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.requests.infotext_names import InfotextName
from webui.requests.infotext_names import infotext as named
from webui.requests.style_transfer import StyleTransfer
from webui.storage.metadata import infotext

REFERENCE = "sha256:" + "ab" * 32
WORDS = st.text(string.ascii_letters + ' ,:"\\\n(){}|.<>湖🧑', max_size=80)


def with_info(**info: Any) -> Any:
    return dataclasses.replace(raw(3), info=info)


def test_every_setting_comes_back(request_: TextToImage) -> None:
    request = dataclasses.replace(request_, clip_skip=2, guidance_scale=6.5, variation_seed=9, variation_strength=0.25)
    image = with_info(checkpoint_hash="0123456789abcdef" * 4, vae_hash="fedcba9876543210" * 4, steps=20)
    found = read_infotext(infotext(request, image))
    assert found == {
        "Prompt": "a lake at night, stars",
        "Negative prompt": "fog",
        "Steps": "20",
        "Sampler": "Euler a",
        "Schedule type": "Karras",
        "CFG scale": "6.5",
        "Seed": "3",
        "Size-1": "128",
        "Size-2": "64",
        "Model hash": "0123456789",
        "Model": "starter",
        "VAE hash": "fedcba9876",
        "Variation seed": "9",
        "Variation seed strength": "0.25",
        "Clip skip": "2",
        "RNG": "CPU",
        "Version": f"Darkroom {__version__}",
    }


def test_what_really_happened_comes_back(request_: TextToImage) -> None:
    plain = read_infotext(infotext(request_, with_info(steps=20)))
    assert not {"Steps run", "Fallback", "Best of", "Best of score"} & plain.keys()
    request = dataclasses.replace(request_, num_images=4, keep_best=1)
    judged = with_info(steps=12, fallback="vae_tiling", rank=2, score=0.314159, critic="clip/ViT-B, 32", kept=False)
    found = read_infotext(infotext(request, judged))
    assert (found["Steps"], found["Steps run"], found["Fallback"]) == ("20", "12", "vae tiling")
    assert (found["Best of"], found["Best of score"]) == ("rank 2 of 4", "0.314159")
    assert found["Best of critic"] == "clip/ViT-B, 32"


def test_a_style_transfer_comes_back() -> None:
    request = StyleTransfer(content_image=REFERENCE, style_image=REFERENCE, iterations=30, seed=2)
    found = read_infotext(infotext(request, with_info(iterations=12)))
    assert (found["Prompt"], found["Steps"], found["Steps run"], found["Size-1"]) == ("", "30", "12", "128")


def test_what_is_special_about_a_style_transfer_is_written_in_our_own_names() -> None:
    request = StyleTransfer(
        content_image=REFERENCE,
        style_image=REFERENCE,
        seed=2,
        style_scale=2.0,
        style_loss="gram",
        keep_colours="coral",
        layer_weights={"conv1_1": 0.5},  # type: ignore[arg-type]
    )
    found = read_infotext(infotext(request, with_info(iterations=200)))
    assert (found["Style scale"], found["Style loss"], found["Keep colours"]) == ("2", "gram", "coral")
    assert found["Weight of conv1_1"] == "0.5"
    assert not {"Init", "Optimizer", "Total variation weight", "Weight of conv2_1"} & found.keys()


@settings(max_examples=150, deadline=None)
@given(prompt=WORDS, negative_prompt=WORDS, template=WORDS, name=WORDS)
def test_any_words_come_back(prompt: str, negative_prompt: str, template: str, name: str) -> None:
    request = TextToImage(
        prompt=template, negative_prompt=negative_prompt, checkpoint=name.replace("/", ""), steps=1, seed=1
    )
    found = read_infotext(infotext(request, with_info(prompt=prompt, negative_prompt=negative_prompt)))
    as_lines = "\n".join(line.strip() for line in prompt.strip().split("\n"))
    assert found["Prompt"].strip() == as_lines
    assert found["Negative prompt"].split() == negative_prompt.split()
    assert (found["Seed"], found["Steps"], found["Size-1"]) == ("3", "1", "128")
    if template != prompt and template:
        assert found["Template"] == template
    if name:
        assert found["Model"] == name
    assert found["Version"] == f"Darkroom {__version__}"


@pytest.mark.parametrize("value", [7.123456789, 0.1, 1e-05, 30.0])
def test_numbers_are_not_rounded(request_: TextToImage, value: float) -> None:
    found = read_infotext(infotext(dataclasses.replace(request_, guidance_scale=value), raw()))
    assert float(found["CFG scale"]) == value


MASKED = {
    "mask": REFERENCE,
    "mask_mode": "not_masked",
    "mask_blur": 7,
    "masked_content": "latent_noise",
    "inpaint_area": "only_masked",
    "inpaint_padding": 48,
    "soft_inpainting": True,
    "resize_mode": "resize_and_fill",
}


@dataclass(frozen=True, kw_only=True)
class Newer(ImageToImage):
    """A request of some later version."""

    sharpness: Annotated[float, named("Sharpness")] = 0.0
    passes: Annotated[int | None, InfotextName("Passes", aliases=("Pass count",))] = None
    finish: Annotated[Literal["matte", "high_gloss"], InfotextName("Finish", {"high_gloss": "High gloss"})] = "matte"


def test_a_field_that_is_declared_with_a_name_is_written_and_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (findings, from_infotext):
        monkeypatch.setattr(module, "ImageToImage", Newer)
    values = {"sharpness": 0.5, "passes": 2, "finish": "high_gloss"}
    text = infotext(Newer(init_image=REFERENCE, steps=20, **values), with_info())
    assert "Sharpness: 0.5, Passes: 2, Finish: High gloss, " in text
    for said in (text, text.replace("Passes", "pass count")):
        found = read_pasted(said, lambda hash, name: None)
        assert {name: found.settings.get(name) for name in values} == values
        assert found.unknown == ()
    plain = infotext(Newer(init_image=REFERENCE, steps=20), with_info())
    assert not [name for name in ("Sharpness", "Passes", "Finish") if name in plain]


def test_a_mask_goes_by_the_names_that_a1111_has() -> None:
    request = ImageToImage(init_image=REFERENCE, steps=20, width=512, height=256, denoising_strength=0.75, **MASKED)
    found = read_infotext(infotext(request, with_info(steps=15)))
    assert {name: found[name] for name in found if name.startswith(("Mask", "Inpaint", "Soft", "Resize", "Den"))} == {
        "Denoising strength": "0.75",
        "Resize mode": "Resize and fill",
        "Mask mode": "Inpaint not masked",
        "Mask blur": "7",
        "Inpaint area": "Only masked",
        "Masked area padding": "48",
        "Masked content": "latent noise",
        "Soft inpainting enabled": "True",
    }
    assert (found["Size-1"], found["Size-2"]) == ("512", "256")  # of what was drawn, as A1111 has it
    assert (found["Picture size-1"], found["Picture size-2"]) == ("128", "64")


def test_nothing_is_said_of_a_mask_where_there_is_none() -> None:
    found = read_infotext(infotext(ImageToImage(init_image=REFERENCE, steps=20, masked_content="fill"), with_info()))
    assert not [name for name in found if name.startswith(("Mask", "Inpaint", "Soft", "Resize", "Picture"))]


@pytest.mark.parametrize("extra", [MASKED, {"outpaint_left": 64, "outpaint_top": 8}, {"resize_mode": "latent_upscale"}])
def test_what_is_about_the_picture_is_read_again(extra: dict[str, Any]) -> None:
    strength = 1.0 if "outpaint_left" in extra else 0.5  # what is added is drawn from noise alone, and it says so
    values = {"steps": 20, "width": 128, "height": 64, "denoising_strength": 0.5} | extra
    text = infotext(ImageToImage(init_image=REFERENCE, **values), with_info(steps=10))
    found = read_pasted(text, lambda hash, name: None)
    assert {name: found.settings.get(name) for name in values if name != "mask"} == {
        name: value for name, value in (values | {"denoising_strength": strength}).items() if name != "mask"
    }
    assert found.unknown == ()
    assert ("needs_mask" in [note.code for note in found.notes]) == ("mask" in extra)
