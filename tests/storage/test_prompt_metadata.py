"""What a picture says of a prompt with wildcards: the template, and what it became."""

from __future__ import annotations

import dataclasses
import io
import json

from PIL import Image

from tests.storage.conftest import raw
from webui.requests import from_dict
from webui.requests.diffusion import LookText, ResolvedPrompt, TextToImage
from webui.storage.metadata import infotext, read_darkroom
from webui.storage.pictures import encode_png

REQUEST = TextToImage(
    prompt="a {red|blue} cat, __place__",
    negative_prompt="{dog|fox}",
    seed=5,
    steps=4,
    checkpoint="starter",
    num_images=2,
    resolved_prompts=(
        ResolvedPrompt(prompt="a red cat, lake", negative_prompt="dog"),
        ResolvedPrompt(prompt="a blue cat, lake", negative_prompt="fox"),
    ),
)
SECOND = dataclasses.replace(raw(6), info={"prompt": "a blue cat, lake", "negative_prompt": "fox"})


def test_a_picture_keeps_the_template_and_what_it_became() -> None:
    said = read_darkroom(Image.open(io.BytesIO(encode_png(REQUEST, SECOND))))
    assert said is not None
    kept = from_dict(said["request"])
    assert isinstance(kept, TextToImage)
    assert (kept.prompt, kept.negative_prompt) == (REQUEST.prompt, REQUEST.negative_prompt)
    assert kept.resolved_prompts is None  # the other images' are none of this one's business
    assert (said["info"]["prompt"], said["info"]["negative_prompt"]) == ("a blue cat, lake", "fox")


def test_other_programs_read_what_it_became() -> None:
    prompt, negative, values = infotext(REQUEST, SECOND).split("\n")
    assert (prompt, negative) == ("a blue cat, lake", "Negative prompt: fox")
    assert f"Template: {json.dumps(REQUEST.prompt)}" in values
    assert "Negative Template: {dog|fox}" in values


def test_a_prompt_without_wildcards_has_no_template() -> None:
    plain = TextToImage(prompt="a cat", seed=5, steps=4, checkpoint="starter", emphasis="no_norm")
    text = infotext(plain, raw(5))
    assert "Template" not in text
    assert "Emphasis: No norm" in text


def test_what_looks_made_of_a_prompt_is_what_other_programs_read() -> None:
    look = LookText(name="ink", prompt="ink drawing of {prompt}", negative_prompt="photo")
    own = ResolvedPrompt(prompt="ink drawing of a cat", negative_prompt="photo")
    asked = TextToImage(prompt="a cat", looks=("ink",), look_texts=(look,), resolved_prompts=(own,), seed=5, steps=4)
    made = dataclasses.replace(raw(5), info={"prompt": own.prompt, "negative_prompt": own.negative_prompt})
    prompt, negative, values = infotext(asked, made).split("\n")
    assert (prompt, negative) == ("ink drawing of a cat", "Negative prompt: photo")
    assert "Template" not in values  # whoever reads it has no looks, and would lose theirs
    said = read_darkroom(Image.open(io.BytesIO(encode_png(asked, made))))
    assert said is not None
    assert (said["request"]["looks"], said["request"]["look_texts"][0]["prompt"]) == (["ink"], look.prompt)


def test_a_template_with_a_look_is_told_with_the_look_around_it() -> None:
    look = LookText(name="ink", prompt="ink drawing of {prompt}")
    asked = TextToImage(prompt="a {red|blue} cat", looks=("ink",), look_texts=(look,), seed=5, steps=4)
    made = dataclasses.replace(raw(5), info={"prompt": "ink drawing of a red cat", "negative_prompt": ""})
    assert "Template: ink drawing of a {red|blue} cat" in infotext(asked, made)
