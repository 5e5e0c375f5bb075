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

    def on(self, colour: Colour, depth: float) -> Colour:
        """The colour as it looks in this light at a distance in [0, 1]."""
        lit = greyed(colour, self.dull) * self.ambient
        return np.clip(mix(lit, self.haze, depth * self.haze_amount), 0, 1)


DAYS = (
    (rgb(0.24, 0.55, 0.86), rgb(0.52, 0.77, 0.94), rgb(0.86, 0.94, 0.97)),
    (rgb(0.20, 0.62, 0.80), rgb(0.50, 0.82, 0.88), rgb(0.92, 0.96, 0.90)),
    (rgb(0.36, 0.60, 0.92), rgb(0.64, 0.81, 0.97), rgb(0.97, 0.95, 0.90)),
)
SUNSETS = (
    (rgb(0.30, 0.24, 0.50), rgb(0.85, 0.43, 0.47), rgb(1.00, 0.74, 0.40)),
    (rgb(0.45, 0.30, 0.52), rgb(0.95, 0.50, 0.38), rgb(1.00, 0.84, 0.50)),
    (rgb(0.36, 0.45, 0.68), rgb(0.93, 0.62, 0.60), rgb(1.00, 0.82, 0.62)),
)
NIGHTS = (
    (rgb(0.03, 0.05, 0.15), rgb(0.07, 0.13, 0.30), rgb(0.17, 0.27, 0.48)),
    (rgb(0.05, 0.04, 0.16), rgb(0.12, 0.11, 0.33), rgb(0.27, 0.22, 0.48)),
    (rgb(0.02, 0.08, 0.15), rgb(0.05, 0.19, 0.29), rgb(0.14, 0.35, 0.44)),
)
NEONS = (
    (rgb(0.04, 0.01, 0.12), rgb(0.16, 0.03, 0.32), rgb(0.62, 0.08, 0.50)),
    (rgb(0.01, 0.03, 0.12), rgb(0.05, 0.08, 0.32), rgb(0.10, 0.40, 0.62)),
)
AMBIENTS = {
    "day": rgb(1.0, 1.0, 1.0),
    "sunset": rgb(0.88, 0.63, 0.60),
    "night": rgb(0.34, 0.42, 0.66),
}
GLOWS = {
    "day": rgb(1.0, 0.97, 0.80),
    "sunset": rgb(1.0, 0.88, 0.58),
    "night": rgb(0.95, 0.95, 0.85),
}
CLOUD_GREY = {
    "day": rgb(0.68, 0.73, 0.78),
    "sunset": rgb(0.66, 0.50, 0.53),
    "night": rgb(0.13, 0.16, 0.26),
}
# Weather: how far the sky goes to grey, factor of the ambient light, haze, saturation taken away.
WEATHER = {
    "clear": (0.0, 1.0, 0.62, 0.0),
    "clouds": (0.3, 0.95, 0.65, 0.08),
    "rain": (0.75, 0.74, 0.8, 0.3),
    "snow": (0.6, 0.95, 0.75, 0.15),
    "fog": (0.7, 0.92, 0.9, 0.25),
}


def light_of(scene: Scene, rng: np.random.Generator) -> Light:
    """The light for a scene, one of a few skies by lot."""
    if scene.style == "neon":
        top, middle, low = NEONS[int(rng.integers(len(NEONS)))]
        brighter = {"day": 0.22, "sunset": 0.1, "night": 0.0}[scene.time]
        sky = (mix(top, rgb(0.5, 0.3, 0.7), brighter), mix(middle, rgb(0.7, 0.3, 0.6), brighter), low)
        glow = rgb(1.0, 0.45, 0.7) if scene.time != "night" else rgb(0.7, 0.95, 1.0)
        haze = 0.85 if scene.weather == "fog" else 0.45
        return Light(sky, rgb(0.16, 0.14, 0.30), mix(middle, low, 0.6), haze, glow, True, True, 0.0)
    skies = {"day": DAYS, "sunset": SUNSETS, "night": NIGHTS}[scene.time]
    grey, factor, haze, dull = WEATHER[scene.weather]
    cloud = CLOUD_GREY[scene.time]
    top, middle, low = skies[int(rng.integers(len(skies)))]
    sky = (mix(top, cloud * 0.88, grey), mix(middle, cloud, grey), mix(low, cloud * 1.12, grey))
    return Light(
        sky=sky,
        ambient=AMBIENTS[scene.time] * factor,
        haze=mix(sky[1], sky[2], 0.7),
        haze_amount=haze,
        glow=GLOWS[scene.time],
        lamps=scene.time == "night" or (scene.time == "sunset" and rng.random() < 0.6),
        neon=False,
        dull=dull,
    )
