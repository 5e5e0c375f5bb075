"""Drawings on the canvas: tinted, flipped, sheared, lit like everything else, in the hand of the picture's style."""

import colorsys
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import skia
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from models.starter.recipe.brush import SHADE, WHITE, Brush, argb
from models.starter.recipe.hands import SHADOWS
from models.starter.recipe.icons import read_drawing
from models.starter.recipe.light import Colour, mix
from models.starter.recipe.paints import PAINTS

Pixels = NDArray[np.uint8]
CACHED_IMAGES = 400  # tinted drawings and their lines, 0.4 MB each
HUE_REACH = 26  # of 256: how far from its main hue a drawing is tinted
FAINT = 60  # saturation of 255 below which a pixel has no hue
LINE_WIDTH = 5  # pixels of a drawing's contours
LINE_GAIN = 3.2  # how soon a step in brightness is a line
SAMPLING = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)


@dataclass(frozen=True)
class Pose:
    """How a drawing stands: degrees, shares of its width and height, and which way it looks."""

    flip: bool = False
    turn: float = 0.0
    shear: float = 0.0
    stretch: float = 1.0
    shade: float = 0.0  # how dark its far side is, [0, 1]; negative: its left side


def any_pose(rng: np.random.Generator, flies: bool = False) -> Pose:
    """A pose by lot; what flies may lean more."""
    lean = 14 if flies else 6
    return Pose(
        flip=bool(rng.random() < 0.5),
        turn=float(rng.uniform(-lean, lean)),
        shear=float(rng.uniform(-0.14, 0.14)),
        stretch=float(rng.uniform(0.9, 1.1)),
        shade=float(rng.uniform(-0.35, 0.35)),
    )


def tinted(drawing: Pixels, paint: Colour) -> Pixels:
    """The drawing with its main hue, and what is near to it, in another colour."""
    hue, saturation, value = (np.asarray(band).astype(np.int16)
                              for band in Image.fromarray(drawing[..., :3]).convert("HSV").split())  # fmt: skip
    vivid = (saturation > FAINT) & (drawing[..., 3] > 128)
    if not vivid.any():
        return drawing
    counts = np.bincount(hue[vivid], minlength=256)
    near = sum(np.roll(counts, shift) for shift in range(-HUE_REACH // 2, HUE_REACH // 2 + 1))
    main = int(np.argmax(near))
    chosen = (np.abs((hue - main + 128) % 256 - 128) <= HUE_REACH) & (saturation > FAINT)
    to_hue, to_saturation, to_value = colorsys.rgb_to_hsv(*(float(part) for part in paint))
    usual = float(np.median(value[chosen & vivid])) if (chosen & vivid).any() else 255.0
    if to_saturation > 0.3:
        hue = np.where(chosen, int(to_hue * 255), hue)
        saturation = np.where(chosen, np.clip(saturation * 0.4 + to_saturation * 150, 0, 255), saturation)
        light = np.clip(value + (to_value * 255 - usual) * 0.6, 0, 255)
    else:  # white or black: the shading stays
        saturation = np.where(chosen, saturation * 0.1, saturation)
        light = np.clip(to_value * 255 + (value - usual) * 0.6, 0, 255)
    value = np.where(chosen, light, value)
    bands = [Image.fromarray(band.astype(np.uint8)) for band in (hue, saturation, value)]
    changed = np.asarray(Image.merge("HSV", bands).convert("RGB"))
    return np.concatenate([changed, drawing[..., 3:]], axis=2)


def lines_of(drawing: Pixels) -> Pixels:
    """Where the drawing's shapes meet and end, (height, width) in [0, 255]."""
    colours = Image.fromarray(drawing, "RGBA")
    paper = Image.new("RGBA", colours.size, (128, 128, 128, 255))
    paper.alpha_composite(colours)
    steps = paper.convert("L"), colours.getchannel("A")
    found = [ImageChops.subtract(one.filter(ImageFilter.MaxFilter(LINE_WIDTH)), one.filter(ImageFilter.MinFilter(3)))
             for one in steps]  # fmt: skip
    strength = ImageChops.lighter(*found).point([min(255, int(max(0, value - 24) * LINE_GAIN)) for value in range(256)])
    return np.asarray(strength)


@lru_cache(CACHED_IMAGES)
def _image(name: str, tint: str) -> skia.Image:
    return _to_skia(_coloured(name, tint))


def _coloured(name: str, tint: str) -> Pixels:
    drawing = read_drawing(name)
    return tinted(drawing, PAINTS[tint]) if tint else drawing


@lru_cache(CACHED_IMAGES)
def _line_image(name: str, tint: str, glows: bool) -> skia.Image:
    """The drawing's lines: white, to be coloured; where it glows, bright in its own colours."""
    drawing = _coloured(name, tint)
    colours = np.full((*drawing.shape[:2], 3), 255, np.uint8)
    if glows:
        hue, saturation, value = Image.fromarray(drawing[..., :3]).convert("HSV").split()
        vivid = saturation.point([min(255, 90 + 2 * one) for one in range(256)])
        bright = value.point([min(255, 190 + one // 3) for one in range(256)])
        colours = np.asarray(Image.merge("HSV", (hue, vivid, bright)).convert("RGB"))
    return _to_skia(np.dstack([colours, lines_of(drawing)]))


def _to_skia(pixels: Pixels) -> skia.Image:
    return skia.Image.fromarray(np.ascontiguousarray(pixels), skia.kRGBA_8888_ColorType, skia.kUnpremul_AlphaType)


def _lit(light: Colour) -> skia.ColorFilter:
    """Every colour times the light's."""
    red, green, blue = (float(part) for part in light)
    return skia.ColorFilters.Matrix([red, 0, 0, 0, 0, 0, green, 0, 0, 0, 0, 0, blue, 0, 0, 0, 0, 0, 1, 0])


def _silhouette(colour: Colour, alpha: float) -> skia.ColorFilter:
    return skia.ColorFilters.Blend(argb(colour, alpha), skia.BlendMode.kSrcIn)


def extent(name: str, size: float) -> tuple[float, float]:
    """Width and height in units of a drawing of this size: wide ones are lower."""
    height, width = read_drawing(name).shape[:2]
    scale = size / max(height, 0.75 * width)
    return width * scale, height * scale


def draw_sprite(brush: Brush, name: str, x: float, y: float, size: float, tint: str = "",
                pose: Pose | None = None) -> None:  # fmt: skip
    """A drawing by the middle of its foot, in the light of `brush`; `tint` names a paint."""
    pose, canvas, hand = pose or Pose(), brush.canvas, brush.hand
    image, (width, height) = _image(name, tint), extent(name, size)
    canvas.save()
    canvas.translate(x, y)
    canvas.rotate(pose.turn)
    canvas.skew(pose.shear, 0)
    canvas.scale(-1 if pose.flip else 1, pose.stretch)
    box = skia.Rect.MakeLTRB(-width / 2, -height, width / 2, 0)
    if hand.paper:
        for right, down, alpha in SHADOWS:
            shadow = skia.Paint(ColorFilter=_silhouette(SHADE, alpha))
            canvas.drawImageRect(image, box.makeOffset(-right if pose.flip else right, down), SAMPLING, shadow)
        for right, down in ((0.9, 0), (-0.9, 0), (0, 0.9), (0, -0.9)):  # the cut edge catches the light
            rim = skia.Paint(ColorFilter=_silhouette(WHITE, 0.6))
            canvas.drawImageRect(image, box.makeOffset(right, down), SAMPLING, rim)
    canvas.saveLayer(box.makeOutset(2, 2))
    canvas.drawImageRect(image, box, SAMPLING, skia.Paint(ColorFilter=_lit(brush.light.ambient)))
    if not hand.flat and not brush.light.neon:
        _shade(canvas, box, pose.shade)
    canvas.restore()
    if brush.light.neon:
        lines = _line_image(name, tint, True)
        glow = skia.ImageFilters.Blur(2.5, 2.5)
        canvas.drawImageRect(lines, box, SAMPLING, skia.Paint(ImageFilter=glow, BlendMode=skia.BlendMode.kScreen))
        canvas.drawImageRect(lines, box, SAMPLING, skia.Paint())
    elif hand.contour is not None:
        contour = skia.Paint(ColorFilter=_silhouette(mix(hand.contour, SHADE, 0.2), 1.0))
        canvas.drawImageRect(_line_image(name, tint, False), box, SAMPLING, contour)
    canvas.restore()


def _shade(canvas: skia.Canvas, box: skia.Rect, amount: float) -> None:
    """One side darker, on what the layer shows."""
    if abs(amount) < 0.05:
        return
    ends = [(box.left(), 0), (box.right(), 0)] if amount > 0 else [(box.right(), 0), (box.left(), 0)]
    shader = skia.GradientShader.MakeLinear(points=ends, colors=[argb(SHADE, 0.0), argb(SHADE, abs(amount))])
    canvas.drawRect(box, skia.Paint(Shader=shader, BlendMode=skia.BlendMode.kSrcATop))
