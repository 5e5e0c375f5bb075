"""The openly licensed drawings: the table of them, how they are fetched, and what is made of them."""

from __future__ import annotations

import base64
import hashlib
import json
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.starter.recipe import icons
from models.starter.recipe.cast import any_composition, places_of
from models.starter.recipe.drawings import ASKED, DRAWN, all_drawings, held_out, trained
from models.starter.recipe.icons import Package, read_drawing, write_drawings
from models.starter.recipe.scene import COUNTABLE, RELATIONS
from models.starter.recipe.words import PLACES, PROPS

SVG = {"width": 32, "height": 32, "body": '<path fill="#e02020" d="M8 4h16v24H8z"/>'}


def test_the_table_names_enough_things_and_none_of_them_twice() -> None:
    assert len(DRAWN) >= 150
    assert len(ASKED) == len(set(ASKED)) == 40
    assert set(ASKED) <= set(DRAWN)
    kinds = {drawn.kind for drawn in DRAWN.values()}
    assert kinds >= {"animal", "plant", "food", "vehicle", "building", "furniture", "tool", "clothing", "instrument"}
    for language in ("en", "zh"):
        names = Counter(name for drawn in DRAWN.values() for name in getattr(drawn.names, language))
        assert [name for name, times in names.items() if times > 1] == []
        assert all(name.isascii() is (language == "en") for name in names)
    for key, drawn in DRAWN.items():
        assert drawn.where in ("land", "air", "water", "table")
        assert 40 <= drawn.size <= 140
        assert not drawn.measure.isascii()
        assert set(places_of(key)) <= set(PLACES)


def test_some_drawings_are_kept_for_the_examination() -> None:
    kept = {thing: held_out(thing) for thing in DRAWN if held_out(thing)}
    assert len(kept) >= 15
    assert any(thing in ASKED for thing in kept)
    rng = np.random.default_rng(1)
    for thing, drawings in kept.items():
        assert set(drawings) < set(all_drawings(thing))
        assert not set(drawings) & set(trained(thing))
    shown = [any_composition(rng) for _ in range(3000)]
    every = {name for drawings in kept.values() for name in drawings}
    assert not every & {name for scene in shown for name in (scene.drawing, scene.second_drawing)}
    examined = [any_composition(rng, is_examined=True) for _ in range(3000)]
    assert every & {scene.drawing for scene in examined}


def test_compositions_contradict_nothing() -> None:
    rng = np.random.default_rng(2)
    scenes = [any_composition(rng) for _ in range(3000)]
    for scene in scenes:
        assert scene.drawing in trained(scene.thing)
        assert bool(scene.relation) is bool(scene.second)
        assert scene.second in DRAWN or scene.second in PROPS or not scene.second
        assert bool(scene.second_drawing) is (scene.second in DRAWN)
        assert scene.count == 1 or (scene.thing in COUNTABLE and not scene.second and not scene.is_large)
        assert not scene.colour or DRAWN[scene.thing].may("tint")
        assert not scene.is_indoors or (scene.time, scene.weather, scene.season) == ("day", "clear", "summer")
        assert scene.weather != "snow" or scene.season == "winter"
        assert scene.relation != "riding" or not scene.second_drawing.endswith("-face")
    assert {scene.relation for scene in scenes} == {"", *RELATIONS}
    assert np.mean([scene.is_large for scene in scenes]) > 0.25


def package(folder: Path, name: str, content: dict[str, dict[str, object]]) -> Path:
    """A package's file as npm would fetch it."""
    path = folder / f"{name}.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for file, data in content.items():
            (folder / file).write_text(json.dumps(data))
            archive.add(folder / file, f"package/{file}")
    return path


def test_a_package_is_fetched_by_npm_and_must_be_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = package(tmp_path, "source", {"chars.json": {}})
    (tmp_path / "bin").mkdir()
    npm = tmp_path / "bin" / "npm"
    npm.write_text(f'#!/bin/sh\ncp {source} "$5/some.tgz"\necho \'[{{"filename": "some.tgz"}}]\'\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    right = base64.b64encode(hashlib.sha512(source.read_bytes()).digest()).decode()
    assert Package("@some/one", "1.0.0", right).fetch(tmp_path).read_bytes() == source.read_bytes()
    with pytest.raises(ValueError, match="not what it was"):
        Package("@some/one", "1.0.0", right[::-1]).fetch(tmp_path)


def test_drawings_are_cut_to_what_they_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("skia", reason="skia-python cannot be loaded", exc_type=ImportError)
    fox = {"icons": {"fox": SVG}}
    fluent = package(tmp_path, "fluent", {"chars.json": {"1f98a-fe0f": "fox"}, "icons.json": fox})
    noto = package(tmp_path, "noto", {"chars.json": {"1f98a": "red"}, "icons.json": {"icons": {"red": SVG}}})
    monkeypatch.setattr(icons, "DRAWN", {"fox": DRAWN["fox"]})
    assert write_drawings({"fluent": fluent, "noto": noto}, tmp_path / "drawings") == 2
    monkeypatch.setenv("STARTER_DRAWINGS", str(tmp_path / "drawings"))
    read_drawing.cache_clear()
    for name in all_drawings("fox"):
        drawing = read_drawing(name)
        assert abs(drawing.shape[1] - 320 * 16 / 24) <= 2
        assert drawing.shape[0] == 320
        assert drawing[160, 100].tolist() == [0xE0, 0x20, 0x20, 255]
    read_drawing.cache_clear()
    with pytest.raises(FileNotFoundError, match="run python -m"):
        read_drawing("fluent/wolf")


def test_a_folder_of_blobs_stands_in_for_them(drawings: Path) -> None:
    with Image.open(drawings / "fluent" / "fox.png") as blob:
        assert np.array_equal(read_drawing("fluent/fox"), np.asarray(blob))
