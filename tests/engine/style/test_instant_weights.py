"""The committed weights: they bring a style nearer than the draft that they begin with, for pictures never seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage import data
from torch import Tensor

from models.style.recipe.instant.losses import STYLE_LAYERS, content_distance, patch_distance, statistics_distance
from webui.engine.style.instant import WEIGHTS, load_instant, seen_as, stylise
from webui.engine.style.vgg import Vgg19, depth_of, random_vgg19
from webui.settings import ROOT

SIDE = 192
LAYERS = tuple(dict.fromkeys((*STYLE_LAYERS, "conv2_1", "conv3_1")))


def tensor(picture: Image.Image) -> Tensor:
    pixels = np.array(picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS), np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


def test_the_network_brings_styles_nearer_than_its_drafts() -> None:
    network = load_instant(WEIGHTS, torch.device("cpu"), torch.float32)
    content = tensor(Image.fromarray(data.astronaut()))
    files = [ROOT / "presets" / "styles" / f"{name}.webp" for name in ("swirling_oil", "mosaic", "halftone", "facets")]
    styles = [tensor(Image.fromarray(data.coffee())), *(tensor(Image.open(file)) for file in files)]
    distances = []
    for style in styles:
        seen = seen_as(network, content, style)
        painted = stylise(network, [(seen, 1.0)], 0)
        judge = random_vgg19([content, style], depth_of(LAYERS), torch.float32)
        with torch.no_grad():
            of_style, of_content = judge(style, LAYERS), judge(content, LAYERS)
            distances.append(
                [_distances(picture, style, judge, of_style, of_content) for picture in (painted, seen.draft)]
            )
    (patches, statistics, structure), draft = torch.tensor(distances).mean(0)
    assert patches < draft[0]
    assert statistics < 0.5 * draft[1]
    assert structure < 1.3 * draft[2]


def _distances(
    picture: Tensor, style: Tensor, judge: Vgg19, of_style: dict[str, Tensor], of_content: dict[str, Tensor]
) -> list[float]:
    """Of its patches, of its statistics, and of its structure from the content's."""
    seen = judge(picture, LAYERS)
    found = (
        patch_distance(picture, style, torch.Generator().manual_seed(5)),
        statistics_distance(seen, of_style),
        content_distance(seen, of_content),
    )
    return [float(one) for one in found]


def test_they_are_small_enough() -> None:
    assert Path(WEIGHTS).stat().st_size < 8 * 2**20
