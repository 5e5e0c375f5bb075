"""The dialects on whole pictures: what changes nothing, what changes pixels, and wildcards for each image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.settling import SettlingEngine
from webui.engine.context import Context
from webui.requests.diffusion import TextToImage
from webui.settings import Settings
from webui.worker.messages import RawImage

Make = Callable[..., list[RawImage]]


@pytest.fixture(scope="module")
def make(toy_models: Path, tmp_path_factory: pytest.TempPathFactory, multiplies_bf16: bool) -> Make:
    """Draws with one engine on toy checkpoints, at 4 steps, in the number type that the CPU multiplies."""
    presets = tmp_path_factory.mktemp("presets")
    (presets / "wildcards").mkdir()
    (presets / "wildcards" / "animal.txt").write_text("cat\ndog\n", encoding="utf-8")
    engine = SettlingEngine(Settings(models_dir=toy_models, presets_dir=presets, device="cpu"))
    context = Context(lambda _event: None, lambda: None, lambda: False, lambda _reference: b"")

    def draw(prompt: str, **values: Any) -> list[RawImage]:
        asked = {"checkpoint": "toy-sd15", "seed": 3, "steps": 4, "width": 64, "height": 64, "guidance_scale": 5.0}
        return engine.run(TextToImage(**{"prompt": prompt, **asked, **values}), context)

    return draw


@pytest.mark.parametrize("checkpoint", ["toy-sd15", "toy-sdxl"])
def test_a_plain_prompt_is_the_same_in_both_dialects(make: Make, checkpoint: str) -> None:
    ours, theirs = (
        make("a red cat, a lake", negative_prompt="dog", checkpoint=checkpoint, prompt_dialect=dialect)[0].rgb
        for dialect in ("a1111", "compel")
    )
    assert ours == theirs


@pytest.mark.parametrize(
    ("prompt", "same_as", "is_same"),
    [
        ("a (cat:1.0)", "a cat", True),
        ("a (cat:1.6)", "a cat", False),
        ("a cat AND a cat", "a cat AND a cat:0", False),
        ("a cat AND a dog:0", "a cat", True),
        ("a cat AND a dog", "a cat", False),
        ("a [cat:dog:2]", "a cat", False),
        ("a [cat:dog:2]", "a dog", False),
        ("a [cat:dog:4]", "a cat", True),
        ("a [cat:dog:0]", "a dog", True),
        ("a [cat|dog]", "a [dog|cat]", False),
        ("a [cat|dog]", "[a cat:a [dog:[cat:dog:3]:2]:1]", True),
    ],
)
def test_what_changes_pixels(make: Make, prompt: str, same_as: str, is_same: bool) -> None:
    assert (make(prompt)[0].rgb == make(same_as)[0].rgb) == is_same


def test_and_pulls_also_without_guidance(make: Make) -> None:
    assert make("cat AND dog", guidance_scale=1.0)[0].rgb != make("cat", guidance_scale=1.0)[0].rgb
    assert make("cat AND dog", guidance_scale=0.0)[0].rgb == make("cat AND dog", guidance_scale=1.0)[0].rgb


def test_every_image_is_told_its_own_prompt(make: Make) -> None:
    images = make("a __animal__ {red|blue}", num_images=6)
    prompts = [str(image.info["prompt"]) for image in images]
    assert len(set(prompts)) > 1
    assert set(prompts) <= {f"a {animal} {colour}" for animal in ("cat", "dog") for colour in ("red", "blue")}
    for image, prompt in zip(images, prompts, strict=True):
        assert make(prompt, seed=image.seed)[0].rgb == image.rgb
        assert "prompt" not in make(prompt, seed=image.seed)[0].info


def test_other_families_hear_the_prompt_as_it_stands(make: Make) -> None:
    asked = {"checkpoint": "toy-sd3", "steps": 2}
    assert make("a cat # not this", **asked)[0].rgb == make("a cat", **asked)[0].rgb
    assert make("a (cat:1.0)", **asked)[0].rgb != make("a cat", **asked)[0].rgb
    assert Image.frombytes("RGB", (64, 64), make("{a|b} cat", **asked)[0].rgb).size == (64, 64)
