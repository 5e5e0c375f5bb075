"""Shapes on a skia canvas, coloured by the scene's light.

Coordinates are units of a picture 256 units wide and high, y downwards, whatever its size in pixels; `depth` is a
distance in [0, 1].
"""

import colorsys
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import skia
from numpy.typing import NDArray

from models.starter.recipe.hands import PLAIN, SHADOWS, Hand
from models.starter.recipe.light import Colour, Light, mix, rgb
from models.starter.recipe.outlines import SIZE, Points, ground_under, outline


def argb(colour: Colour, alpha: float = 1.0) -> int:
    """A colour and its opacity as skia has them, 0xAARRGGBB."""
    red, green, blue = (min(max(int(value * 255 + 0.5), 0), 255) for value in colour.tolist())
    return (int(alpha * 255) << 24) | (red << 16) | (green << 8) | blue


SHADE, WHITE = rgb(0.05, 0.05, 0.12), rgb(1, 1, 1)


def _area(points: Points) -> float:
    """Twice the signed area, positive where the points turn clockwise on the screen."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True))


def _stroke(colour: Colour, width: float, alpha: float = 1.0) -> skia.Paint:
    return skia.Paint(
        AntiAlias=True, Color=argb(colour, alpha), Style=skia.Paint.kStroke_Style, StrokeWidth=width,
        StrokeCap=skia.Paint.kRound_Cap, StrokeJoin=skia.Paint.kRound_Join,
    )  # fmt: skip


class Brush:
    """Draws filled shapes; in neon light they become dark shapes with glowing edges."""

    def __init__(self, light: Light, rng: np.random.Generator, size: int = SIZE, hand: Hand = PLAIN) -> None:
        """`size` is the picture's side in pixels."""
        self.light = light
        self.hand = hand
        self.rng = rng
        self.pixels: NDArray[np.uint8] = np.zeros((size, size, 4), np.uint8)  # RGBA
        self.surface = skia.Surface(self.pixels)
        self.canvas = self.surface.getCanvas()
        self.canvas.scale(size / SIZE, size / SIZE)

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
        paint = skia.Paint(AntiAlias=True, Color=argb(lit))
        if edge and self.hand.paper:
            self._shadow(path)
        if foot is not None and not self.hand.flat:
            box = path.getBounds()
            paint.setShader(
                skia.GradientShader.MakeLinear(
                    points=[(0, box.top()), (0, box.bottom())],
                    colors=[argb(lit), argb(self.light.on(foot, depth))],
                )
            )
        self.canvas.drawPath(path, paint)
        if self.light.neon and edge:
            self._neon_edge(path, colour, depth)
        elif edge and self.hand.paper:  # the cut edge catches the light
            self.canvas.drawPath(path, _stroke(mix(lit, WHITE, 0.55), 1.3, 0.6 * (1 - 0.6 * depth)))
        elif edge and self.hand.contour is not None:
            tone = mix(self.hand.contour, self.light.haze, depth * 0.6)
            self.canvas.drawPath(path, _stroke(tone, self.hand.width * (1 - 0.5 * depth)))

    def _shadow(self, path: skia.Path) -> None:
        for right, down, alpha in SHADOWS:
            self.canvas.save()
            self.canvas.translate(right, down)
            self.canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=argb(SHADE, alpha)))
            self.canvas.restore()

    def cluster(self, ovals: Sequence[tuple[float, float, float, float]], colour: Colour, depth: float = 0.0,
                edge: bool = True, polygons: Sequence[Points] = ()) -> None:  # fmt: skip
        """Overlapping ellipses (x, y, rx, ry) and polygons as one shape with one edge."""
        path = skia.Path()
        for x, y, rx, ry in ovals:
            path.addOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))
        for points in polygons:  # all turn the way ovals do, or overlaps would become holes
            path.addPoly([skia.Point(*point) for point in (points if _area(points) > 0 else points[::-1])], True)
        if edge and self.hand.paper:
            self._shadow(path)
        if edge and self.light.neon:
            self._neon_edge(path, colour, depth)
        elif edge and self.hand.contour is not None:  # the inner half of each line is painted over
            tone = mix(self.hand.contour, self.light.haze, depth * 0.6)
            self.canvas.drawPath(path, _stroke(tone, 2 * self.hand.width * (1 - 0.5 * depth)))
        self.fill(path, colour, depth, edge=False)

    def cast(self, ovals: Sequence[tuple[float, float, float, float]]) -> None:
        """The shadow that overlapping ellipses (x, y, rx, ry) of paper cast."""
        path = skia.Path()
        for x, y, rx, ry in ovals:
            path.addOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))
        self._shadow(path)

    def mesh(self, points: NDArray[np.float64], colours: Sequence[int]) -> None:
        """A strip of triangles, points (N, 2), one colour (0xAARRGGBB) at each; light is added to what is there."""
        vertices = skia.Vertices(
            skia.Vertices.kTriangleStrip_VertexMode, [skia.Point(x, y) for x, y in points.tolist()], None, list(colours)
        )
        self.canvas.drawVertices(vertices, skia.Paint(BlendMode=skia.BlendMode.kScreen), skia.BlendMode.kDst)

    def crescent(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A waning moon."""
        whole, bite = skia.Path(), skia.Path()
        whole.addCircle(x, y, radius)
        bite.addCircle(x + radius * 0.45, y - radius * 0.15, radius * 0.88)
        moon = skia.Op(whole, bite, skia.PathOp.kDifference_PathOp)
        self.canvas.drawPath(moon, skia.Paint(AntiAlias=True, Color=argb(colour)))

    def arc(self, x: float, y: float, radius: float, width: float, colour: Colour, alpha: float) -> None:
        """A circle's line."""
        self.canvas.drawCircle(x, y, radius, _stroke(colour, width, alpha))

    def strokes(self, lines: NDArray[np.float64], colour: Colour, width: float, alpha: float) -> None:
        """Many straight lines (N, 4) from x, y to x, y at once, whose colour the hour does not change."""
        path = skia.Path()
        for x0, y0, x1, y1 in lines.tolist():
            path.moveTo(x0, y0)
            path.lineTo(x1, y1)
        self.canvas.drawPath(path, _stroke(colour, width, alpha))

    def bloom(self, x: float, y: float, radius: float, colour: Colour, alpha: float) -> None:
        """Light from one point over everything drawn so far."""
        shader = skia.GradientShader.MakeRadial(
            center=(x, y), radius=radius, colors=[argb(colour, alpha), argb(colour, alpha * 0.4), argb(colour, 0)],
            positions=[0, 0.35, 1],
        )  # fmt: skip
        self.canvas.drawPaint(skia.Paint(Shader=shader, BlendMode=skia.BlendMode.kScreen))

    def _neon_edge(self, path: skia.Path, colour: Colour, depth: float) -> None:
        hue, saturation, value = colorsys.rgb_to_hsv(*(float(part) for part in colour))
        if saturation < 0.25:
            hue, saturation = (0.5, 0.35 if value > 0.7 else 0.9)
        bright = mix(np.array(colorsys.hsv_to_rgb(hue, max(saturation, 0.75), 1.0)), self.light.haze, depth * 0.6)
        self.canvas.drawPath(path, _stroke(bright, 5, 0.28))
        self.canvas.drawPath(path, _stroke(bright, 2.0 - 0.8 * depth))

    def line(self, points: Points, colour: Colour, width: float, alpha: float = 1.0, lit: bool = True,
             depth: float = 0.0) -> None:  # fmt: skip
        """A polyline with round ends; with `lit` false, the colour is used as it is."""
        path = skia.Path()
        path.addPoly([skia.Point(x, y) for x, y in points], False)
        self.canvas.drawPath(path, _stroke(self.light.on(colour, depth) if lit else colour, width, alpha))

    def shine(self, x: float, y: float, radius: float, colour: Colour, alpha: float) -> None:
        """A soft round glow, brightest in its middle; rings if the hand knows no softness."""
        if self.hand.flat:
            for part, share in ((0.62, 0.22), (0.4, 0.3)):
                self.glow_disc(x, y, radius * part, radius * part, colour, alpha * share)
            return
        shader = skia.GradientShader.MakeRadial(
            center=(x, y), radius=radius, colors=[argb(colour, alpha), argb(colour, alpha * 0.35), argb(colour, 0)],
            positions=[0, 0.4, 1],
        )  # fmt: skip
        self.canvas.drawCircle(x, y, radius, skia.Paint(AntiAlias=True, Shader=shader))

    def beam(self, points: Points, colour: Colour, alpha: float) -> None:
        """A translucent polygon of light."""
        path = skia.Path()
        path.addPoly([skia.Point(x, y) for x, y in points], True)
        self.canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=argb(colour, alpha)))

    def glow_rectangle(
        self, x: float, y: float, width: float, height: float, colour: Colour, alpha: float = 1.0
    ) -> None:
        """A rectangle of light, which the hour does not change."""
        self.canvas.drawRect(
            skia.Rect.MakeXYWH(x, y, width, height), skia.Paint(AntiAlias=True, Color=argb(colour, alpha))
        )

    def glow_disc(self, x: float, y: float, rx: float, ry: float, colour: Colour, alpha: float = 1.0) -> None:
        """An ellipse of light or cloud, which the hour does not change."""
        box = skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry)
        self.canvas.drawOval(box, skia.Paint(AntiAlias=True, Color=argb(colour, alpha)))

    def veil(self, top: float, bottom: float, colours: Sequence[Colour], alphas: Sequence[float]) -> None:
        """A horizontal band over the whole width, a vertical gradient of colours and opacities."""
        shader = skia.GradientShader.MakeLinear(
            points=[(0, top), (0, bottom)],
            colors=[argb(colour, alpha) for colour, alpha in zip(colours, alphas, strict=True)],
        )
        self.canvas.drawRect(skia.Rect.MakeLTRB(0, top, SIZE, bottom), skia.Paint(Shader=shader, Dither=True))

    def wash(self, top: float, bottom: float, colours: Sequence[Colour], sheets: int = 5) -> None:
        """An opaque band in a gradient from the first colour to the last; in paper, overlapping wavy sheets."""
        if not self.hand.paper:
            step = (bottom - top) / (len(colours) - 1)
            for index, pair in enumerate(pairwise(colours)):
                self.veil(top + index * step, top + (index + 1) * step + 1, pair, (1, 1))
            return
        positions = np.linspace(0, 1, len(colours))
        for index in range(sheets):
            share = index / (sheets - 1)
            colour = np.array([np.interp(share, positions, [tone[part] for tone in colours]) for part in range(3)])
            path, y = skia.Path(), top + (bottom - top) * index / sheets
            line = outline(self.rng, y + 5, 10, 0.3, 2, 12) if index else [(-4.0, top), (264.0, top)]
            path.addPoly([skia.Point(*point) for point in ground_under(line, bottom)], True)
            if index:
                self._shadow(path)
            self.canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=argb(colour)))

    def reflect(self, waterline: float, alpha: float, squeeze: float = 0.85) -> None:
        """Mirrors what is above the waterline in the water below it."""
        image = skia.Image.fromarray(self.pixels, skia.kRGBA_8888_ColorType, copy=True)
        self.canvas.save()
        self.canvas.clipRect(skia.Rect.MakeLTRB(0, waterline, SIZE, SIZE))
        self.canvas.translate(0, waterline)
        self.canvas.scale(1, -squeeze)
        self.canvas.translate(0, -waterline)
        whole = skia.Rect.MakeWH(SIZE, SIZE)
        self.canvas.drawImageRect(image, whole, skia.SamplingOptions(skia.FilterMode.kLinear), skia.Paint(Alphaf=alpha))
        self.canvas.restore()

    def rgb(self) -> NDArray[np.uint8]:
        """The picture so far, (size, size, 3) in [0, 255]."""
        return self.pixels[:, :, :3].copy()
