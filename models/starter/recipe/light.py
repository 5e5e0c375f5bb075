"""The light of a scene: what hour, weather and style do to every colour.

Colours are float RGB arrays in [0, 1]. Knows nothing of shapes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.starter.recipe.scene import Scene

Colour = NDArray[np.float64]
GREY_WEIGHTS = np.array((0.299, 0.587, 0.114))


def rgb(red: float, green: float, blue: float) -> Colour:
    """A colour from its parts in [0, 1]."""
    return np.array((red, green, blue))


def mix(first: Colour, second: Colour, amount: float) -> Colour:
    """`first` at amount 0, `second` at amount 1."""
    return first * (1 - amount) + second * amount


def greyed(colour: Colour, amount: float) -> Colour:
    """The colour with its saturation taken away by `amount` in [0, 1]."""
    return mix(colour, np.full(3, float(colour @ GREY_WEIGHTS)), amount)


@dataclass(frozen=True)
class Light:
    """Sky colours from top to horizon, the tint on all things, and the haze that swallows the distance."""

    sky: tuple[Colour, Colour, Colour]  # top, middle, horizon
    ambient: Colour  # factor on every lit colour
    haze: Colour
    haze_amount: float  # how much haze the farthest thing gets, [0, 1]
    glow: Colour  # of sun or moon
    lamps: bool  # windows and lamps are lit
    neon: bool
    dull: float  # saturation taken away, [0, 1]
    sun: tuple[float, float]  # where sun or moon stands, in units
    sun_shows: bool

    def on(self, colour: Colour, depth: float) -> Colour:
        """The colour as it looks in this light at a distance in [0, 1]."""
        lit = greyed(colour, self.dull) * self.ambient
        return np.clip(mix(lit, self.haze, depth * self.haze_amount), 0, 1)


DAYS = (
    (rgb(0.22, 0.54, 0.88), rgb(0.50, 0.77, 0.96), rgb(0.90, 0.96, 0.97)),
    (rgb(0.17, 0.62, 0.80), rgb(0.48, 0.83, 0.88), rgb(0.97, 0.96, 0.86)),
    (rgb(0.36, 0.58, 0.92), rgb(0.66, 0.81, 0.97), rgb(1.00, 0.93, 0.88)),
    (rgb(0.28, 0.50, 0.80), rgb(0.58, 0.76, 0.90), rgb(0.94, 0.95, 0.88)),
)
SUNSETS = (
    (rgb(0.33, 0.25, 0.54), rgb(0.88, 0.44, 0.50), rgb(1.00, 0.76, 0.42)),
    (rgb(0.47, 0.30, 0.55), rgb(0.97, 0.52, 0.40), rgb(1.00, 0.85, 0.52)),
    (rgb(0.38, 0.46, 0.70), rgb(0.95, 0.63, 0.62), rgb(1.00, 0.83, 0.62)),
    (rgb(0.62, 0.27, 0.42), rgb(0.96, 0.46, 0.34), rgb(1.00, 0.78, 0.38)),
)
NIGHTS = (
    (rgb(0.04, 0.07, 0.21), rgb(0.10, 0.18, 0.42), rgb(0.28, 0.42, 0.68)),
    (rgb(0.08, 0.06, 0.24), rgb(0.19, 0.16, 0.46), rgb(0.44, 0.36, 0.66)),
    (rgb(0.03, 0.11, 0.21), rgb(0.08, 0.25, 0.38), rgb(0.24, 0.50, 0.58)),
)
NEONS = {
    "day": ((rgb(0.36, 0.30, 0.80), rgb(0.72, 0.48, 0.92), rgb(1.00, 0.74, 0.86)),
            (rgb(0.20, 0.48, 0.82), rgb(0.42, 0.70, 0.94), rgb(0.98, 0.78, 0.94))),
    "sunset": ((rgb(0.20, 0.04, 0.32), rgb(0.72, 0.10, 0.46), rgb(1.00, 0.55, 0.25)),
               (rgb(0.12, 0.05, 0.36), rgb(0.60, 0.12, 0.52), rgb(1.00, 0.50, 0.36))),
    "night": ((rgb(0.03, 0.01, 0.12), rgb(0.12, 0.03, 0.30), rgb(0.46, 0.08, 0.50)),
              (rgb(0.01, 0.03, 0.12), rgb(0.04, 0.08, 0.30), rgb(0.08, 0.38, 0.60))),
}  # fmt: skip
NEON_GLOWS = {"day": rgb(1.0, 0.98, 0.80), "sunset": rgb(1.0, 0.72, 0.32), "night": rgb(0.75, 0.95, 1.0)}
AMBIENTS = {
    "day": rgb(1.0, 1.0, 1.0),
    "sunset": rgb(0.93, 0.67, 0.62),
    "night": rgb(0.52, 0.58, 0.82),
}
GLOWS = {
    "day": rgb(1.0, 0.97, 0.80),
    "sunset": rgb(1.0, 0.88, 0.58),
    "night": rgb(0.97, 0.96, 0.86),
}
CLOUD_GREY = {
    "day": rgb(0.68, 0.73, 0.78),
    "sunset": rgb(0.66, 0.48, 0.52),
    "night": rgb(0.20, 0.25, 0.39),
}
STORM_GREY = {
    "day": rgb(0.36, 0.39, 0.48),
    "sunset": rgb(0.44, 0.28, 0.36),
    "night": rgb(0.15, 0.16, 0.28),
}
# Weather: how far the sky goes to grey, factor of the ambient light, haze, saturation taken away.
WEATHER = {
    "clear": (0.0, 1.0, 0.62, 0.0),
    "clouds": (0.3, 0.95, 0.65, 0.08),
    "rain": (0.75, 0.76, 0.8, 0.25),
    "snow": (0.6, 0.95, 0.75, 0.12),
    "fog": (0.7, 0.94, 0.92, 0.22),
    "storm": (0.85, 0.66, 0.72, 0.2),
    "rainbow": (0.2, 1.0, 0.55, 0.0),
    "aurora": (0.0, 1.0, 0.5, 0.0),
}
SUN_WEATHERS = frozenset({"clear", "clouds", "rainbow", "aurora"})
HORIZON = 150.0  # units from the top, about where land or sea begins


def _sun(scene: Scene, rng: np.random.Generator) -> tuple[float, float]:
    """High by day and night, low at sunset."""
    x = float(rng.uniform(40, 216))
    height = {"day": rng.uniform(24, 64), "sunset": HORIZON - rng.uniform(6, 40), "night": rng.uniform(26, 72)}
    return x, float(height[scene.time])


def light_of(scene: Scene, rng: np.random.Generator) -> Light:
    """The light for a scene, one of a few skies by lot."""
    sun, shows = _sun(scene, rng), scene.weather in SUN_WEATHERS
    grey, factor, haze, dull = WEATHER[scene.weather]
    if scene.style == "neon":
        skies = NEONS[scene.time]
        top, middle, low = skies[int(rng.integers(len(skies)))]
        dim = {"storm": 0.55, "rain": 0.75}.get(scene.weather, 1.0)
        haze = 0.85 if scene.weather == "fog" else 0.45
        return Light(
            (top * dim, middle * dim, low * dim), rgb(0.16, 0.14, 0.30), mix(middle, low, 0.6), haze,
            NEON_GLOWS[scene.time], True, True, 0.0, sun, shows,
        )  # fmt: skip
    skies = {"day": DAYS, "sunset": SUNSETS, "night": NIGHTS}[scene.time]
    cloud = (STORM_GREY if scene.weather == "storm" else CLOUD_GREY)[scene.time]
    top, middle, low = skies[int(rng.integers(len(skies)))]
    last = grey * (0.4 if scene.time == "sunset" else 1.0)  # a sunset keeps its glow at the horizon
    sky = (mix(top, cloud * 0.88, grey), mix(middle, cloud, grey), mix(low, cloud * 1.15, last))
    return Light(
        sky=sky,
        ambient=AMBIENTS[scene.time] * (max(factor, 0.9) if scene.time == "night" else factor),  # dark enough
        haze=mix(sky[1], sky[2], 0.7),
        haze_amount=haze,
        glow=GLOWS[scene.time],
        lamps=scene.time == "night" or (scene.time == "sunset" and rng.random() < 0.6),
        neon=False,
        dull=dull,
        sun=sun,
        sun_shows=shows,
    )
