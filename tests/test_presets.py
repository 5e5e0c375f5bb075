"""Looks and surprises: what ships is sound, and a broken file is said to be so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from webui.presets import Look, Presets
from webui.prompts.a1111 import without_comments
from webui.prompts.templates import settle
from webui.prompts.wildcards import Wildcards
from webui.settings import ROOT

LOOK = Look(
    id="ink", name="Ink", name_zh="墨", prompt="ink drawing of {prompt}", prompt_zh="墨线画，{prompt}",
    negative_prompt="photo", negative_prompt_zh="照片",
)  # fmt: skip


def test_the_looks_that_ship() -> None:
    presets = Presets(ROOT / "presets")
    assert 6 <= len(presets.looks) <= 12
    assert all(look.name and look.name_zh for look in presets.looks)
    assert all(surprise.prompt and surprise.prompt_zh for surprise in presets.surprises)
    assert len(presets.surprises) >= 6
    assert presets.look("watercolour") is not None
    assert presets.look("no such look") is None


@pytest.mark.parametrize(
    ("prompt", "negative", "expected"),
    [
        ("a lake", "", ("ink drawing of a lake", "photo")),
        ("a lake, ", "fog,", ("ink drawing of a lake", "fog, photo")),
        ("湖泊", "雾", ("墨线画，湖泊", "雾，照片")),
        ("", "", ("ink drawing of", "photo")),
    ],
)
def test_a_look_speaks_the_prompts_language(prompt: str, negative: str, expected: tuple[str, str]) -> None:
    assert LOOK.apply(prompt, negative) == expected


def test_braces_in_a_prompt_are_only_text() -> None:
    assert LOOK.apply("{prompt} {0}")[0] == "ink drawing of {prompt} {0}"


def test_a_look_without_a_place_for_the_prompt_is_refused() -> None:
    with pytest.raises(ValueError, match="exactly once"):
        Look(id="x", name="x", name_zh="x", prompt="nothing", prompt_zh="{prompt}")


def test_a_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "looks").mkdir()
    (tmp_path / "looks" / "broken.json").write_text("{")
    with pytest.raises(ValueError, match=r"broken\.json"):
        Presets(tmp_path)


def test_two_looks_with_one_id_are_refused(tmp_path: Path) -> None:
    (tmp_path / "looks").mkdir()
    for name in ("a", "b"):
        values = {"id": "same", "name": "x", "name_zh": "x", "prompt": "{prompt}", "prompt_zh": "{prompt}"}
        (tmp_path / "looks" / f"{name}.json").write_text(json.dumps(values))
    with pytest.raises(ValueError, match="share an id"):
        Presets(tmp_path)


def test_no_folder_is_no_looks(tmp_path: Path) -> None:
    assert Presets(tmp_path / "missing").looks == ()


@pytest.mark.parametrize("dialect", ["a1111", "compel"])
def test_a_look_keeps_prompts_of_either_dialect_as_they_are(dialect: str) -> None:
    look = Look(
        id="x", name="x", name_zh="x", prompt="ink, {prompt}, fine", prompt_zh="{prompt}", negative_prompt="blur"
    )
    prompt = "a (red:1.2) [cat|dog:3]" if dialect == "a1111" else "a (red)1.2 cat++"
    assert look.apply(prompt, "crowd")[0] == f"ink, {prompt}, fine"
    wildcards = Wildcards(ROOT / "presets" / "wildcards")
    settled = settle(look.apply("a {red|red} {prompt}")[0], "1", wildcards)
    assert settled == "ink, a red {prompt}, fine"  # a look's own blank is no wildcard, wherever it stands


def test_a_comment_ends_before_the_look() -> None:
    look = Look(id="x", name="x", name_zh="x", prompt="{prompt}, fine", prompt_zh="{prompt}", negative_prompt="blur")
    prompt, negative_prompt = look.apply("a cat # for later", "crowd # or not")
    assert without_comments(prompt).split() == ["a", "cat", ",", "fine"]
    assert without_comments(negative_prompt).split() == ["crowd", ",", "blur"]


def test_the_gallery_of_styles_is_a_dozen_small_pictures() -> None:
    styles = Presets(ROOT / "presets").styles
    assert len(styles) >= 12
    assert len({style.name for style in styles}) == len({style.name_zh for style in styles}) == len(styles)
    for style in styles:
        assert style.picture.stat().st_size <= 60_000, style.id
        with Image.open(style.picture) as picture:
            assert (picture.format, picture.size) == ("WEBP", (512, 512))
