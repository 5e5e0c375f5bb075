"""The pictures that the instant style network learns on: scenes of the starter's renderer, dead leaves, paintings.

Nothing is downloaded. Scenes bring the ten styles of the renderer as styles, and as content; dead leaves (Lee, Mumford
& Huang 2001; Baradad et al. 2021 learn from them what photographs teach) have the edges and the spectrum of
photographs, which the renderer's plain shapes lack. The paintings are the style gallery's, drawn from other seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from presets.styles.recipe.__main__ import STYLES

SIDE = 256  # pixels of what is drawn; a training takes crops of it
LEAVES = 220  # shapes in one picture
_SPECTRUM = 1.0  # of the noise in a leaf: its amplitude falls with frequency as in photographs


def dead_leaves(rng: np.random.Generator, side: int = SIDE) -> NDArray[np.uint8]:
    """Overlapping shapes of many sizes, each with its own colour and grain, (side, side, 3) in [0, 255]."""
    palette = rng.random((6, 3)) ** rng.uniform(0.6, 1.6)
    canvas = _leaf(rng, palette, side)
    for _ in range(LEAVES):
        radius = side / 2 * min(1.0, 0.04 * (1 - rng.random()) ** -0.7)  # few large ones, many small ones
        mask = Image.new("L", (side, side))
        x, y = rng.random(2) * side
        if rng.random() < 0.6:
            stretch = radius * rng.uniform(0.4, 1.0)
            ImageDraw.Draw(mask).ellipse((x - radius, y - stretch, x + radius, y + stretch), fill=255)
        else:
            angles = np.sort(rng.random(int(rng.integers(3, 7))) * 2 * np.pi)
            corners = [(x + radius * np.cos(a), y + radius * np.sin(a)) for a in angles]
            ImageDraw.Draw(mask).polygon([(float(a), float(b)) for a, b in corners], fill=255)
        covered = (np.asarray(mask, np.float32) / 255)[..., None]
        canvas = canvas * (1 - covered) + _leaf(rng, palette, side) * covered
    return np.clip(canvas * 255, 0, 255).astype(np.uint8)


def _leaf(rng: np.random.Generator, palette: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """One colour with light falling over it and grain in it, (side, side, 3) about [0, 1]."""
    colour = palette[rng.integers(len(palette))] + rng.normal(0, 0.06, 3)
    rows, columns = np.mgrid[0:side, 0:side] / side - 0.5
    light = 1 + rng.normal(0, 0.35) * rows + rng.normal(0, 0.35) * columns
    grain = _GRAIN[rng.integers(len(_GRAIN))]
    grain = np.roll(grain, rng.integers(0, len(grain), 2), (0, 1))[:side, :side]
    return (colour * (light + rng.exponential(0.08) * grain)[..., None]).astype(np.float32)


def _grain_sheets() -> list[NDArray[np.float32]]:
    """A few sheets of noise with a falling spectrum, unit deviation."""
    rng = np.random.default_rng(0)
    frequencies = np.hypot(np.fft.fftfreq(512)[:, None], np.fft.fftfreq(512)[None])
    frequencies[0, 0] = 1.0
    sheets = []
    for slope in (0.4, 0.8, _SPECTRUM, 1.4):
        spectrum = np.fft.fft2(rng.normal(size=(512, 512))) / frequencies**slope
        sheet = np.real(np.fft.ifft2(spectrum))
        sheets.append(((sheet - sheet.mean()) / sheet.std()).astype(np.float32))
    return sheets


_GRAIN = _grain_sheets()


def pool_of(file: Path, seed: int, count: int) -> NDArray[np.uint8]:
    """`count` pictures, three quarters of them scenes, (count, SIDE, SIDE, 3); drawn once and stored in `file`."""
    from models.starter.recipe.draw import draw_one  # late: its library is needed by those alone who draw

    rng = np.random.default_rng(seed)
    return _drawn_once(file, count, lambda index: draw_one(seed, index)[0] if index % 4 else dead_leaves(rng))


def paintings_of(file: Path, seed: int, count: int) -> NDArray[np.uint8]:
    """`count` paintings, (count, 512, 512, 3), in the gallery's styles in turn; drawn once and stored in `file`."""

    def draw(index: int) -> NDArray[np.uint8]:
        painting = STYLES[index % len(STYLES)](np.random.default_rng((seed, index)))
        return np.clip(255 * painting, 0, 255).astype(np.uint8)

    return _drawn_once(file, count, draw)


def _drawn_once(file: Path, count: int, draw: Callable[[int], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    if file.exists():
        pool: NDArray[np.uint8] = np.load(file, mmap_mode="r")
        if len(pool) >= count:
            return pool[:count]
    part = file.with_name(f".{file.name}.npy")
    np.save(part, np.stack([draw(index) for index in range(count)]))
    part.replace(file)
    return np.load(file, mmap_mode="r")


def batch_of(pool: NDArray[np.uint8], rng: np.random.Generator, number: int, side: int) -> Tensor:
    """`number` crops, turned, mirrored, with changed colours and contrast, (B, 3, side, side) in [0, 1]."""
    crops = []
    for index in rng.integers(len(pool), size=number):
        picture = Image.fromarray(pool[index])
        zoomed = int(rng.uniform(side, max(side, 1.5 * pool.shape[1])))
        picture = picture.resize((zoomed, zoomed), Image.Resampling.BICUBIC)
        x, y = rng.integers(0, zoomed - side + 1, 2)
        pixels = np.asarray(picture.crop((x, y, x + side, y + side)), np.float32) / 255
        pixels = np.rot90(pixels, int(rng.integers(4)) if rng.random() < 0.5 else 0)
        if rng.random() < 0.5:
            pixels = pixels[:, ::-1]
        crops.append(_other_colours(pixels, rng))
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).contiguous()


def _other_colours(pixels: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    if rng.random() < 0.6:
        pixels = pixels[..., rng.permutation(3)]
    if rng.random() < 0.7:
        pixels = pixels ** np.exp(rng.normal(0, 0.3, 3)).astype(np.float32)
    if rng.random() < 0.15:
        grey = pixels.mean(-1, keepdims=True)
        pixels = grey + (pixels - grey) * rng.uniform(0, 0.6)
    return np.clip(pixels, 0, 1).astype(np.float32)
