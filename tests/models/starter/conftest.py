"""Where the starter lies, and its pipeline, loaded once."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diffusers import StableDiffusionPipeline

STARTER = Path(__file__).resolve().parents[3] / "models" / "starter"


@pytest.fixture(scope="session")
def starter() -> Path:
    """The checkpoint's folder."""
    return STARTER


@pytest.fixture(scope="module")
def starter_pipeline(starter: Path, multiplies_bf16: bool) -> StableDiffusionPipeline:
    """The checkpoint as any diffusers program loads it, in the number type that is best on a CPU."""
    import torch
    from diffusers import StableDiffusionPipeline

    from webui.engine.device import best_dtype

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside the libraries
        pipeline = StableDiffusionPipeline.from_pretrained(
            starter, safety_checker=None, dtype=best_dtype(torch.device("cpu"))
        )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


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
