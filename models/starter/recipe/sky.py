"""The sky: gradient, sun or moon, stars, clouds, lightning, rainbow, northern lights; and what falls out of it."""

from itertools import pairwise

import numpy as np

from models.starter.recipe.brush import Brush, argb
from models.starter.recipe.light import HORIZON, Colour, mix, rgb
from models.starter.recipe.outlines import SIZE
from models.starter.recipe.scene import Scene

WHITE = rgb(1, 1, 1)
RAINBOW = (
    rgb(0.95, 0.25, 0.30), rgb(1.00, 0.58, 0.18), rgb(1.00, 0.90, 0.30), rgb(0.35, 0.82, 0.42), rgb(0.25, 0.58, 0.95),
    rgb(0.58, 0.36, 0.85),
)  # fmt: skip
AURORAS = (
    (rgb(0.20, 1.00, 0.55), rgb(0.20, 0.75, 0.75), rgb(0.50, 0.20, 0.80)),
    (rgb(0.30, 1.00, 0.45), rgb(0.10, 0.85, 0.50), rgb(0.15, 0.35, 0.75)),
    (rgb(0.15, 0.95, 0.70), rgb(0.55, 0.40, 0.95), rgb(0.90, 0.25, 0.65)),
)  # from the lower hem upwards
CLOUDS = {"clouds": 7, "rain": 7, "snow": 4, "fog": 0, "storm": 9, "rainbow": 3, "aurora": 0}


def draw_sky(brush: Brush, scene: Scene) -> None:
    """Everything above the horizon that is not a thing."""
    light, rng = brush.light, brush.rng
    brush.wash(0, HORIZON + 40, light.sky)
    brush.veil(HORIZON + 39, SIZE, (light.sky[2], light.sky[2]), (1, 1))
    if scene.time == "night" and light.sun_shows:
        _stars(brush, 30 if scene.weather == "clouds" else 64)
    if scene.weather == "aurora":
        _aurora(brush)
    if light.sun_shows and (scene.weather != "aurora" or rng.random() < 0.4):
        _sun_or_moon(brush, scene)
    if scene.weather == "rainbow":
        _rainbow(brush)
    count = CLOUDS.get(scene.weather, int(rng.integers(0, 3)))
    xs = (np.arange(count) + rng.uniform(0.1, 0.9, count)) / max(count, 1) * (SIZE + 40) - 20
    for x in rng.permutation(xs):
        if scene.weather != "clear" or abs(x - light.sun[0]) > 62:  # a clear sky shows its sun
            _cloud(brush, scene, float(x))
    if scene.weather == "storm":
        _lightning(brush)


def _stars(brush: Brush, number: int) -> None:
    for _ in range(number):
        x, y = brush.rng.uniform(0, SIZE), brush.rng.uniform(0, HORIZON)
        size = float(brush.rng.choice((0.8, 1.2, 1.9), p=(0.5, 0.35, 0.15)))
        brush.glow_disc(x, y, size, size, WHITE, float(brush.rng.uniform(0.55, 1)))


def _sun_or_moon(brush: Brush, scene: Scene) -> None:
    light, rng = brush.light, brush.rng
    x, y = light.sun
    if scene.time == "night":
        radius = float(rng.uniform(12, 18))
        brush.shine(x, y, radius * 4.5, light.glow, 0.4)
        if rng.random() < 0.4:
            brush.crescent(x, y, radius, light.glow)
        else:
            brush.glow_disc(x, y, radius, radius, light.glow)
            for dx, dy, size in ((-0.3, -0.2, 0.26), (0.3, 0.3, 0.2), (0.25, -0.4, 0.14)):
                brush.glow_disc(x + dx * radius, y + dy * radius, size * radius, size * radius, light.glow * 0.9)
    elif light.neon and scene.time == "sunset":
        radius = float(rng.uniform(34, 46))
        y = HORIZON - radius * 0.55
        brush.shine(x, y, radius * 2.2, light.glow, 0.6)
        brush.glow_disc(x, y, radius, radius, light.glow)
        for stripe in range(5):
            brush.glow_rectangle(
                x - radius, y - radius * 0.2 + stripe * radius / 4, 2 * radius, 1 + stripe, light.sky[1]
            )
    elif scene.time == "sunset":
        radius = float(rng.uniform(18, 27))
        brush.shine(x, y, radius * 5.5, light.glow, 0.75)
        brush.glow_disc(x, y, radius, radius, mix(light.glow, WHITE, 0.35))
    else:
        radius = float(rng.uniform(12, 17))
        brush.shine(x, y, radius * 5, light.glow, 0.6)
        brush.glow_disc(x, y, radius, radius, rgb(1.0, 0.95, 0.66))


def _cloud_body(brush: Brush, scene: Scene) -> Colour:
    light, rng = brush.light, brush.rng
    if light.neon:
        return mix(light.sky[1], light.glow, 0.3) * (0.5 if scene.weather == "storm" else 1.0)
    if scene.weather == "storm":
        return {"day": rgb(0.27, 0.29, 0.37), "sunset": rgb(0.34, 0.20, 0.29), "night": rgb(0.07, 0.08, 0.16)}[
            scene.time
        ] * float(rng.uniform(0.85, 1.2))  # fmt: skip
    grey = scene.weather in ("rain", "snow")
    if scene.time == "day":
        return rgb(0.60, 0.64, 0.70) if grey else WHITE
    if scene.time == "sunset":
        warm = mix(rgb(1.0, 0.72, 0.62), light.sky[0], float(rng.uniform(0, 0.45)))
        return rgb(0.58, 0.42, 0.49) if grey else warm
    return rgb(0.13, 0.17, 0.28) if grey else rgb(0.32, 0.40, 0.60)


def _cloud(brush: Brush, scene: Scene, x: float) -> None:
    """A heap of discs with a flat foot, lighter on top."""
    light, rng = brush.light, brush.rng
    body, heavy = _cloud_body(brush, scene), scene.weather in ("rain", "snow", "storm")
    y = float(rng.uniform(16, HORIZON * (0.42 if heavy else 0.58)))
    width = float(rng.uniform(34, 62)) * (1.35 if heavy else 1.0)
    alpha = 1.0 if brush.hand.flat or scene.weather == "storm" else 0.9 if scene.time == "day" else 0.75
    puffs = np.linspace(-1, 1, 6)
    swells = width * 0.27 * ((1 - puffs**2) * 0.7 + 0.3) * rng.uniform(0.85, 1.15, 6)
    for shade, rise in ((mix(body, light.sky[1], 0.4), 0.0), (body, 3.5)):
        if brush.hand.paper and not rise:
            brush.cast(
                [(x + p * width * 0.7, y - s * 0.5, s * 1.25, s * 0.8) for p, s in zip(puffs, swells, strict=True)]
            )
        for place, radius in zip(puffs, swells, strict=True):
            brush.glow_disc(x + place * width * 0.7, y - radius * 0.5 - rise, radius * 1.25, radius * 0.8, shade, alpha)


def _rainbow(brush: Brush) -> None:
    """An arch over the land, away from the sun."""
    light, rng = brush.light, brush.rng
    x = float(rng.uniform(100, 156)) + (24.0 if light.sun[0] < 128 else -24.0)
    radius, band = float(rng.uniform(122, 140)), 5.2
    middle = HORIZON + float(rng.uniform(14, 26))
    strength = 0.9 if brush.hand.flat or light.neon else 0.72
    for index, colour in enumerate(RAINBOW):
        brush.arc(x, middle, radius - index * band, band + 0.6, colour, strength)


def _aurora(brush: Brush) -> None:
    """Curtains of light with rays, green at the hem."""
    rng = brush.rng
    hem, body, crown = AURORAS[int(rng.integers(len(AURORAS)))]
    xs = np.arange(-8, SIZE + 12, 8, dtype=float)
    for curtain in range(3):
        base = 128 - 34 * curtain + float(rng.uniform(-8, 8))
        lower = base + 13 * np.sin(xs / SIZE * rng.uniform(4, 8) + rng.uniform(0, 6.3)) - xs * rng.uniform(-0.1, 0.1)
        lower += 4 * np.sin(xs / SIZE * 21 + rng.uniform(0, 6.3))
        strength = np.clip(0.6 + 0.4 * np.sin(xs / SIZE * rng.uniform(5, 9) + rng.uniform(0, 6.3)), 0.15, 1)
        strength *= rng.uniform(0.7, 1.0, len(xs)) * (1.0, 0.85, 0.6)[curtain]
        tall = rng.uniform(58, 90) * (0.75 + 0.25 * strength)
        rows = ((hem, 0.0, -7.0), (hem, 0.9, 0.0), (body, 0.6, 0.45), (crown, 0.0, 1.0))
        for (tone, alpha, rise), (next_tone, next_alpha, next_rise) in pairwise(rows):
            points = np.empty((2 * len(xs), 2))
            points[:, 0] = np.repeat(xs, 2)
            points[0::2, 1] = lower - (rise * tall if rise >= 0 else rise)
            points[1::2, 1] = lower - next_rise * tall
            colours = [argb(part, float(value) * share) for value in strength for part, share in
                       ((tone, alpha), (next_tone, next_alpha))]  # fmt: skip
            brush.mesh(points, colours)


def _lightning(brush: Brush) -> None:
    """One or two bolts out of the clouds."""
    rng, light = brush.rng, brush.light
    tone = rgb(1.0, 0.97, 0.75)
    for _ in range(int(rng.integers(1, 3))):
        x, y = float(rng.uniform(40, 216)), float(rng.uniform(18, 34))
        brush.bloom(x, y + 50, 120, mix(light.sky[2], rgb(0.75, 0.72, 1.0), 0.6), 0.5)
        bolt = [(x, y)]
        while y < HORIZON + 6:
            y += float(rng.uniform(11, 22))
            x += float(rng.uniform(-15, 15))
            bolt.append((x, y))
        fork = bolt[len(bolt) // 2]
        side = float(rng.choice((-1, 1)))
        branch = [fork, (fork[0] + side * 17, fork[1] + 15), (fork[0] + side * 21, fork[1] + 33)]
        for width, alpha in ((8.0, 0.22), (3.6, 1.0)):
            brush.line(bolt, tone, width, alpha, lit=False)
            brush.line(branch, tone, width * 0.6, alpha, lit=False)


def draw_weather(brush: Brush, scene: Scene) -> None:
    """What falls or hangs in the air, before everything else; and the light of the sun over it all."""
    light, rng = brush.light, brush.rng
    if light.sun_shows and not brush.hand.flat:
        brush.bloom(*light.sun, 190, light.glow, {"day": 0.22, "sunset": 0.42, "night": 0.2}[scene.time])
    if scene.weather in ("rain", "storm"):
        tone = mix(light.sky[2], WHITE, 0.5 if scene.time != "night" else 0.3)
        slant = float(rng.uniform(3, 8)) * (1.8 if scene.weather == "storm" else 1.0)
        number = 46 if scene.weather == "storm" else 84
        x, y, length = rng.uniform(-10, SIZE + 10, number), rng.uniform(-10, SIZE, number), rng.uniform(12, 24, number)
        brush.strokes(np.stack([x, y, x - slant * length / 16, y + length], axis=1), tone, 1.6, 0.6)
    elif scene.weather == "snow":
        for _ in range(95):
            x, y = rng.uniform(0, SIZE), rng.uniform(0, SIZE)
            size = float(rng.choice((1.5, 2.3, 3.3), p=(0.4, 0.4, 0.2)))
            brush.glow_disc(x, y, size, size, WHITE, 0.92)
    elif scene.weather == "fog":
        pale = mix(light.haze, WHITE, 0.2)
        thick = float(rng.uniform(0.34, 0.48))
        brush.veil(60, 165, (pale, pale), (0, thick))
        brush.veil(165, SIZE, (pale, pale), (thick, thick * 0.35))
        for _ in range(3):
            y, height = float(rng.uniform(100, 200)), float(rng.uniform(24, 44))
            alpha = float(rng.uniform(0.25, 0.45))
            brush.veil(y - height / 2, y, (pale, pale), (0, alpha))
            brush.veil(y, y + height / 2, (pale, pale), (alpha, 0))
