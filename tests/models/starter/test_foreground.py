"""Things as drawings show them, in scenes: tinted, in every style, alone and in company."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("skia", reason="skia-python cannot be loaded", exc_type=ImportError)

from models.starter.recipe import words
from models.starter.recipe.brush import Brush
from models.starter.recipe.cast import any_composition
from models.starter.recipe.hands import HANDS, PLAIN
from models.starter.recipe.light import light_of
from models.starter.recipe.paints import PAINTS
from models.starter.recipe.render import render
from models.starter.recipe.scene import INDOORS, RELATIONS, Scene
from models.starter.recipe.sprites import Pose, draw_sprite, extent, lines_of, tinted

FOX = Scene("meadow", "day", "summer", "clear", "flat", False, False, "fox", "", 1, "fluent/fox", True)
pytestmark = pytest.mark.usefixtures("drawings")


def drawn(scene: Scene, seed: int = 3) -> NDArray[np.uint8]:
    """The scene's picture."""
    return render(scene, np.random.default_rng(seed))


def test_a_tint_changes_the_main_hue_and_nothing_else() -> None:
    drawing = np.zeros((20, 20, 4), np.uint8)
    drawing[:, :14] = (220, 40, 30, 255)
    drawing[:, 14:] = (240, 240, 240, 255)
    blue = tinted(drawing, PAINTS["blue"])
    assert blue[5, 5, 2] > 150 > 100 > blue[5, 5, 0]
    assert np.abs(blue[5, 17].astype(int) - 240).max() <= 255 - 240 or blue[5, 17, 3] == 255
    assert np.array_equal(blue[:, 14:], drawing[:, 14:])
    white = tinted(drawing, PAINTS["white"])
    assert white[5, 5, :3].min() > 200
    grey = np.full((8, 8, 4), 128, np.uint8)
    assert np.array_equal(tinted(grey, PAINTS["red"]), grey)


def test_lines_are_where_shapes_meet_and_end() -> None:
    drawing = np.zeros((40, 40, 4), np.uint8)
    drawing[10:30, 10:30] = (200, 30, 30, 255)
    drawing[10:30, 20:30] = (250, 240, 60, 255)
    lines = lines_of(drawing)
    assert lines[20, 10] > 200
    assert lines[20, 20] > 200
    assert lines[20, 15] == lines[20, 25] == lines[3, 3] == 0


@pytest.mark.parametrize("style", ["flat", *HANDS, "neon"])
def test_a_drawing_is_painted_in_every_hand(style: str) -> None:
    scene = replace(FOX, style=style)
    brush = Brush(light_of(scene, np.random.default_rng(1)), np.random.default_rng(1), 256, HANDS.get(style, PLAIN))
    draw_sprite(brush, FOX.drawing, 128, 200, 120)
    width, height = extent(FOX.drawing, 120)
    assert height == pytest.approx(120)
    shown = brush.pixels[:, :, 3] > 200
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    assert abs(rows[-1] - rows[0] - height) < 14
    assert abs(columns.mean() - 128) < 4
    assert abs(columns[-1] - columns[0] - width) < 14


def test_a_pose_turns_and_flips_it() -> None:
    def side(pose: Pose) -> float:
        brush = Brush(light_of(FOX, np.random.default_rng(1)), np.random.default_rng(1))
        draw_sprite(brush, FOX.drawing, 128, 200, 120, pose=pose)
        opaque = brush.pixels[:, :, 3] > 200
        tone = brush.pixels[:, :, :3].sum(axis=2)
        return float(tone[:, :128][opaque[:, :128]].mean() - tone[:, 128:][opaque[:, 128:]].mean())

    assert side(Pose(shade=0.4)) > 5 > 0 > side(Pose(shade=-0.4))
    assert side(Pose(shade=0.4, flip=True)) < 0


@pytest.mark.parametrize("relation", ["", *RELATIONS])
def test_every_relation_shows_both_things(relation: str) -> None:
    rng = np.random.default_rng(4)
    scenes = (any_composition(rng) for _ in range(4000))
    found = next(scene for scene in scenes if scene.relation == relation and scene.style == "flat")
    picture = drawn(found).astype(int)
    alone = replace(found, relation="", second="", second_drawing="")
    assert (np.abs(picture - drawn(replace(found, drawing="noto/zebra"))).sum(axis=2) > 30).mean() > 0.01
    assert relation == "" or (np.abs(picture - drawn(alone)).sum(axis=2) > 30).mean() > 0.02


@pytest.mark.parametrize("place", sorted({*INDOORS, "sea"}))
def test_new_places_differ_and_keep_their_styles(place: str) -> None:
    scene = replace(FOX, place=place)
    flat = drawn(scene)
    assert flat.std() > 8
    assert np.abs(flat.astype(int) - drawn(FOX)).mean() > 10
    for style in words.STYLES.keys() - {"flat"}:
        assert np.abs(drawn(replace(scene, style=style)).astype(int) - flat).mean() > 2, style


def test_a_large_thing_fills_the_picture() -> None:
    def share(is_large: bool) -> float:
        scene = replace(FOX, place="plain", is_large=is_large)
        shown = [np.abs(drawn(scene, seed).astype(int) - drawn(replace(scene, drawing="noto/fox"), seed)).sum(axis=2)
                 for seed in range(4)]  # fmt: skip
        return float(np.mean([one > 30 for one in shown]))

    assert share(True) > 0.15
    assert share(True) > 1.5 * share(False)
