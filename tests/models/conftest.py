"""What the tests of all recipes share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Iterator


class CountedClock:
    """A clock that counts looks at it instead of seconds: what is trained does not depend on how busy a machine is."""

    def __init__(self, minutes: float, spent_seconds: float = 0.0) -> None:
        self.total_seconds = minutes * 60
        self.spent_seconds = spent_seconds

    @property
    def progress(self) -> float:
        """A second has gone by at every look."""
        self.spent_seconds += 1
        return min(self.spent_seconds / self.total_seconds, 1.0)


@pytest.fixture
def counted_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings count looks at their clock as seconds: three for each step, the last of which may save."""
    from models.starter.recipe import text, training  # load torch

    for recipe in (text, training):
        monkeypatch.setattr(recipe, "Clock", CountedClock)


@pytest.fixture(scope="session")
def drawings_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A blob in a colour of its own instead of every drawing, for nothing of the real ones is committed."""
    from models.starter.recipe.drawings import DRAWN, all_drawings

    folder = tmp_path_factory.mktemp("drawings")
    rng = np.random.default_rng(6)
    for name in sorted({name for thing in DRAWN for name in all_drawings(thing)}):
        blob = Image.new("RGBA", (40, 48))
        colour = (*(int(part) for part in rng.integers(0, 256, 3)), 255)
        ImageDraw.Draw(blob).ellipse((0, 0, 39, 47), fill=colour)
        (folder / name).parent.mkdir(exist_ok=True)
        blob.save(folder / f"{name}.png")
    return folder


@pytest.fixture
def drawings(drawings_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What the renderer takes for the drawings."""
    from models.starter.recipe.icons import read_drawing

    monkeypatch.setenv("STARTER_DRAWINGS", str(drawings_folder))
    read_drawing.cache_clear()
    yield drawings_folder
    read_drawing.cache_clear()
