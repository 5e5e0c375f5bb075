"""Looks and surprises: what ships is sound, and a broken file is said to be so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from webui.presets import Look, Presets
from webui.settings import ROOT


def test_the_looks_that_ship() -> None:
    presets = Presets(ROOT / "presets")
    assert 6 <= len(presets.looks) <= 12
    assert all(look.name and look.name_zh for look in presets.looks)
    assert all(surprise.prompt and surprise.prompt_zh for surprise in presets.surprises)
    assert len(presets.surprises) >= 6
    assert presets.look("watercolour") == presets.look(" WaterColour ") == presets.look("水彩") is not None
    assert presets.look("no such look") is None


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


def test_the_gallery_of_styles_is_a_dozen_small_pictures() -> None:
    styles = Presets(ROOT / "presets").styles
    assert len(styles) >= 12
    assert len({style.name for style in styles}) == len({style.name_zh for style in styles}) == len(styles)
    for style in styles:
        assert style.picture.stat().st_size <= 60_000, style.id
        with Image.open(style.picture) as picture:
            assert (picture.format, picture.size) == ("WEBP", (512, 512))
