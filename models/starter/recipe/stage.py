"""Where a place leaves room for things: on land, on water, in the air."""

from collections.abc import Callable
from dataclasses import dataclass, field


def nothing() -> None:
    """A place without foreground."""


@dataclass(frozen=True)
class Stage:
    """Room for things, in pixels; `front` draws what stands before them."""

    land: Callable[[float], float]  # y of the ground at x, for things that stand
    land_x: tuple[float, float] = (50, 206)
    land_scale: float = 1.0  # size of standing things; 1 is near
    water_y: float | None = None  # where boats float; None is no water
    waterline: float | None = None  # everything above it is mirrored below it
    mirror: float = 0.6  # how strongly, [0, 1]
    before_mirror: Callable[[], None] = field(default=nothing)  # stands before the things and is mirrored with them
    front: Callable[[], None] = field(default=nothing)
    things_last: bool = False  # standing things come after the foreground
