"""Shapes on a skia canvas, coloured by the scene's light.

Coordinates are pixels of a 256 by 256 picture, y downwards; `depth` is a distance in [0, 1].
"""

import colorsys
from collections.abc import Sequence

import numpy as np
import skia
from numpy.typing import NDArray

from models.starter.recipe.light import Colour, Light, mix

SIZE = 256  # pixels
Points = Sequence[tuple[float, float]]


def _argb(colour: Colour, alpha: float = 1.0) -> int:
    red, green, blue = (int(value) for value in np.clip(np.rint(colour * 255), 0, 255))
    return (int(alpha * 255) << 24) | (red << 16) | (green << 8) | blue


class Brush:
    """Draws filled shapes; in neon light they become dark shapes with glowing edges."""

    def __init__(self, light: Light, rng: np.random.Generator) -> None:
        self.light = light
        self.rng = rng
        self.pixels: NDArray[np.uint8] = np.zeros((SIZE, SIZE, 4), np.uint8)  # RGBA
        self.surface = skia.Surface(self.pixels)
        self.canvas = self.surface.getCanvas()

    def polygon(self, points: Points, colour: Colour, depth: float = 0.0, edge: bool = True) -> None:
        """A closed polygon."""
        path = skia.Path()
        path.addPoly([skia.Point(x, y) for x, y in points], True)
        self.fill(path, colour, depth, edge)

    def rectangle(self, x: float, y: float, width: float, height: float, colour: Colour, depth: float = 0.0,
                  edge: bool = True, radius: float = 0.0) -> None:  # fmt: skip
        """A rectangle by its upper left corner, its corners rounded by `radius`."""
        path = skia.Path()
        path.addRoundRect(skia.Rect.MakeXYWH(x, y, width, height), radius, radius)
        self.fill(path, colour, depth, edge)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour, depth: float = 0.0,
             edge: bool = True) -> None:  # fmt: skip
        """An ellipse by its middle and radii."""
        path = skia.Path()
        path.addOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))
        self.fill(path, colour, depth, edge)

    def fill(self, path: skia.Path, colour: Colour, depth: float = 0.0, edge: bool = True,
             foot: Colour | None = None) -> None:  # fmt: skip
        """A path in the scene's light; `foot` is the colour at its lower end, for a gradient."""
        lit = self.light.on(colour, depth)
        paint = skia.Paint(AntiAlias=True, Color=_argb(lit))
        if foot is not None:
            box = path.getBounds()
            paint.setShader(
                skia.GradientShader.MakeLinear(
                    points=[(0, box.top()), (0, box.bottom())],
                    colors=[_argb(lit), _argb(self.light.on(foot, depth))],
                )
            )
        self.canvas.drawPath(path, paint)
        if self.light.neon and edge:
            self._neon_edge(path, colour, depth)

    def _neon_edge(self, path: skia.Path, colour: Colour, depth: float) -> None:
        hue, saturation, value = colorsys.rgb_to_hsv(*(float(part) for part in colour))
        if saturation < 0.25:
            hue, saturation = (0.5, 0.35 if value > 0.7 else 0.9)
        bright = mix(np.array(colorsys.hsv_to_rgb(hue, max(saturation, 0.75), 1.0)), self.light.haze, depth * 0.6)
        wide = skia.Paint(AntiAlias=True, Color=_argb(bright, 0.28), Style=skia.Paint.kStroke_Style, StrokeWidth=5)
        thin = skia.Paint(AntiAlias=True, Color=_argb(bright), Style=skia.Paint.kStroke_Style, StrokeWidth=1.6)
        self.canvas.drawPath(path, wide)
        self.canvas.drawPath(path, thin)

    def line(self, points: Points, colour: Colour, width: float, alpha: float = 1.0, lit: bool = True,
             depth: float = 0.0) -> None:  # fmt: skip
        """A polyline with round ends; `lit` false takes the colour as it is."""
        path = skia.Path()
        path.addPoly([skia.Point(x, y) for x, y in points], False)
        paint = skia.Paint(AntiAlias=True, Color=_argb(self.light.on(colour, depth) if lit else colour, alpha),
                           Style=skia.Paint.kStroke_Style, StrokeWidth=width,
                           StrokeCap=skia.Paint.kRound_Cap, StrokeJoin=skia.Paint.kRound_Join)  # fmt: skip
        self.canvas.drawPath(path, paint)

    def shine(self, x: float, y: float, radius: float, colour: Colour, alpha: float) -> None:
        """A soft round glow, brightest in its middle."""
        shader = skia.GradientShader.MakeRadial(
            center=(x, y), radius=radius, colors=[_argb(colour, alpha), _argb(colour, alpha * 0.35), _argb(colour, 0)],
            positions=[0, 0.4, 1],
        )  # fmt: skip
        self.canvas.drawCircle(x, y, radius, skia.Paint(AntiAlias=True, Shader=shader))

    def beam(self, points: Points, colour: Colour, alpha: float) -> None:
        """A translucent polygon of light."""
        path = skia.Path()
        path.addPoly([skia.Point(x, y) for x, y in points], True)
        self.canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=_argb(colour, alpha)))

    def glow_rectangle(
        self, x: float, y: float, width: float, height: float, colour: Colour, alpha: float = 1.0
    ) -> None:
        """A rectangle of light, untouched by the hour."""
        self.canvas.drawRect(
            skia.Rect.MakeXYWH(x, y, width, height), skia.Paint(AntiAlias=True, Color=_argb(colour, alpha))
        )

    def glow_disc(self, x: float, y: float, rx: float, ry: float, colour: Colour, alpha: float = 1.0) -> None:
        """An ellipse of light or cloud, untouched by the hour."""
        box = skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry)
        self.canvas.drawOval(box, skia.Paint(AntiAlias=True, Color=_argb(colour, alpha)))

    def veil(self, top: float, bottom: float, colours: Sequence[Colour], alphas: Sequence[float]) -> None:
        """A horizontal band over the whole width, a vertical gradient of colours and opacities."""
        shader = skia.GradientShader.MakeLinear(
            points=[(0, top), (0, bottom)],
            colors=[_argb(colour, alpha) for colour, alpha in zip(colours, alphas, strict=True)],
        )
        self.canvas.drawRect(skia.Rect.MakeLTRB(0, top, SIZE, bottom), skia.Paint(Shader=shader, Dither=True))

    def reflect(self, waterline: float, alpha: float, squeeze: float = 0.85) -> None:
        """Mirror what stands above the waterline into the water below it."""
        image = skia.Image.fromarray(self.pixels, skia.kRGBA_8888_ColorType, copy=True)
        self.canvas.save()
        self.canvas.clipRect(skia.Rect.MakeLTRB(0, waterline, SIZE, SIZE))
        self.canvas.translate(0, waterline)
        self.canvas.scale(1, -squeeze)
        self.canvas.translate(0, -waterline)
        self.canvas.drawImage(image, 0, 0, skia.SamplingOptions(skia.FilterMode.kLinear), skia.Paint(Alphaf=alpha))
        self.canvas.restore()

    def rgb(self) -> NDArray[np.uint8]:
        """The picture so far, (256, 256, 3) in [0, 255]."""
        return self.pixels[:, :, :3].copy()


def outline(rng: np.random.Generator, base: float, height: float, roughness: float, waves: int = 4,
            step: int = 4) -> list[tuple[float, float]]:  # fmt: skip
    """A rolling skyline from x = -4 to 260 as a sum of sines; y in pixels, at most `height` above `base`."""
    xs = np.arange(-4, SIZE + 8, step, dtype=float)
    ys = np.zeros_like(xs)
    total = 0.0
    for octave in range(waves):
        weight = roughness**octave
        ys += weight * np.sin(xs / SIZE * np.pi * (1.3 * 1.9**octave) + rng.uniform(0, 2 * np.pi))
        total += weight
    ys = base - height * (0.5 + 0.5 * ys / total)
    return list(zip(xs.tolist(), ys.tolist(), strict=True))


def ground_under(line: Points, bottom: float = SIZE + 4) -> list[tuple[float, float]]:
    """The outline closed downwards into an area."""
    return [*line, (SIZE + 8, bottom), (-8, bottom)]


def height_at(line: Points, x: float) -> float:
    """The outline's y at x, in pixels."""
    return float(np.interp(x, [point[0] for point in line], [point[1] for point in line]))
