"""Used for real: image to image turns a crude sketch of coloured blobs into the scene that the prompt says.

The CLIP that ships with the starter says how well the picture fits the prompt, before and after; and what lies where in
the picture is nearer to the sketch than in one that the prompt alone gives.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.settling import SettlingEngine
from webui.engine.context import Context
from webui.engine.critics.critic import Critic, load_critic
from webui.engine.device import choose_device
from webui.engine.engine import Engine
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.settings import Settings

Blob = tuple[str, tuple[int, int, int, int], str]  # shape, corners in hundredths of the picture, colour
REFERENCE = "sha256:" + "0" * 64
SIZE = 384  # pixels
STEPS = 14
SKETCHES: dict[str, tuple[Blob, ...]] = {
    "mountains at night": (
        ("rectangle", (0, 0, 100, 100), "#101a3c"),
        ("ellipse", (70, 10, 82, 22), "#f0f0d8"),
        ("ellipse", (-10, 40, 50, 130), "#39405e"),
        ("ellipse", (35, 48, 110, 140), "#2c3350"),
    ),
    "日落时的海滩": (
        ("rectangle", (0, 0, 100, 55), "#f0905a"),
        ("ellipse", (42, 38, 58, 54), "#ffe9a0"),
        ("rectangle", (0, 52, 100, 78), "#b8706c"),
        ("rectangle", (0, 76, 100, 100), "#d8a878"),
    ),
    "a lake surrounded by autumn trees on a clear day": (
        ("rectangle", (0, 0, 100, 55), "#9ccdf0"),
        ("rectangle", (0, 58, 100, 100), "#5a9cb8"),
        *(("ellipse", (x, 40, x + 22, 62), "#d8782c") for x in range(-5, 100, 18)),
    ),
    "冬天的森林，下雪": (
        ("rectangle", (0, 0, 100, 100), "#c4ccd6"),
        *(("ellipse", (x, 20, x + 20, 80), "#8fa0ac") for x in range(-5, 100, 22)),
        ("rectangle", (0, 75, 100, 100), "#eef2f8"),
    ),
}
pytestmark = pytest.mark.filterwarnings("ignore")  # deprecations inside the libraries


def sketch(blobs: tuple[Blob, ...], size: int) -> Image.Image:
    """What somebody would paint in ten seconds."""
    picture = Image.new("RGB", (size, size))
    draw = ImageDraw.Draw(picture)
    for shape, corners, colour in blobs:
        box = [corner * size / 100 for corner in corners]
        (draw.ellipse if shape == "ellipse" else draw.rectangle)(box, fill=colour)
    return picture


def likeness(one: Image.Image, other: Image.Image) -> float:
    """Correlation of the colours of 8 by 8 cells, in [-1, 1]: what lies where, whatever it is."""
    cells = [np.asarray(p.resize((8, 8), Image.Resampling.BOX), np.float64).ravel() for p in (one, other)]
    return float(np.corrcoef(*cells)[0, 1])


def pictures_of(engine: Engine, request: ImageToImage | TextToImage, context: Context) -> list[Image.Image]:
    """What the engine makes of it."""
    return [Image.frombytes("RGB", (one.width, one.height), one.rgb) for one in engine.run(request, context)]


@pytest.fixture(scope="module")
def critic(starter: Path) -> Critic:
    if not (starter / "clip").is_dir():
        pytest.skip("no CLIP was trained yet")
    return load_critic(starter / "clip", choose_device("cpu"))


@pytest.fixture(scope="module")
def engine(starter: Path, tmp_path_factory: pytest.TempPathFactory, multiplies_bf16: bool) -> Engine:
    """In the number type that the CPU multiplies, one after the other."""
    return SettlingEngine(Settings(models_dir=starter.parent, data_dir=tmp_path_factory.mktemp("data"), device="cpu"))


@pytest.mark.slow
@pytest.mark.native_bf16
@pytest.mark.parametrize("prompt", SKETCHES)
def test_a_crude_sketch_becomes_the_scene_of_the_prompt(engine: Engine, critic: Critic, prompt: str) -> None:
    before = sketch(SKETCHES[prompt], SIZE)
    buffer = io.BytesIO()
    before.save(buffer, "PNG")
    context = Context(lambda _event: None, lambda: None, lambda: False, lambda _reference: buffer.getvalue())
    asked = {"prompt": prompt, "checkpoint": "starter", "seed": 5, "width": SIZE, "height": SIZE, "steps": STEPS}
    request = ImageToImage(**asked, num_images=2, init_image=REFERENCE)
    drawn = pictures_of(engine, request, context)
    (score_before,) = critic.score([before], prompt)
    scores_after = critic.score(drawn, prompt)
    assert min(scores_after) > score_before
    assert np.mean(scores_after) > score_before + 0.05
    (alone,) = pictures_of(engine, TextToImage(**asked), context)
    for picture in drawn:  # nearer to the sketch than what the prompt alone gives
        assert likeness(before, picture) > likeness(before, alone)
