"""Rolling lines of ground from edge to edge, in units."""

from collections.abc import Sequence

import numpy as np

SIZE = 256  # units to a side
Points = Sequence[tuple[float, float]]


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
