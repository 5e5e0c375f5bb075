"""`python -m models.style.recipe.comparison`: draws the grid of the README, real photographs in drawn styles.

The photographs are scikit-image's and scikit-learn's, which the tests install; the styles are the gallery's.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from skimage import data
from sklearn.datasets import load_sample_image
from torch import nn

from models.style.recipe.comparison.features import Judged, PixelPatches, Softened
from webui.engine.previews.preview import Previewer
from webui.engine.style.recipes import RANDOM, Recipe
from webui.engine.style.sources import Sources, Style
from webui.engine.style.transfer import Progress, from_coarse_to_fine
from webui.engine.style.vgg import random_vgg19
from webui.requests.style_transfer import StyleTransfer
from webui.settings import ROOT

HERE = Path(__file__).parent
STYLES = ROOT / "presets" / "styles"
REFERENCE = "sha256:" + "0" * 64  # the pictures are handed over themselves
CELL, GAP, HEAD = 256, 6, 18  # pixels


@dataclasses.dataclass(frozen=True, kw_only=True)
class Method:
    """A column of the grid."""

    name: str
    recipe: Recipe
    network: Callable[[Sources], nn.Module]
    style_loss: str


def _vgg(width: float) -> Callable[[Sources], nn.Module]:
    return lambda sources: random_vgg19(sources.small, RANDOM.depth, torch.float32, width)


_ALONE = dataclasses.replace(RANDOM, patches=0.0, style=3.0)
_PIXELS = dataclasses.replace(_ALONE, content_layers=("conv1_1",), style_layers=("conv1_1",), style=10.0)
_JUDGE = dataclasses.replace(_ALONE, content_layers=("conv3_1",), style_layers=("conv3_1", "conv4_1"))
METHODS = (
    Method(name="random VGG", recipe=_ALONE, network=_vgg(0.5), style_loss="gram"),
    Method(name="its W2, full width", recipe=_ALONE, network=_vgg(1.0), style_loss="wasserstein"),
    Method(
        name="SWAG softmax",
        recipe=_ALONE,
        network=lambda sources: Softened(random_vgg19(sources.small, RANDOM.depth, torch.float32)),
        style_loss="gram",
    ),
    Method(name="pixel patches", recipe=_PIXELS, network=lambda _: PixelPatches(), style_loss="sliced_wasserstein"),
    Method(name="trained judge", recipe=_JUDGE, network=lambda _: Judged(), style_loss="wasserstein"),
    Method(name="mixture: ours", recipe=RANDOM, network=_vgg(0.5), style_loss="wasserstein"),
)


def pairs() -> tuple[tuple[Image.Image, str], ...]:
    """Photographs, and the style of the gallery for each."""
    return (
        (Image.fromarray(data.astronaut()), "swirling_oil"),
        (Image.fromarray(data.chelsea()).crop((70, 0, 370, 300)), "mosaic"),
        (Image.fromarray(data.coffee()).crop((80, 0, 480, 400)), "woodcut"),
        (Image.fromarray(load_sample_image("china.jpg")).crop((120, 0, 540, 420)), "wave_print"),
    )


def transferred(method: Method, content: Image.Image, style: Image.Image, iterations: int) -> Image.Image:
    """One cell: all methods go through the engine's own scales and optimiser."""
    request = StyleTransfer(
        content_image=REFERENCE,
        style_image=REFERENCE,
        style_loss=method.style_loss,  # type: ignore[arg-type]
        iterations=iterations,
        size=CELL,
        seed=0,
    )
    sources = Sources(
        content,
        [Style(style, 1.0)],
        device=torch.device("cpu"),
        keep_colours="off",
        colour_share=method.recipe.colour_share(request),
        check=lambda: None,
    )
    network = method.network(sources)
    with Previewer(lambda _event: None, lambda: False) as previewer:
        progress = Progress(previewer, iterations, sources)
        picture = from_coarse_to_fine(request, method.recipe, network, sources, progress, lambda: None)  # type: ignore[arg-type]
    return Image.fromarray(sources.pixels(picture))


def main() -> None:
    """Draws the grid row by row, and saves it after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--iterations", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=len(pairs()), help="how many of them")
    parser.add_argument("--out", type=Path, default=HERE / "grid.webp")
    arguments = parser.parse_args()
    rows = pairs()[: arguments.pairs]
    columns = len(METHODS) + 2
    grid = Image.new("RGB", (columns * (CELL + GAP), HEAD + len(rows) * (CELL + GAP)), (255, 255, 255))
    for column, name in enumerate(("photograph", "style", *(method.name for method in METHODS))):
        ImageDraw.Draw(grid).text((column * (CELL + GAP) + 4, 3), name, fill=(0, 0, 0))
    for row, (content, style_id) in enumerate(rows):
        style = Image.open(STYLES / f"{style_id}.webp").convert("RGB")
        cells = [content.resize((CELL, CELL), Image.Resampling.LANCZOS), style.resize((CELL, CELL))]
        for method in METHODS:
            begun = time.process_time()
            cells.append(transferred(method, content, style, arguments.iterations))
            spent = time.process_time() - begun
            sys.stdout.write(f"{style_id} · {method.name}: {spent:.1f} s of processor\n")
            sys.stdout.flush()
        for column, cell in enumerate(cells):
            grid.paste(cell, (column * (CELL + GAP), HEAD + row * (CELL + GAP)))
        grid.save(arguments.out, "WEBP", quality=72, method=6)


if __name__ == "__main__":
    main()
