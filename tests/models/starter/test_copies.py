"""Whether a picture's thing is a drawing of the training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.starter.recipe.copies import copies_row, nearest_drawing
from models.starter.recipe.drawings import DRAWN, held_out, trained
from models.starter.recipe.exam_things import Called

pytestmark = pytest.mark.usefixtures("drawings")


def laid(folder: Path, name: str, size: int, flip: bool = False) -> Image.Image:
    """A drawing somewhere on a grey picture."""
    picture = Image.new("RGB", (256, 256), (120, 120, 120))
    with Image.open(folder / f"{name}.png") as drawing:
        scaled = drawing.resize((size * 40 // 48, size))
        scaled = scaled.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else scaled
        picture.paste(scaled, (40, 30), scaled)
    return picture


def test_a_drawing_is_found_wherever_it_is_and_however_large(drawings: Path) -> None:
    name, other = "fluent/fox", "noto/zebra"
    for size, flip in ((160, False), (192, True)):
        picture = laid(drawings, name, size, flip)
        assert nearest_drawing(picture, [name]) < 0.06
        assert nearest_drawing(picture, [other]) > 2 * nearest_drawing(picture, [name])
        assert nearest_drawing(picture, [other, name]) == nearest_drawing(picture, [name])


def test_copies_are_nearer_than_other_drawings_are(drawings: Path) -> None:
    pytest.importorskip("skia", reason="skia-python cannot be loaded", exc_type=ImportError)
    things = [thing for thing in DRAWN if held_out(thing)][:3]
    copies = [Called(thing, laid(drawings, trained(thing)[0], 160)) for thing in things]
    row = copies_row(copies)
    assert row.number == 3
    assert row.is_reached is False
    noise = np.random.default_rng(2).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    strange = [Called(thing, Image.fromarray(noise).resize((256, 256))) for thing in things]
    assert float(copies_row(strange).value or 0) > float(row.value or 0)
    assert copies_row([Called("fox", copies[0].picture)]).value is None or held_out("fox")
