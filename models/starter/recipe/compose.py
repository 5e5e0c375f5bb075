"""Training pictures composed where the training runs: drawings that were rasterised once, laid onto backdrops.

For a large GPU, which would wait for sixteen processors that render: drawings and backdrops lie on the device as bytes;
each step lays one drawing a picture, turned, sheared, flipped, shaded and lit, and encodes what comes out. These are
the large single things in flat colours; all other scenes and styles come from the renderer's latents (encode.py), and
`COMPOSED_SHARE` says how many of each a batch has.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from models.starter.recipe.cast import places_of
from models.starter.recipe.codec import Codec
from models.starter.recipe.drawings import ASKED, ASKED_WEIGHT, DRAWN, trained
from models.starter.recipe.icons import read_drawing
from models.starter.recipe.scene import Scene

COMPOSED_SHARE = 0.5
SPRITE = 192  # pixels of a square that holds a drawing
HEIGHTS = (0.52, 0.86)  # of a large thing, in shares of the picture's
DARKNESS = {"day": 1.0, "sunset": 0.88, "night": 0.78}  # how bright things are at each hour


@dataclass(frozen=True)
class Sprites:
    """All drawings that the training shows, on one device."""

    pixels: Tensor  # (N, 4, SPRITE, SPRITE) uint8, opacity last and not multiplied in
    things: tuple[str, ...]  # of each
    names: tuple[str, ...]  # of each, `set/icon`
    shapes: Tensor  # (N, 2): width and height of what shows, in shares of the square


def load_sprites(device: torch.device, things: Sequence[str] = tuple(DRAWN)) -> Sprites:
    """Every drawing of these things, standing on the lower edge of its square. Raises FileNotFoundError."""
    names = [(thing, name) for thing in things for name in trained(thing)]
    squares, shapes = [], []
    for _, name in names:
        drawing = Image.fromarray(read_drawing(name), "RGBA")
        drawing.thumbnail((SPRITE, SPRITE), Image.Resampling.LANCZOS)
        square = Image.new("RGBA", (SPRITE, SPRITE))
        square.paste(drawing, ((SPRITE - drawing.width) // 2, SPRITE - drawing.height))
        squares.append(np.asarray(square).transpose(2, 0, 1))
        shapes.append((drawing.width / SPRITE, drawing.height / SPRITE))
    pixels = torch.from_numpy(np.stack(squares)).to(device)
    return Sprites(pixels, tuple(t for t, _ in names), tuple(n for _, n in names), torch.tensor(shapes, device=device))


@dataclass(frozen=True)
class Backdrops:
    """Pictures of places with nothing in the foreground, on one device."""

    pixels: Tensor  # (N, 3, size, size) uint8
    scenes: tuple[Scene, ...]


def load_backdrops(folder: Path, device: torch.device) -> Backdrops:
    """The pictures written by `draw --backdrops`. Raises FileNotFoundError if there are none."""
    files = sorted(folder.glob("[0-9]*.npz"))
    if not files:
        raise FileNotFoundError(folder)
    parts = [np.load(file) for file in files]
    pixels = torch.from_numpy(np.concatenate([part["pictures"] for part in parts])).permute(0, 3, 1, 2).contiguous()
    scenes = tuple(Scene(**json.loads(str(line))) for part in parts for line in part["scenes"])
    return Backdrops(pixels.to(device), scenes)


class Composer:
    """Endless pictures of large single things, each with its scene."""

    def __init__(self, sprites: Sprites, backdrops: Backdrops, codec: Codec, seed: int) -> None:
        self._sprites, self._backdrops, self._codec = sprites, backdrops, codec
        self._device = sprites.pixels.device
        self._rng = np.random.default_rng(seed)
        self._noise = torch.Generator(self._device).manual_seed(seed)
        chances = np.array([ASKED_WEIGHT if t in ASKED else 1 for t in sprites.things], float)
        chances /= np.array([sprites.things.count(t) for t in sprites.things])
        self._chances = chances / chances.sum()
        places = np.array([scene.place for scene in backdrops.scenes])
        self._at = {place: np.flatnonzero(places == place) for place in {*places.tolist()}}

    def scenes(self, number: int) -> tuple[list[Scene], Tensor, Tensor]:
        """Scenes, and the numbers of their drawings and of their backdrops, (number,) each."""
        chosen = self._rng.choice(len(self._chances), number, p=self._chances)
        scenes, places = [], []
        for index in chosen:
            thing = self._sprites.things[int(index)]
            at = {place: chance for place, chance in places_of(thing).items() if place in self._at} or dict.fromkeys(
                self._at, 1
            )
            weights = np.array([*at.values()], float)
            place = [*at][int(self._rng.choice(len(weights), p=weights / weights.sum()))]
            backdrop = int(self._rng.choice(self._at[place]))
            empty = self._backdrops.scenes[backdrop]
            scenes.append(replace(empty, thing=thing, drawing=self._sprites.names[int(index)], is_large=True, count=1))
            places.append(backdrop)
        return scenes, torch.from_numpy(chosen).to(self._device), torch.tensor(places, device=self._device)

    @torch.no_grad()
    def pictures(self, scenes: Sequence[Scene], drawings: Tensor, backdrops: Tensor) -> Tensor:
        """(B, 3, size, size) in [-1, 1]."""
        below = self._backdrops.pixels[backdrops].float() / 255
        size, pixels = below.shape[-1], self._sprites.pixels[drawings].float() / 255
        colours, opacity = pixels[:, :3] * pixels[:, 3:], pixels[:, 3:]
        laid = F.grid_sample(
            torch.cat([colours, opacity], dim=1), self._grid(drawings, scenes, size), padding_mode="zeros",
            align_corners=False,
        )  # fmt: skip
        light = torch.tensor([DARKNESS[scene.time] for scene in scenes], device=self._device).view(-1, 1, 1, 1)
        side = torch.linspace(-1, 1, size, device=self._device).view(1, 1, 1, -1)
        shade = 1 - (self._uniform(len(scenes), -0.2, 0.2).view(-1, 1, 1, 1) * side).clamp(min=0)
        return (laid[:, :3] * light * shade + below * (1 - laid[:, 3:])) * 2 - 1

    def _grid(self, drawings: Tensor, scenes: Sequence[Scene], size: int) -> Tensor:
        """Where each of the picture's pixels looks in the drawing's square, (B, size, size, 2)."""
        number = len(scenes)
        shapes = self._sprites.shapes[drawings]
        height = self._uniform(number, *HEIGHTS) / torch.maximum(shapes[:, 1], 0.75 * shapes[:, 0])
        flip = torch.where(self._uniform(number, 0, 1) < 0.5, -1.0, 1.0)
        turn, shear = self._uniform(number, -0.1, 0.1), self._uniform(number, -0.14, 0.14)
        flies = torch.tensor([DRAWN[scene.thing].where == "air" for scene in scenes], device=self._device)
        foot = torch.where(flies, 0.5 * height * shapes[:, 1] * 2, self._uniform(number, 0.78, 0.94))
        middle = self._uniform(number, -0.16, 0.16)
        cosine, sine = turn.cos() / height, turn.sin() / height
        # From the picture to the square, whose lower edge is the thing's foot.
        rows = torch.stack([
            torch.stack([flip * (cosine + shear * sine), flip * (sine + shear * cosine)], dim=1),
            torch.stack([-sine, cosine], dim=1),
        ], dim=1)  # fmt: skip
        origin = torch.stack([middle, foot - height], dim=1)  # of the square's middle, in the picture
        moved = -(rows @ origin[..., None])
        return F.affine_grid(torch.cat([rows, moved], dim=2), [number, 4, size, size], align_corners=False)

    def _uniform(self, number: int, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(number, generator=self._noise, device=self._device)

    def batch(self, number: int) -> tuple[Tensor, list[Scene]]:
        """Latents (number, C, h, w) on the device, and the scenes they show."""
        scenes, drawings, backdrops = self.scenes(number)
        return self._codec.encode_on(self.pictures(scenes, drawings, backdrops)), scenes
