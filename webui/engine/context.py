"""What a job hands to the engine beside its request.

Knows no jobs, no HTTP, no files: the context is four callables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from webui.events import EngineEvent


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
