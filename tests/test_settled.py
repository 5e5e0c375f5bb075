"""Settled requests leave nothing open, and those of version 1 are read as they were meant."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from pydantic import ValidationError

from tests.settled_requests import settled, stored
from webui.requests import from_dict, to_dict
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.requests.field_types import Scope
from webui.requests.fields import declared_rules, field_limits, fields_in, infotext_names, needs_of
from webui.requests.settled import (
    SETTLED,
    SettledBranch,
    SettledImageToImage,
    SettledTextToImage,
    as_asked,
    settled_from_dict,
)

LOOK = {"name": "ink", "prompt": "ink drawing of {prompt}", "negative_prompt": ""}


@pytest.mark.parametrize(
    "open_field", ["checkpoint", "scheduler", "sigmas", "steps", "guidance_scale", "seed", "width"]
)
def test_what_is_open_is_no_settled_request(open_field: str) -> None:
    for left_open in ({**stored(), open_field: None}, {k: v for k, v in stored().items() if k != open_field}):
        with pytest.raises(ValidationError):
            settled_from_dict(left_open)


@pytest.mark.parametrize(
    "left_open",
    [
        {"seed": -1},
        {"vae": "automatic"},
        {"variation_strength": 0.5},
        {"variation_strength": 0.5, "variation_seed": -1},
        {"looks": ["ink"]},
        {"looks": ["ink"], "look_texts": [LOOK]},
        {"looks": ["ink", "ink"], "look_texts": [LOOK], "resolved_prompts": [{"prompt": "x"}]},
        {"num_images": 2, "resolved_prompts": [{"prompt": "x"}]},
        {"branch_from": {"step": 1, "origin": {**stored(), "seed": None}}},
        {"branch_from": {"step": 1, "origin": {"task": "text_to_image"}}},
    ],
)
def test_nothing_may_be_open_in_any_corner(left_open: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settled_from_dict(stored(**left_open))


def test_a_settled_request_is_a_request_of_its_task_and_comes_back_from_json() -> None:
    request = settled(branch_from=SettledBranch(origin=settled(), step=2))
    again = settled_from_dict(json.loads(json.dumps(to_dict(request))))
    assert again == request
    assert isinstance(again, SettledTextToImage)
    assert isinstance(again, TextToImage)
    assert again.branch_from is not None
    assert isinstance(again.branch_from.origin, SettledTextToImage)


def test_it_can_be_opened_again() -> None:
    request = settled(branch_from=SettledBranch(origin=settled(), step=2))
    opened = as_asked(request)
    assert type(opened) is TextToImage
    assert opened == from_dict(to_dict(request))
    assert dataclasses.replace(opened, seed=None).seed is None


@pytest.mark.parametrize("made", [SettledTextToImage, SettledImageToImage])
def test_what_is_said_of_a_field_is_said_of_its_settled_form(made: type) -> None:
    asked = next(kind for kind in (TextToImage, ImageToImage) if issubclass(made, kind))
    assert {field.name for field in dataclasses.fields(made)} == {field.name for field in dataclasses.fields(asked)}
    assert needs_of(made) == needs_of(asked)
    assert declared_rules(made) == declared_rules(asked)
    assert infotext_names(made) == infotext_names(asked)
    assert all(fields_in(made, scope) == fields_in(asked, scope) for scope in Scope)
    for name in ("steps", "guidance_scale", "width", "height"):
        assert field_limits(made, name) == dataclasses.replace(
            field_limits(asked, name), default=field_limits(made, name).default
        )


def test_every_task_has_one() -> None:
    assert all(kind.__dataclass_fields__["task"].default == task for task, kind in SETTLED.items())
