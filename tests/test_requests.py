"""A request says everything, refuses what it does not know, and survives its own JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from webui.requests import REQUESTS, from_dict, image_seed, to_dict
from webui.requests.diffusion import Branch, ImageToImage, TextToImage
from webui.requests.field_types import MAX_PROMPT_CHARACTERS, MAX_SEED, clean_text
from webui.requests.fields import field_limits, picture_fields, pictures_of, with_pictures
from webui.requests.style_transfer import LayerWeights, StyleTransfer, WeightedStyle

REFERENCE = "sha256:" + "0f" * 32


@pytest.mark.parametrize(
    "request_",
    [
        TextToImage(prompt="秋树环绕的宁静湖泊", seed=7, scheduler="euler", steps=3),
        ImageToImage(init_image=REFERENCE, denoising_strength=0.0),
        StyleTransfer(content_image=REFERENCE, style_image=REFERENCE, size=64),
        StyleTransfer(
            content_image=REFERENCE,
            style_image=REFERENCE,
            style_images=({"image": REFERENCE, "weight": 0.5},),  # type: ignore[arg-type]
            layer_weights={"conv1_1": 2.0},  # type: ignore[arg-type]
            keep_colours="coral",
        ),
    ],
)
def test_a_request_survives_json(request_: Any) -> None:
    assert from_dict(json.loads(json.dumps(to_dict(request_)))) == request_


@pytest.mark.parametrize(
    "bad",
    [
        {"stepz": 1},
        {"steps": True},
        {"steps": "20"},
        {"steps": 0},
        {"steps": 151},
        {"guidance_scale": float("inf")},
        {"guidance_scale": float("nan")},
        {"guidance_scale": -0.1},
        {"width": 100},
        {"width": 56},
        {"height": 2056},
        {"seed": 1.5},
        {"seed": 2**32},
        {"seed": -2},
        {"num_images": 17},
        {"scheduler": "magic"},
        {"sigmas": "magic"},
        {"prompt": "a" * (MAX_PROMPT_CHARACTERS + 1)},
        {"prompt": None},
        {"prompt": 3},
        {"task": "image_to_image"},
        {"schema_version": 3},
    ],
)
def test_what_does_not_belong_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TextToImage(**bad)
    with pytest.raises(ValidationError):
        TypeAdapter(TextToImage).validate_python(bad)


@pytest.mark.parametrize(
    "picture",
    ["", "http://169.254.169.254/x.png", "file:///etc/passwd", "/etc/passwd", "sha256:xyz", "data:text/html,x"],
)
def test_a_picture_is_no_address_and_no_path(picture: str) -> None:
    with pytest.raises(ValidationError):
        ImageToImage(init_image=picture)


@pytest.mark.parametrize(
    ("given_", "scheduler", "sigmas"),
    [
        ({"scheduler": "Euler a"}, "euler_a", None),
        ({"scheduler": "DPM++ 2M Karras"}, "dpmpp_2m", "karras"),
        ({"scheduler": "DPM++ 2M SDE", "sigmas": "Exponential"}, "dpmpp_2m_sde", "exponential"),
        ({"scheduler": "DPM++ 2M Karras", "sigmas": "beta"}, "dpmpp_2m", "beta"),
        ({"scheduler": "euler", "sigmas": "Automatic"}, "euler", "default"),
        ({"scheduler": "DPM++ 2M", "sigmas": "Automatic"}, "dpmpp_2m", "karras"),
        ({"sigmas": "automatic", "scheduler": "k_dpmpp_2m_sde"}, "dpmpp_2m_sde", "exponential"),
    ],
)
def test_names_of_other_programs_become_ours(given_: dict[str, str], scheduler: str, sigmas: str | None) -> None:
    made = TextToImage(**given_)
    assert (made.scheduler, made.sigmas) == (scheduler, sigmas)


def test_a_request_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TextToImage().steps = 3  # type: ignore[misc]


def test_limits_are_those_that_are_checked() -> None:
    for request in REQUESTS.values():
        for field in request.__dataclass_fields__:
            try:
                limits = field_limits(request, field)
            except KeyError:
                continue
            pictures = dict.fromkeys(picture_fields(request), REFERENCE)
            for value in (limits.minimum, limits.maximum):
                request(**pictures, **{field: value})
            for value in (limits.minimum - limits.step, limits.maximum + limits.step):
                with pytest.raises(ValidationError):
                    request(**pictures, **{field: value})


def reference(digit: str) -> str:
    return "sha256:" + digit * 64


def test_pictures_are_found_by_their_type_at_any_depth() -> None:
    assert picture_fields(ImageToImage) == {"init_image", "mask"}
    assert picture_fields(WeightedStyle) == {"image"}
    assert picture_fields(LayerWeights) == picture_fields(TextToImage) == frozenset()
    origin = ImageToImage(init_image=reference("a"), mask=reference("b"), seed=1, prompt=reference("e"))
    request = ImageToImage(init_image=reference("c"), branch_from=Branch(origin=origin, step=2))
    found = [("init_image", reference("c")), ("branch_from", reference("a")), ("branch_from", reference("b"))]
    assert sorted(pictures_of(request)) == sorted(found)
    changed = with_pictures(request, {reference("a"): reference("d"), reference("e"): reference("f")})
    assert changed.branch_from is not None
    assert changed.branch_from.origin == dataclasses.replace(origin, init_image=reference("d"))
    assert changed.init_image == reference("c")
    assert with_pictures(request, {}) is request


def test_further_styles_are_pictures_too() -> None:
    styles = (WeightedStyle(image=reference("3")), WeightedStyle(image=reference("4"), weight=2.0))
    request = StyleTransfer(content_image=reference("1"), style_image=reference("2"), style_images=styles)
    assert [name for name, _ in pictures_of(request)] == [
        "content_image", "style_image", "style_images", "style_images",
    ]  # fmt: skip
    changed = with_pictures(request, {reference("4"): reference("5")})
    assert [style.image for style in changed.style_images] == [reference("3"), reference("5")]  # type: ignore[union-attr]
    assert changed.style_images[1].weight == 2.0  # type: ignore[union-attr]


@given(st.text())
def test_cleaned_text_can_be_written_anywhere(text: str) -> None:
    cleaned = clean_text(text)
    cleaned.encode("utf-8")
    assert "\0" not in cleaned
    assert clean_text(cleaned) == cleaned


def test_a_lone_surrogate_and_controls_are_dropped_before_anything_runs() -> None:
    assert TextToImage(prompt="a\ud800b\x00c\x1b[31m\n\td").prompt == "abc[31m\n\td"


def test_seeds_go_round() -> None:
    assert [image_seed(MAX_SEED, index) for index in range(3)] == [MAX_SEED, 0, 1]
