"""The sky: gradient, sun or moon, stars and clouds."""

from models.starter.recipe.brush import SIZE, Brush
from models.starter.recipe.light import mix, rgb
from models.starter.recipe.scene import Scene

WHITE = rgb(1, 1, 1)


def draw_sky(brush: Brush, scene: Scene, horizon: float) -> None:
    """Everything above `horizon` (pixels from the top) that is not a thing."""
    light, rng = brush.light, brush.rng
    middle = horizon * 0.55
    brush.veil(0, middle, light.sky[:2], (1, 1))
    brush.veil(middle, horizon + 40, light.sky[1:], (1, 1))
    brush.veil(horizon + 39, SIZE, (light.sky[2], light.sky[2]), (1, 1))
    covered = scene.weather in ("rain", "snow", "fog")
    if (scene.time == "night" or light.neon) and not covered:
        _stars(brush, horizon, 26 if scene.weather == "clouds" else 60)
    if scene.weather in ("clear", "clouds") or rng.random() < 0.25:
        _sun_or_moon(brush, scene, horizon)
    count = {"clear": int(rng.integers(0, 3)), "clouds": int(rng.integers(5, 9)), "rain": 7, "snow": 4, "fog": 0}
    for _ in range(count[scene.weather]):
        _cloud(brush, scene, horizon)


def _stars(brush: Brush, horizon: float, number: int) -> None:
    for _ in range(number):
        x, y = brush.rng.uniform(0, SIZE), brush.rng.uniform(0, horizon) ** 1.0
        size = brush.rng.choice((0.6, 0.9, 1.4), p=(0.5, 0.35, 0.15))
        brush.glow_disc(x, y, size, size, WHITE, float(brush.rng.uniform(0.5, 1)))


def _sun_or_moon(brush: Brush, scene: Scene, horizon: float) -> None:
    light, rng = brush.light, brush.rng
    x = float(rng.uniform(40, SIZE - 40))
    if light.neon:
        y, radius = horizon - float(rng.uniform(10, 50)), float(rng.uniform(26, 40))
        brush.shine(x, y, radius * 2.4, light.glow, 0.55)
        brush.glow_disc(x, y, radius, radius, light.glow)
        for stripe in range(4):
            brush.glow_rectangle(x - radius, y + stripe * radius / 4, 2 * radius, 1 + stripe, light.sky[1], 0.9)
    elif scene.time == "sunset":
        y, radius = horizon - float(rng.uniform(2, 34)), float(rng.uniform(15, 24))
        brush.shine(x, y, radius * 5.5, light.glow, 0.75)
        brush.glow_disc(x, y, radius, radius, mix(light.glow, WHITE, 0.35))
    elif scene.time == "night":
        y, radius = float(rng.uniform(24, horizon * 0.5)), float(rng.uniform(9, 16))
        brush.shine(x, y, radius * 4, light.glow, 0.35)
        brush.glow_disc(x, y, radius, radius, light.glow)
        if rng.random() < 0.4:
            brush.glow_disc(x + radius * 0.45, y - radius * 0.15, radius * 0.88, radius * 0.88, light.sky[0])
    else:
        y, radius = float(rng.uniform(22, horizon * 0.45)), float(rng.uniform(10, 15))
        brush.shine(x, y, radius * 5, light.glow, 0.6)
        brush.glow_disc(x, y, radius, radius, rgb(1.0, 0.96, 0.72))


def _cloud(brush: Brush, scene: Scene, horizon: float) -> None:
    """A heap of discs with a flat foot, lighter on top."""
    light, rng = brush.light, brush.rng
    grey = scene.weather in ("rain", "snow")
    if light.neon:
        body = mix(light.sky[1], light.glow, 0.3)
    elif scene.time == "day":
        body = rgb(0.60, 0.64, 0.70) if grey else WHITE
    elif scene.time == "sunset":
        body = rgb(0.55, 0.40, 0.46) if grey else mix(rgb(1.0, 0.72, 0.62), light.sky[0], float(rng.uniform(0, 0.5)))
    else:
        body = rgb(0.10, 0.12, 0.20) if grey else rgb(0.24, 0.30, 0.46)
    x, y = float(rng.uniform(-10, SIZE + 10)), float(rng.uniform(14, horizon * (0.45 if grey else 0.62)))
    width = float(rng.uniform(30, 60)) * (1.3 if grey else 1.0)
    alpha = 0.9 if scene.time == "day" else 0.75
    for shade, rise in ((mix(body, light.sky[1], 0.35), 0.0), (body, 3.0)):
        puffs = 6
        for puff in range(puffs):
            place = puff / (puffs - 1) * 2 - 1
            swell = (1 - place * place) * 0.7 + 0.3
            radius = width * 0.27 * swell * float(rng.uniform(0.8, 1.15))
            brush.glow_disc(x + place * width * 0.7, y - radius * 0.5 - rise, radius * 1.25, radius * 0.8, shade, alpha)


def draw_weather(brush: Brush, scene: Scene) -> None:
    """What falls or hangs in the air, before everything else."""
    light, rng = brush.light, brush.rng
    if scene.weather == "rain":
        tone = mix(light.sky[2], WHITE, 0.45 if scene.time != "night" else 0.25)
        slant = float(rng.uniform(2, 7))
        for _ in range(90):
            x, y, length = rng.uniform(-10, SIZE + 10), rng.uniform(-10, SIZE), rng.uniform(9, 20)
            brush.line([(x, y), (x - slant * length / 16, y + length)], tone, 1.3, 0.65, lit=False)
    elif scene.weather == "snow":
        for _ in range(60 if scene.style == "ink" else 110):
            x, y = rng.uniform(0, SIZE), rng.uniform(0, SIZE)
            size = float(rng.choice((1.3, 2.0, 2.9), p=(0.4, 0.4, 0.2)))
            brush.glow_disc(x, y, size, size, WHITE, 0.9)
    elif scene.weather == "fog":
        for _ in range(5):
            y, height = float(rng.uniform(80, 215)), float(rng.uniform(30, 60))
            alpha = float(rng.uniform(0.18, 0.4))
            brush.veil(y - height / 2, y, (light.haze, light.haze), (0, alpha))
            brush.veil(y, y + height / 2, (light.haze, light.haze), (alpha, 0))
