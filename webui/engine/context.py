"""What a job hands to the engine, and what it gets back.

Knows no jobs, no HTTP, no files: the context is four callables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from webui.events import EngineEvent


@dataclass(frozen=True, kw_only=True)
class EngineImage:
    """A finished picture: `rgb` is height × width × 3 bytes, row by row.

    `info` says what really happened: steps run, size computed at, fallbacks taken, device, precision.
    """

    width: int
    height: int
    rgb: bytes = field(repr=False)
    seed: int
    info: dict[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """The engine's side of one running job.

    - `on_event` takes `Loading` and `Step`, in order; it may be called from another thread than the engine's.
    - `check` raises `Cancelled` once the person has stopped the job; cheap (well below 1 µs) and thread-safe.
    - `watched` says whether anybody looks at the job just now.
    - `read_picture` gives the bytes of a PNG for a reference `sha256:…`: RGB or RGBA, upright.
    """

    on_event: Callable[[EngineEvent], None]
    check: Callable[[], None]
    watched: Callable[[], bool]
    read_picture: Callable[[str], bytes]
