"""What a picture says of a prompt with wildcards: the template, and what it became."""

from __future__ import annotations

import dataclasses
import io
import json

from PIL import Image

from tests.storage.conftest import raw
from webui.requests import ResolvedPrompt, TextToImage, from_dict
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
