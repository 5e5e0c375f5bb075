"""The hand that drew the picture: what each style does to it when all shapes are drawn.

All work on (size, size, 3) pixels in [0, 255] and look alike at every size: lengths are units of a picture 256 units
wide, of `unit` pixels each. What a style does to single shapes is in brush.py.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from models.starter.recipe.scene import Scene
from models.starter.recipe.stamps import strokes, tiles

Pixels = NDArray[np.uint8]
PIXEL_BLOCK = 4  # units to one block of the pixel art
PIXEL_COLOURS = 30
PAPER = np.array((248.0, 244.0, 234.0), np.float32)
INK = np.array((24.0, 22.0, 32.0), np.float32)
GREY = np.array((0.299, 0.587, 0.114), np.float32)
NEON_SHINE = {"day": 0.2, "sunset": 0.6, "night": 1.0}  # a bright sky must not drown everything
CUT = 8  # units from one carved line to the next


@cache
def _noise_sheet(scale: int) -> NDArray[np.float32]:
    """Smooth noise about 0 with unit deviation, (512, 512), its grains `scale` pixels wide."""
    rng = np.random.default_rng(scale)
    small = rng.normal(size=(512 // scale, 512 // scale)).astype(np.float32)
    sheet = np.asarray(Image.fromarray(small, "F").resize((512, 512), Image.Resampling.BICUBIC))
    return (sheet - sheet.mean()) / sheet.std()


def noise(rng: np.random.Generator, scale: int, size: int) -> NDArray[np.float32]:
    """A piece of smooth noise whose grains are `scale` units wide, (size, size, 1)."""
    y, x = rng.integers(0, 256, 2)
    piece = _noise_sheet(scale)[y : y + 256, x : x + 256]
    if size != 256:
        piece = np.asarray(Image.fromarray(piece).resize((size, size), Image.Resampling.BICUBIC))
    return piece[..., None]


@cache
def _grid(size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rows and columns of the pixels' middles, in units, (size, size, 1) each."""
    rows, columns = (np.mgrid[0:size, 0:size].astype(np.float32) + 0.5) * (256 / size)
    return rows[..., None], columns[..., None]


@cache
def _rim(size: int) -> NDArray[np.float32]:
    """Distance from the nearest edge in units, (size, size, 1)."""
    rows, columns = _grid(size)
    return np.minimum.reduce([rows, columns, 256 - rows, 256 - columns])


def _pixels(values: NDArray[np.floating]) -> Pixels:
    return np.clip(values, 0, 255).astype(np.uint8)


def _framed(values: NDArray[np.float32], rng: np.random.Generator, width: float, ragged: float) -> Pixels:
    """The picture on paper that shows around it, `width` units wide with an edge torn by `ragged` units."""
    size = len(values)
    covered = np.clip((_rim(size) + ragged * noise(rng, 16, size) - width) / 2.5, 0, 1)
    return _pixels(values * covered + PAPER * (1 - covered))


def _watercolour(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Washes that run at wavering edges, darken where they end, bloom, and let the paper through."""
    size = len(picture)
    unit = size / 256
    sway = unit * (1.1 * noise(rng, 16, size) + 0.4 * noise(rng, 4, size))[..., 0]
    rows, columns = np.arange(size)[:, None], np.arange(size)[None]
    moved = picture[np.clip(rows + sway, 0, size - 1).astype(int),
                    np.clip(columns + np.roll(sway, size // 3, 1), 0, size - 1).astype(int)]  # fmt: skip
    image = Image.fromarray(moved).filter(ImageFilter.BoxBlur(0.5 * unit))
    soft = np.asarray(image, np.float32)
    blurred = np.asarray(image.convert("L").filter(ImageFilter.BoxBlur(3 * unit)), np.float32)
    edges = np.clip(blurred - soft @ GREY, 0, 40)[..., None]
    thick = 0.24 + 0.07 * noise(rng, 32, size)  # how much paper shines through
    washed = soft + (PAPER - soft) * np.clip(thick, 0.05, 0.6) - edges * 1.1 + 5.0 * noise(rng, 8, size)
    return _framed(washed, rng, 9, 2.2)


def _pixel_art(picture: Pixels) -> Pixels:
    """64 by 64 blocks in few colours."""
    blocks, size = 256 // PIXEL_BLOCK, len(picture)
    small = Image.fromarray(picture).resize((blocks, blocks), Image.Resampling.BOX)
    small = small.quantize(PIXEL_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).convert("RGB")
    return np.asarray(small.resize((size, size), Image.Resampling.NEAREST))


def _neon(picture: Pixels, shine: float) -> Pixels:
    """Bright lines bleed light into the dark around them; `shine` in [0, 1] is how much."""
    image = Image.fromarray(picture)
    small = np.asarray(image.resize((64, 64), Image.Resampling.BOX), np.float32)
    bright = Image.fromarray(_pixels((small - 90) * 1.5 * shine))
    halo = sum(
        share * np.asarray(bright.filter(ImageFilter.GaussianBlur(radius)), np.float32)
        for radius, share in ((1.2, 0.45), (5, 0.4))
    )
    spread = Image.fromarray(_pixels(np.asarray(halo))).resize(image.size, Image.Resampling.BILINEAR)
    return _pixels(picture + np.asarray(spread, np.float32))


def _ink(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Black contours, black where it is darkest, and pale washes on white paper."""
    size = len(picture)
    values = picture.astype(np.float32)
    tone = (values @ GREY)[..., None]
    pooled = tone + 9 * noise(rng, 32, size) + 5 * noise(rng, 8, size)
    steps = np.clip((pooled - 60) / 36, 0, 1) + np.clip((pooled - 128) / 36, 0, 1)  # three tones of wash
    grey = 146 + 48 * steps
    wash = grey * (PAPER / 255) + (values - tone) * (1.12 - tone / 420)
    black = np.clip((62 - tone) / 30, 0, 1)
    inked = wash * (1 - black) + (INK + 0.5 * (values - tone)) * black
    return _framed(inked, rng, 7, 1.0)


def _pencil(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Coloured pencil: pale, in slanting strokes that crowd where it is dark, on white paper."""
    size = len(picture)
    rows, columns = _grid(size)
    values = picture.astype(np.float32)
    tone = (values @ GREY)[..., None] / 255
    strokes_at = np.sin((rows + columns + 0.6 * noise(rng, 16, size)) * (2 * np.pi / 8))
    gaps = np.clip(0.55 + 0.5 * noise(rng, 32, size), 0, 1)  # where the paper shows most
    cover = np.clip(0.42 + 0.55 * (1 - tone) + (0.10 + 0.16 * gaps) * strokes_at, 0.1, 0.92)
    vivid = tone * 255 * 0.78 + 20 + (values - tone * 255) * 1.2
    return _framed(PAPER + (vivid - PAPER) * cover, rng, 10, 2.0)


def _woodcut(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """A few inks on cream paper, and a black block whose carved lines swell where it is dark."""
    size = len(picture)
    rows, columns = _grid(size)
    values = picture.astype(np.float32)
    grey = (values @ GREY)[..., None]
    tone = np.clip(grey * (128 / max(float(grey.mean()), 64)) ** 0.55, 0, 255)  # a night must not be all black
    printed_tone = np.round((tone + 12) / 44) * 44
    flat = values * np.clip(printed_tone / np.maximum(grey, 8), 0.5, 1.7)  # so that yellow stays yellow at night
    wave = 5.0 * noise(rng, 64, size) + 2.5 * np.sin(columns / 19)
    carved = np.sin((rows + wave) * (2 * np.pi / CUT))
    black = np.clip((78 - tone - 42 * carved) / 18, 0, 1)
    paper = np.clip((tone - 176 - 44 * carved) / 24, 0, 1) * 0.62
    printed = flat + (PAPER - (0, 6, 24) - flat) * (0.1 + paper)
    inked = printed + (INK - printed) * (0.86 * black)
    return _framed(inked.astype(np.float32), rng, 7, 0.8)


def _papercut(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """The fibres of the paper; its sheets and shadows are there already."""
    size = len(picture)
    return _pixels(picture + 3.0 * noise(rng, 4, size) + 1.0 * noise(rng, 16, size))


def apply_style(picture: Pixels, scene: Scene, rng: np.random.Generator) -> Pixels:
    """The picture as the scene's style has it; flat illustrations stay as they are."""
    match scene.style:
        case "watercolour":
            return _watercolour(picture, rng)
        case "oil":
            return strokes(picture, rng)
        case "ink":
            return _ink(picture, rng)
        case "pencil":
            return _pencil(picture, rng)
        case "pixel":
            return _pixel_art(picture)
        case "woodcut":
            return _woodcut(picture, rng)
        case "neon":
            return _neon(picture, NEON_SHINE[scene.time])
        case "papercut":
            return _papercut(picture, rng)
        case "mosaic":
            return tiles(picture, rng)
        case _:
            return picture
