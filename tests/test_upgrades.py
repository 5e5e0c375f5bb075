"""Requests of version 1, wherever they were kept, draw what they drew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from tests.settled_requests import stored
from webui.requests import from_dict, to_dict
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.requests.field_types import SCHEMA_VERSION
from webui.requests.settled import settled_from_dict
from webui.requests.style_transfer import StyleTransfer
from webui.requests.upgrades import upgraded

PICTURE = "sha256:" + "0" * 64


def of_version_1(**values: Any) -> dict[str, Any]:
    return stored(schema_version=1, **values)


def test_sigmas_stay_between_the_ends_of_the_timesteps() -> None:
    request = settled_from_dict(of_version_1())
    assert isinstance(request, TextToImage)
    assert (request.schema_version, request.sigma_range) == (SCHEMA_VERSION, "timesteps")
    assert TextToImage().sigma_range == "network"
    assert settled_from_dict(to_dict(request)) == request


def test_origins_of_branches_are_upgraded_too() -> None:
    inner = of_version_1(branch_from={"step": 1, "origin": of_version_1()})
    request = settled_from_dict(of_version_1(branch_from={"step": 2, "origin": inner}))
    assert isinstance(request, TextToImage)
    assert request.branch_from is not None
    assert request.branch_from.origin.branch_from is not None
    origins = (request.branch_from.origin, request.branch_from.origin.branch_from.origin)
    assert [(one.schema_version, one.sigma_range) for one in origins] == [(2, "timesteps")] * 2


def test_pictures_drawn_over_begin_at_whole_steps() -> None:
    of_a_picture = {"task": "image_to_image", "init_image": PICTURE}
    inner = of_version_1(**of_a_picture)
    request = settled_from_dict(of_version_1(**of_a_picture, branch_from={"step": 1, "origin": inner}))
    assert isinstance(request, ImageToImage)
    assert request.branch_from is not None
    assert isinstance(request.branch_from.origin, ImageToImage)
    assert [request.denoising_start, request.branch_from.origin.denoising_start] == ["whole_step"] * 2
    asked = ImageToImage(init_image=PICTURE)
    assert asked.denoising_start == "exact"
    assert from_dict({**of_a_picture, "schema_version": 1}) == replace(
        asked, denoising_start="whole_step", sigma_range="timesteps"
    )
    assert settled_from_dict(to_dict(request)) == request


def test_style_transfers_are_as_they_were() -> None:
    request = from_dict(
        {"task": "style_transfer", "schema_version": 1, "content_image": PICTURE, "style_image": PICTURE, "seed": 3}
    )
    assert request == StyleTransfer(content_image=PICTURE, style_image=PICTURE, seed=3)


@pytest.mark.parametrize("version", [0, 3, 9, True, "1", 1.0, None, []])
def test_other_versions_are_refused_and_not_touched(version: Any) -> None:
    values = {"schema_version": version, "prompt": "a"}
    assert upgraded(values, "text_to_image") == values
    with pytest.raises(ValidationError):
        from_dict({"task": "text_to_image", **values})


def test_what_was_given_is_left_alone() -> None:
    given = of_version_1()
    before = dict(given)
    upgraded(given, "text_to_image")
    assert given == before
