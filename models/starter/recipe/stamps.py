"""Pictures made of many little pictures: brush strokes and mosaic tiles, laid by skia in one call.

Positions and lengths are units of a picture 256 units wide. Knows nothing of scenes.
"""

from functools import cache

import numpy as np
import skia
from numpy.typing import NDArray
from PIL import Image, ImageFilter

UNITS = 256
STROKE = (64, 24)  # of the stroke's sprite in pixels, length and width
GROUT = (np.arange(256) * 0.42 + 22).astype(np.uint8)  # what a channel's value becomes between tiles
TILE = 24  # of a tile's sprite in pixels


@cache
def stroke_sprite() -> skia.Image:
    """A stroke of a bristle brush: white with streaks along it, ragged ends."""
    rng = np.random.default_rng(64)
    length, width = STROKE
    streaks = np.repeat(rng.normal(size=(width, 1)), length, axis=1) + 0.4 * rng.normal(size=(width, length))
    grain = streaks + np.roll(streaks, 1, axis=0)
    across = np.linspace(-1, 1, width)[:, None]
    ends = 0.9 + 0.12 * rng.normal(size=(width, 1)) - 0.25 * across**2
    along = np.abs(np.linspace(-1, 1, length))[None]
    alpha = np.clip((ends - along) * 12, 0, 1) * np.clip((1 - np.abs(across)) * 7, 0, 1)
    value = np.clip(0.95 + 0.035 * grain - 0.10 * (across > 0.55) + 0.07 * (across < -0.45), 0, 1)
    return _sprite(value, alpha)


@cache
def tile_sprite() -> skia.Image:
    """A square tile, lit at its upper left edge."""
    rows, columns = np.mgrid[0:TILE, 0:TILE]
    rim = np.minimum.reduce([rows, columns, TILE - 1 - rows, TILE - 1 - columns])
    value = np.full((TILE, TILE), 0.93)
    value[(rows < 4) | (columns < 4)] = 1.0
    value[(rows > TILE - 5) | (columns > TILE - 5)] = 0.84
    return _sprite(value, np.clip((rim + 0.4) / 1.4, 0, 1))


def _sprite(value: NDArray[np.float64], alpha: NDArray[np.float64]) -> skia.Image:
    grey = np.rint(np.broadcast_to(value, alpha.shape) * 255)
    pixels = np.stack([grey, grey, grey, np.rint(alpha * 255)], axis=2).astype(np.uint8)
    return skia.Image.fromarray(pixels, skia.kRGBA_8888_ColorType, skia.kUnpremul_AlphaType, copy=True)


def lay(canvas: skia.Canvas, sprite: skia.Image, x: NDArray[np.float64], y: NDArray[np.float64],
        angles: NDArray[np.float64], scales: NDArray[np.float64], colours: NDArray[np.uint8]) -> None:  # fmt: skip
    """Lay the sprite at every (x, y), turned by `angles` (radians), `scales` units to a pixel, dyed (N, 3)."""
    half_width, half_height = sprite.width() / 2, sprite.height() / 2
    cosines, sines = np.cos(angles) * scales, np.sin(angles) * scales
    left = x - cosines * half_width + sines * half_height
    top = y - sines * half_width - cosines * half_height
    places = [skia.RSXform(*row) for row in np.stack([cosines, sines, left, top], axis=1).tolist()]
    whole = [skia.Rect.MakeWH(sprite.width(), sprite.height())] * len(places)
    dyes = colours.astype(np.uint32) @ np.array((1 << 16, 1 << 8, 1), np.uint32) + np.uint32(0xFF000000)
    canvas.drawAtlas(sprite, places, whole, dyes.tolist(), skia.BlendMode.kModulate,
                     skia.SamplingOptions(skia.FilterMode.kLinear))  # fmt: skip


def _softened(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The values (H, W) without detail finer than four of them."""
    image = Image.fromarray(values)
    few = image.resize((image.width // 4, image.height // 4), Image.Resampling.BOX)
    return np.asarray(few.resize(image.size, Image.Resampling.BILINEAR), np.float64)


def directions(tone: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The angle along the edges of a picture's tone (H, W), and how strong they are there, in [0, 1]."""
    down, across = np.gradient(tone)
    parts = np.stack([across * across, down * down, across * down]).astype(np.float32)
    xx, yy, xy = (_softened(part) for part in parts)
    return 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2, np.clip(np.hypot(xx - yy, 2 * xy) / 150.0, 0, 1)


def strokes(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture (size, size, 3) painted with wide strokes, then with narrow ones where it has edges."""
    size = len(picture)
    image = Image.fromarray(picture).resize((UNITS // 2, UNITS // 2), Image.Resampling.BOX)
    small = np.asarray(image)
    soft = np.asarray(image.filter(ImageFilter.BoxBlur(1)))
    along, strong = directions(small.mean(axis=2, dtype=np.float32))
    pixels = np.zeros((size, size, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = picture, 255
    canvas = skia.Surface(pixels).getCanvas()
    canvas.scale(size / UNITS, size / UNITS)
    sway = float(rng.uniform(-0.5, 0.5))
    for step, wide, source, least in ((8.0, 13.0, soft, -1.0), (5.2, 6.4, small, 0.10), (3.2, 2.8, small, 0.35)):
        grid = np.arange(step / 2, UNITS, step)
        y, x = (values.ravel() + rng.uniform(-step / 2, step / 2, values.size) for values in np.meshgrid(grid, grid))
        row, column = (np.clip(values / 2, 0, UNITS // 2 - 1).astype(int) for values in (y, x))
        jitter, tint, order = rng.normal(size=x.size), rng.normal(size=(x.size, 3)), rng.permutation(x.size)
        kept = order[strong[row, column][order] > least]
        row, column, x, y = row[kept], column[kept], x[kept], y[kept]
        flow = 0.35 * np.sin(x / 37) + 0.5 * np.sin(y / 29 + sway * 6) + sway
        edge = strong[row, column]
        angles = np.where(edge > 0.02, along[row, column], flow) + 0.22 * jitter[kept] * (1 - edge)
        colours = source[row, column] * (1 + 0.07 * jitter[kept, None] * (1 - edge[:, None])) + 5.0 * tint[kept]
        lay(canvas, stroke_sprite(), x, y, angles, np.full(x.size, wide / STROKE[1]),
            np.clip(colours, 0, 255).astype(np.uint8))  # fmt: skip
    kept = np.asarray(Image.fromarray((110 * strong).astype(np.uint8)).resize((size, size), Image.Resampling.BILINEAR))
    share = (kept.astype(np.float32) / 255)[..., None]  # eyes and windows stay what they are
    return (pixels[..., :3] * (1 - share) + picture * share).astype(np.uint8)


def tiles(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture (size, size, 3) laid of tiles 8 units wide, and of 4 where it has small things, in dark grout."""
    size = len(picture)
    image = Image.fromarray(picture)
    fine = np.asarray(image.resize((64, 64), Image.Resampling.BOX), np.float64)
    coarse = fine.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
    spread = np.abs(fine - coarse.repeat(2, axis=0).repeat(2, axis=1)).sum(axis=2)
    split = spread.reshape(32, 2, 32, 2).max(axis=(1, 3)) > 26
    pixels = np.zeros((size, size, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = GROUT[picture], 255
    canvas = skia.Surface(pixels).getCanvas()
    canvas.scale(size / UNITS, size / UNITS)
    divided = split.repeat(2, axis=0).repeat(2, axis=1)
    for cells, chosen, wide in ((coarse, ~split, 8.0), (fine, divided, 4.0)):
        shape = chosen.shape
        turn, light = rng.normal(size=shape), rng.normal(size=shape)
        shift = rng.normal(size=(2, *shape))
        row, column = np.nonzero(chosen)
        x = (column + 0.5) * wide + 0.25 * shift[0][chosen]
        y = (row + 0.5) * wide + 0.25 * shift[1][chosen]
        scales = np.full(x.size, (wide - 0.55) / TILE)
        dyed = cells[chosen] * (1 + 0.085 * light[chosen])[:, None] + 3.0
        lay(canvas, tile_sprite(), x, y, 0.07 * turn[chosen], scales, np.clip(dyed, 0, 255).astype(np.uint8))
    return pixels[..., :3].copy()
