"""Whether drawings are copied: how near a picture's thing comes to the nearest drawing that the training showed.

Each of the thing's drawings is laid over the picture in several sizes, both ways round, at every place, and the best
fit counts. Fresh renderings of drawings that nothing was trained on say how near another drawing of the same thing
comes.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from models.starter.recipe.drawings import held_out, trained
from models.starter.recipe.exam_things import Called
from models.starter.recipe.icons import read_drawing
from models.starter.recipe.report import Row
from models.starter.recipe.scene import Scene

SIDE = 64  # pixels of the picture that is looked at
SHARES = (0.5, 0.62, 0.75, 0.88)  # of its side that a drawing's longer side takes
SEED, RENDERINGS, RESAMPLINGS = 4249, 4, 1000  # fresh ones of each thing
PLAIN = Scene("plain", "day", "summer", "clear", "flat", False, False, "", "", 1, is_large=True)


def nearest_drawing(picture: Image.Image, names: Sequence[str]) -> float:
    """Root mean square difference in [0, 1] of colours under the drawing that fits best, where it fits best."""
    small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    seen = torch.from_numpy(np.asarray(small, np.float32) / 255).permute(2, 0, 1)[None]
    return min(_misfit(seen, drawing) for name in names for drawing in _versions(name)) ** 0.5


def _versions(name: str) -> list[Tensor]:
    """A drawing in all sizes and both ways round, (4, height, width) in [0, 1] each."""
    drawing = Image.fromarray(read_drawing(name), "RGBA")
    found = []
    for share in SHARES:
        scale = share * SIDE / max(drawing.size)
        size = max(1, round(drawing.width * scale)), max(1, round(drawing.height * scale))
        pixels = torch.from_numpy(np.asarray(drawing.resize(size, Image.Resampling.BOX), np.float32) / 255)
        found += [pixels.permute(2, 0, 1), pixels.permute(2, 0, 1).flip(2)]
    return found


def _misfit(seen: Tensor, drawing: Tensor) -> float:
    """The least mean square difference over all places, (1, 3, SIDE, SIDE) against (4, height, width)."""
    colours, opacity = drawing[:3], drawing[3:].expand(3, -1, -1)
    squares = F.conv2d(seen.square(), opacity[None]) - 2 * F.conv2d(seen, (opacity * colours)[None])
    return float((squares.min() + (opacity * colours.square()).sum()).clamp(min=0) / opacity.sum())


def copies_row(called: Sequence[Called]) -> Row:
    """How near pictures come to drawings of the training, against fresh renderings of drawings that it never showed.

    Only things that have such drawings count.
    """
    from models.starter.recipe.render import render  # late: its library is needed by those alone who draw

    ours, theirs = [], []
    for thing in sorted({one.thing for one in called if held_out(one.thing)}):
        rng = np.random.default_rng((SEED, len(ours)))
        fresh = [replace(PLAIN, thing=thing, drawing=held_out(thing)[0]) for _ in range(RENDERINGS)]
        rendered = [Image.fromarray(render(scene, rng)) for scene in fresh]
        drawn = [one.picture for one in called if one.thing == thing]
        for pictures, distances in ((drawn, ours), (rendered, theirs)):
            distances.append(float(np.mean([nearest_drawing(picture, trained(thing)) for picture in pictures])))
    name = "distance to the nearest drawing of the training, against that of drawings it never showed"
    if not ours:
        return Row(name=name, value=None, unit="", threshold=1)
    spread = np.random.default_rng(SEED).integers(len(ours), size=(RESAMPLINGS, len(ours)))
    ratios = np.array(ours)[spread].mean(axis=1) / np.array(theirs)[spread].mean(axis=1)
    low, high = np.quantile(ratios, (0.025, 0.975))
    return Row(name=name, value=float(np.mean(ours) / np.mean(theirs)), unit="", number=len(ours),
               interval=(float(low), float(high)), threshold=1)  # fmt: skip
