"""The hand that drew the picture: watercolour, pixel art, neon, ink. All work on (256, 256, 3) pixels in [0, 255]."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from models.starter.recipe.scene import Scene

Pixels = NDArray[np.uint8]
PIXEL_BLOCK = 4  # pixels of the picture to one of the pixel art
PAPER = np.array((247.0, 243.0, 233.0))


@cache
def _noise_sheet(scale: int) -> NDArray[np.float32]:
    """Smooth noise about 0 with unit deviation, (512, 512), its grains `scale` pixels wide."""
    rng = np.random.default_rng(scale)
    small = rng.normal(size=(512 // scale, 512 // scale)).astype(np.float32)
    sheet = np.asarray(Image.fromarray(small, "F").resize((512, 512), Image.Resampling.BICUBIC))
    return (sheet - sheet.mean()) / sheet.std()


def noise(rng: np.random.Generator, scale: int) -> NDArray[np.float32]:
    """A piece of smooth noise, (256, 256, 1)."""
    y, x = rng.integers(0, 256, 2)
    return _noise_sheet(scale)[y : y + 256, x : x + 256, None]


def _pixels(values: NDArray[np.floating]) -> Pixels:
    return np.clip(values, 0, 255).astype(np.uint8)


def _watercolour(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Washes that run at wavering edges, darken where they end, and let the paper through."""
    rows, columns = np.mgrid[0:256, 0:256]
    dy = 1.5 * noise(rng, 16)[..., 0] + 0.5 * noise(rng, 4)[..., 0]
    dx = 1.5 * noise(rng, 16)[..., 0] + 0.5 * noise(rng, 4)[..., 0]
    moved = picture[np.clip(rows + dy, 0, 255).astype(int), np.clip(columns + dx, 0, 255).astype(int)]
    image = Image.fromarray(moved).filter(ImageFilter.MedianFilter(3))
    soft = np.asarray(image, np.float32)
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(3)), np.float32)
    edges = np.clip((blurred - soft).mean(axis=2, keepdims=True), 0, 40)
    washed = soft * 0.78 + PAPER * 0.22 - edges * 0.9
    washed += 6.0 * noise(rng, 32) + 4.0 * noise(rng, 8)
    rim = np.minimum.reduce([rows, columns, 255 - rows, 255 - columns])[..., None] + 2.5 * noise(rng, 16)
    covered = np.clip((rim - 6) / 5, 0, 1)
    return _pixels(washed * covered + PAPER * (1 - covered))


def _pixel_art(picture: Pixels) -> Pixels:
    """64 by 64 blocks in few colours."""
    size = 256 // PIXEL_BLOCK
    small = Image.fromarray(picture).resize((size, size), Image.Resampling.BOX)
    small = small.quantize(24, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).convert("RGB")
    return np.asarray(small.resize((256, 256), Image.Resampling.NEAREST))


def _neon(picture: Pixels) -> Pixels:
    """Bright lines bleed light into the dark around them."""
    image = Image.fromarray(picture)
    bright = Image.fromarray(_pixels((picture.astype(np.float32) - 90) * 1.5)).resize((64, 64), Image.Resampling.BOX)
    near = np.asarray(
        bright.filter(ImageFilter.GaussianBlur(1.2)).resize((256, 256), Image.Resampling.BILINEAR), np.float32
    )
    far = np.asarray(
        bright.filter(ImageFilter.GaussianBlur(5)).resize((256, 256), Image.Resampling.BILINEAR), np.float32
    )
    return _pixels(np.asarray(image, np.float32) + 0.45 * near + 0.4 * far)


def _ink(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Dark outlines over a grey wash on paper, with hardly any colour left."""
    grey = Image.fromarray(picture).convert("L")
    tone = np.asarray(grey.filter(ImageFilter.GaussianBlur(1)), np.float32)
    colours = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(1)), np.float32)
    down = np.abs(np.diff(colours, axis=0, append=colours[-1:])).sum(axis=2)
    across = np.abs(np.diff(colours, axis=1, append=colours[:, -1:])).sum(axis=2)
    lines = np.clip((down + across - 12) / 60, 0, 1)
    value = 130 + 0.54 * tone + 5.0 * noise(rng, 16)[..., 0] + 3.0 * noise(rng, 4)[..., 0]
    wash = PAPER * (value / 255)[..., None] * 0.88 + colours * 0.12
    ink = (lines * 0.88)[..., None]
    return _pixels(wash * (1 - ink) + np.array((38.0, 38.0, 50.0)) * ink)


def apply_style(picture: Pixels, scene: Scene, rng: np.random.Generator) -> Pixels:
    """The picture as the scene's style has it; flat illustrations stay as they are."""
    match scene.style:
        case "watercolour":
            return _watercolour(picture, rng)
        case "pixel":
            return _pixel_art(picture)
        case "neon":
            return _neon(picture)
        case "ink":
            return _ink(picture, rng)
        case _:
            return picture
